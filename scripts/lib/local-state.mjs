// Preparation of the local product for `npm start` and `npm run reset`: secrets, migrations and demo data.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { writeDevVars } from "../dev-secrets.mjs";
import { isMigrated } from "./local-database.mjs";

process.env.WRANGLER_SEND_METRICS = "false";
process.env.WRANGLER_HIDE_BANNER = "true";
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
// wrangler keeps a trace of each request with its full URL, in which searches have names. EdgeCare has its own log.
process.env.X_LOCAL_OBSERVABILITY = "false";

function run(command, args, stdio) {
  const { status } = spawnSync(command, args, { stdio });
  if (status !== 0) process.exit(status ?? 1);
}

export function writeSecrets() {
  const fresh = writeDevVars();
  if (fresh.length > 0) console.log(`Wrote development secrets to .dev.vars: ${fresh.join(", ")}`);
}

/** Applies pending migrations, and loads the demo data if they are missing. */
export function prepareStores(state) {
  // wrangler refuses to start without the folder of static files, which only a build creates.
  mkdirSync("dist/public", { recursive: true });
  mkdirSync(state, { recursive: true });
  // Traces of starts before X_LOCAL_OBSERVABILITY was set.
  rmSync(`${state}/v3/observability`, { recursive: true, force: true });
  if (process.env.EDGECARE_DEMO !== "off") run("node", ["cli/edgecare.ts", "demo", "--state", state], "inherit");
  // The proxy needs seconds to find that nothing is pending.
  else if (!isMigrated(state)) run("node", ["cli/demo/migrate-local.ts", state], ["ignore", "ignore", "inherit"]);
}
