// `npm start`: secrets if there are none, migrations, pages, the demo world, and the server.
import { spawn, spawnSync } from "node:child_process";
import { optionalDevVars, writeDevVars } from "./dev-secrets.mjs";

process.env.WRANGLER_SEND_METRICS = "false";
process.env.WRANGLER_HIDE_BANNER = "true";
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
const port = process.env.PORT ?? "8787";
const state = process.env.EDGECARE_STATE ?? ".wrangler/state";

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) process.exit(status ?? 1);
}

const fresh = writeDevVars();
if (fresh.length > 0) console.log(`Wrote development secrets to .dev.vars: ${fresh.join(", ")}`);
// The tests start several servers after one build; a build beside a server that runs would reload it.
if (process.env.EDGECARE_BUILD !== "off") await import("./build-public.mjs");
run("wrangler", ["d1", "migrations", "apply", "DB", "--local", "--persist-to", state]);
if (process.env.EDGECARE_DEMO !== "off") {
  const { status } = spawnSync("node", ["cli/edgecare.ts", "demo", "--state", state], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
console.log(`
EdgeCare     http://localhost:${port}
API          http://localhost:${port}/api/v1
Docs         http://localhost:${port}/docs and /redoc
`);
const server = spawn(
  "wrangler",
  [
    "dev",
    "--ip",
    "127.0.0.1",
    "--port",
    port,
    "--inspector-port",
    "0",
    "--persist-to",
    state,
    "--log-level",
    "log",
    "--show-interactive-dev-session=false",
    // wrangler dev reads only those secrets of .dev.vars that wrangler.toml requires.
    ...optionalDevVars().flatMap(([name, value]) => ["--var", `${name}:${value}`]),
  ],
  { stdio: ["ignore", "inherit", "inherit"] },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.kill(signal));
server.on("exit", (code) => process.exit(code ?? 0));
