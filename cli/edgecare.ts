// The `edgecare` command: demo data, simulated patients, secret keys, erasures after a restored backup, exports, cost estimates and checks of the audit log.
import { parseArgs } from "node:util";

const DEMO_USAGE = `  demo   apply pending migrations to the local stores and load the demo data if they are missing (development only)
         --recreate   restore the demo logins, passwords and roles; remove locks and sessions
         --live       simulate a few patients of the demo ward on the server at --url until Ctrl-C, as npm start does`;

/** Each command imports its own modules: a usage message or a new key needs neither wrangler nor the Worker. */
const COMMANDS: Record<string, (args: string[]) => Promise<number>> = {
  demo: runDemo,
  keys: async (args) => (await import("./keys.ts")).runKeys(args),
  erasures: async (args) => (await import("./erasures.ts")).runErasures(args),
  simulate: async (args) => (await import("./simulate.ts")).runSimulate(args),
  export: async (args) => (await import("./export.ts")).runExport(args),
  cost: async (args) => (await import("./cost.ts")).runCost(args),
  audit: runAudit,
};

async function main(args: string[]): Promise<number> {
  const [name = "", ...rest] = args;
  const run = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const asksForHelp = args.length === 0 || args.includes("--help");
  if (run && !asksForHelp) return run(rest);
  console.error(await formatUsage());
  return asksForHelp ? 0 : 2;
}

async function formatUsage(): Promise<string> {
  const [
    { KEYS_USAGE },
    { EXPORT_USAGE },
    { SIMULATE_USAGE },
    { COST_USAGE },
    { AUDIT_USAGE },
    { PROOF_USAGE },
    { LOCK_CHECK_USAGE },
    { ERASURES_USAGE },
  ] = await Promise.all([
    import("./keys.ts"),
    import("./export.ts"),
    import("./simulate.ts"),
    import("./cost.ts"),
    import("./audit.ts"),
    import("./audit-proof.ts"),
    import("./lock-check.ts"),
    import("./erasures.ts"),
  ]);
  const head =
    "usage: edgecare demo [--state DIR] [--recreate | --live [--url http://localhost:8787]] | simulate [options] | cost | keys new | keys rotate NAME --stage STAGE | keys status | erasures save FILE | erasures apply FILE | export --fernet KEY | audit verify DIR [options] | audit proof [--key VKEY] | audit lock-check";
  return [
    head,
    `${DEMO_USAGE}\n${KEYS_USAGE}\n${ERASURES_USAGE}\n${LOCK_CHECK_USAGE}`,
    EXPORT_USAGE,
    SIMULATE_USAGE,
    COST_USAGE,
    `${AUDIT_USAGE}\n${PROOF_USAGE}`,
  ].join("\n\n");
}

const AUDIT_COMMANDS: Record<string, (args: string[]) => Promise<number>> = {
  verify: async (args) => (await import("./audit.ts")).runAudit(["verify", ...args]),
  proof: async (args) => (await import("./audit-proof.ts")).runAuditProof(args),
  "lock-check": async (args) => (await import("./lock-check.ts")).runLockCheck(args),
};

async function runAudit([name = "", ...args]: string[]): Promise<number> {
  const run = Object.hasOwn(AUDIT_COMMANDS, name) ? AUDIT_COMMANDS[name] : undefined;
  if (run) return run(args);
  console.error(await formatUsage());
  return 2;
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
    options: {
      state: { type: "string", default: ".wrangler/state" },
      recreate: { type: "boolean", default: false },
      live: { type: "boolean", default: false },
      url: { type: "string", default: "http://localhost:8787" },
    },
  });
  if (values.live) return runLive(values.url, values.state);
  const { loadDemo } = await import("./demo/demo-world.ts");
  return loadDemo(values.state, values.recreate);
}

/** Only for a server on this machine: the simulated patients must never be mixed with others. */
async function runLive(url: string, state: string): Promise<number> {
  const base = URL.canParse(url) ? new URL(url) : null;
  if (base?.protocol !== "http:" || !["localhost", "127.0.0.1", "[::1]"].includes(base.hostname)) {
    console.error(`Refused: ${url} is no server on this machine.`);
    return 1;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  // The server that started this process has ended, however it ended.
  process.once("disconnect", () => stop.abort());
  // The listener alone would keep this process.
  process.channel?.unref();
  const { runLivingWard } = await import("./demo/living-ward.ts");
  try {
    await runLivingWard({ base, state, signal: stop.signal, logLine: (line) => console.error(`demo ward: ${line}`) });
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    console.error(`demo ward: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
