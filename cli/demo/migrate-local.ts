// Applies pending migrations to the local database in the folder that is the first argument, without demo data.
import { getPlatformProxy } from "wrangler";
import { applyMigrations } from "./migrate.ts";

const [, , state] = process.argv;
if (!state) throw new Error("usage: node cli/demo/migrate-local.ts FOLDER");
const { env, dispose } = await getPlatformProxy<Env>({ persist: { path: `${state}/v3` }, remoteBindings: false });
try {
  await applyMigrations(env.DB);
} finally {
  await dispose();
}
