// `npm run status`: whether the local server runs, its version, and the contents of the state folder.
import { existsSync, globSync, statSync } from "node:fs";
import { requireDevelopment, runningServer, stateFolder, versionHere } from "./lib/development.mjs";
import { openDatabase, pendingMigrations, tablesOf } from "./lib/local-database.mjs";

requireDevelopment();
const state = stateFolder();

async function product() {
  const running = runningServer(state);
  const url = running?.url ?? `http://localhost:${process.env.PORT ?? "8787"}`;
  const health = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) }).then(
    async (response) => (await response.json()).data?.status ?? String(response.status),
    () => null,
  );
  if (!running) return health ? `up at ${url}, on another state folder (health: ${health})` : "down";
  const start = `process ${running.pid}, commit ${running.commit}, since ${running.started_at}`;
  return health ? `up at ${url} (health: ${health}; ${start})` : `starting at ${url}, or not responding (${start})`;
}

const megabytes = (paths) => (paths.reduce((sum, path) => sum + statSync(path).size, 0) / 1e6).toFixed(1);
const filesIn = (folder) => globSync(`${folder}/**/*`).filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());

function stores() {
  const database = openDatabase(state);
  const found = database && pendingMigrations(database);
  if (!found) return { migrations: "no database yet", demo: "not loaded" };
  const { applied, pending } = found;
  const demo = tablesOf(database).includes("users") && database.prepare("SELECT 1 FROM users WHERE demo = 1 LIMIT 1").get();
  return {
    migrations: `${applied} applied, ${pending.length > 0 ? `pending: ${pending.join(", ")}` : "none pending"}`,
    demo: demo ? "loaded" : "not loaded",
  };
}

function portal() {
  const page = "dist/public/index.html";
  if (!existsSync(page)) return "not built";
  const built = statSync(page).mtime;
  const changed = filesIn("portal").some((path) => statSync(path).mtime > built);
  return `built ${built.toISOString()}${changed ? ", older than its sources" : ""}`;
}

const { version, commit } = versionHere();
const { migrations, demo } = stores();
const facts = {
  Product: await product(),
  Version: `${version}, commit ${commit}`,
  State: existsSync(state) ? `${state}, ${megabytes(filesIn(state))} MB` : `${state}, missing`,
  Migrations: migrations,
  "Demo data": demo,
  Portal: portal(),
};
for (const [name, fact] of Object.entries(facts)) console.log(`${name.padEnd(11)} ${fact}`);
