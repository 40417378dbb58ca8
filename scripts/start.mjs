// `npm start`: create missing secrets, apply migrations, build the pages, load the demo data and start the server.
import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { buildRenderAssets } from "./build-render.mjs";
import { optionalDevVars } from "./dev-secrets.mjs";
import { logFile, productionReason, runningFile, stateFolder, versionHere } from "./lib/development.mjs";
import { prepareStores, writeSecrets } from "./lib/local-state.mjs";
import { passOutput } from "./lib/server-output.mjs";

const port = process.env.PORT ?? "8787";
const state = stateFolder();

writeSecrets();
// The tests start several servers after one build; another build would reload a running server.
if (process.env.EDGECARE_BUILD !== "off") await import("./build-public.mjs");
buildRenderAssets();
prepareStores(state);
console.log(`
EdgeCare     http://localhost:${port}
API          http://localhost:${port}/api/v1
Docs         http://localhost:${port}/docs and /redoc
Mail         http://localhost:${port}/cdn-cgi/local/explorer (Email), or npm run mail; kept until the server stops
`);
const server = spawn(
  "wrangler",
  [
    "dev",
    // The second Worker, which renders documents for the first.
    "--config",
    "wrangler.toml",
    "--config",
    "render/wrangler.toml",
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
    // Log lines as JSON text, see src/platform/log.ts.
    "--define",
    "LOG_AS_TEXT:true",
    "--var",
    `PUBLIC_ORIGIN:${process.env.PUBLIC_ORIGIN ?? `http://localhost:${port}`}`,
    // wrangler dev reads only those secrets of .dev.vars that wrangler.toml requires.
    ...["PUSH_TEST_ORIGINS", "WEBHOOK_TEST_ORIGINS"]
      .filter((name) => process.env[name])
      .flatMap((name) => ["--var", `${name}:${process.env[name]}`]),
    ...optionalDevVars().flatMap(([name, value]) => ["--var", `${name}:${value}`]),
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
passOutput(server.stdout, logFile(state));
const entry = { pid: process.pid, url: `http://localhost:${port}`, started_at: new Date().toISOString(), ...versionHere() };
writeFileSync(runningFile(state), JSON.stringify(entry));
const ward = startDemoWard();
const cron = startCron();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.kill(signal));
server.on("exit", (code) => {
  ward?.kill("SIGTERM");
  clearInterval(cron);
  rmSync(runningFile(state), { force: true });
  // The last lines may still be in the pipe.
  process.exitCode = code ?? 0;
});

/** Simulated patients of the demo ward, unless EDGECARE_DEMO_WARD or EDGECARE_DEMO is off. They end with this process. */
function startDemoWard() {
  if (process.env.EDGECARE_DEMO_WARD === "off" || process.env.EDGECARE_DEMO === "off" || productionReason() !== null) return null;
  const args = ["cli/edgecare.ts", "demo", "--live", "--url", `http://localhost:${port}`, "--state", state];
  return spawn("node", args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

/** Calls the Worker's cron triggers of wrangler.toml, which wrangler dev does not, unless EDGECARE_CRON is off. */
function startCron() {
  if (process.env.EDGECARE_CRON === "off") return undefined;
  const call = (cron) =>
    fetch(`http://127.0.0.1:${port}/cdn-cgi/local/scheduled?cron=${encodeURIComponent(cron)}`).catch(() => undefined);
  let minutes = 0;
  return setInterval(() => {
    void call("* * * * *");
    if (++minutes % 15 === 0) void call("*/15 * * * *");
  }, 60_000).unref();
}
