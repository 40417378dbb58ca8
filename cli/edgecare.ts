// The command line: `edgecare demo` loads the demo world into a local deployment.
import { parseArgs } from "node:util";
import { loadDemo } from "./demo/load.ts";

const USAGE = `usage: edgecare demo [--state DIR]

  demo   loads the demo world into the local stores (development only; runs once)`;

async function main(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command !== "demo") {
    console.error(USAGE);
    return command === undefined || command === "--help" ? 0 : 2;
  }
  const { values } = parseArgs({ args: rest, options: { state: { type: "string", default: ".wrangler/state" } } });
  return loadDemo(values.state);
}

process.exitCode = await main(process.argv.slice(2));
