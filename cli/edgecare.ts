// The `edgecare` command: demo data, simulated patients, secret keys and cost estimates.
import { parseArgs } from "node:util";

const DEMO_USAGE = `  demo   apply pending migrations to the local stores and load the demo data if they are missing (development only)
         --recreate   restore the demo logins, passwords and roles; remove locks and sessions`;

/** Each command imports its own modules: a usage message or a new key needs neither wrangler nor the Worker. */
const COMMANDS: Record<string, (args: string[]) => Promise<number>> = {
  demo: runDemo,
  keys: async (args) => (await import("./keys.ts")).runKeys(args),
  simulate: async (args) => (await import("./simulate.ts")).runSimulate(args),
  cost: async (args) => (await import("./cost.ts")).runCost(args),
};

async function main(args: string[]): Promise<number> {
  const [name = "", ...rest] = args;
  const run = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (run) return run(rest);
  console.error(await formatUsage());
  return args.length === 0 || name === "--help" ? 0 : 2;
}

async function formatUsage(): Promise<string> {
  const [{ KEYS_USAGE }, { SIMULATE_USAGE }, { COST_USAGE }] = await Promise.all([
    import("./keys.ts"),
    import("./simulate.ts"),
    import("./cost.ts"),
  ]);
  const head =
    "usage: edgecare demo [--state DIR] [--recreate] | simulate [options] | cost | keys new | keys rotate NAME --stage STAGE";
  return [head, `${DEMO_USAGE}\n${KEYS_USAGE}`, SIMULATE_USAGE, COST_USAGE].join("\n\n");
}

async function runDemo(args: string[]): Promise<number> {
  const { productionReason } = await import("../scripts/lib/development.mjs");
  const reason = productionReason(args);
  if (reason) {
    console.error(reason);
    return 1;
  }
  const { values } = parseArgs({
    args,
    options: { state: { type: "string", default: ".wrangler/state" }, recreate: { type: "boolean", default: false } },
  });
  const { loadDemo } = await import("./demo/demo-world.ts");
  return loadDemo(values.state, values.recreate);
}

process.exitCode = await main(process.argv.slice(2));
