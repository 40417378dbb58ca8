// Gives each test file empty stores and a migrated database.
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { withDeadline } from "../src/platform/deadline.ts";
import { awaitBackground } from "./background.ts";

/** The local runtime was seen once not to return from one of these calls: the run then fails instead of waiting without an end. */
const DEADLINE_MS = 60_000;
const MAX_ATTEMPTS = 5;

/** A reset beside a last call of the file before was seen to leave the database as it was. */
async function emptyStores(attempt = 1): Promise<void> {
  await withDeadline(reset(), DEADLINE_MS, "emptying the stores").catch((error: unknown) => {
    if (attempt === MAX_ATTEMPTS) throw error;
  });
  const tables = await env.DB.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'd1_migrations'").first<number>("n");
  if (tables === 0) return;
  if (attempt === MAX_ATTEMPTS) throw new Error("the stores cannot be emptied");
  await scheduler.wait(attempt * 200);
  await emptyStores(attempt + 1);
}

await awaitBackground();
await emptyStores();
// biome-ignore lint/plugin: statements of the migrations.
const migrated = env.DB.batch(env.MIGRATED_SCHEMA.map((statement) => env.DB.prepare(statement)));
await withDeadline(migrated, DEADLINE_MS, "migrating the database");
