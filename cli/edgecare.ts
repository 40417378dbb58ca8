// The command line: the demo world of a local deployment, simulated patients, the keys of any deployment, and what one costs.
import { parseArgs } from "node:util";
import { COST_USAGE, runCost } from "./cost.ts";
import { KEYS_USAGE, runKeys } from "./keys.ts";
import { runSimulate, SIMULATE_USAGE } from "./simulate.ts";

const USAGE = `usage: edgecare demo [--state DIR] | simulate [options] | cost | keys new | keys rotate NAME --stage STAGE

  demo   loads the demo world into the local stores (development only; runs once)
${KEYS_USAGE}

${SIMULATE_USAGE}

${COST_USAGE}`;

async function main(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === "keys") return runKeys(rest);
  if (command === "simulate") return runSimulate(rest);
  if (command === "cost") return runCost(rest);
  if (command !== "demo") {
    console.error(USAGE);
    return command === undefined || command === "--help" ? 0 : 2;
  }
  // Loaded here alone: keys are made without wrangler and the whole Worker behind it.
  const { loadDemo } = await import("./demo/demo-world.ts");
  const { values } = parseArgs({ args: rest, options: { state: { type: "string", default: ".wrangler/state" } } });
  return loadDemo(values.state);
}

process.exitCode = await main(process.argv.slice(2));
