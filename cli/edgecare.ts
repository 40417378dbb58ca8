// The `edgecare` command: demo data, simulated patients, secret keys and cost estimates.
import { parseArgs } from "node:util";
import { productionReason } from "../scripts/lib/development.mjs";
import { COST_USAGE, runCost } from "./cost.ts";
import { KEYS_USAGE, runKeys } from "./keys.ts";
import { runSimulate, SIMULATE_USAGE } from "./simulate.ts";

const USAGE = `usage: edgecare demo [--state DIR] [--recreate] | simulate [options] | cost | keys new | keys rotate NAME --stage STAGE

  demo   load the demo data into the local stores if they are missing (development only)
         --recreate   restore the demo logins, passwords and roles; remove locks and sessions
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
  return demo(rest);
}

async function demo(args: string[]): Promise<number> {
  const reason = productionReason(args);
  if (reason) {
    console.error(reason);
    return 1;
  }
  const { values } = parseArgs({
    args,
    options: { state: { type: "string", default: ".wrangler/state" }, recreate: { type: "boolean", default: false } },
  });
  // Imported here because the other commands need neither wrangler nor the Worker.
  const { loadDemo } = await import("./demo/demo-world.ts");
  return loadDemo(values.state, values.recreate);
}

process.exitCode = await main(process.argv.slice(2));
