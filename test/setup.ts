// Gives each test file empty stores and a migrated database.
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { withDeadline } from "../src/platform/deadline.ts";
import { awaitBackground } from "./background.ts";

/** The local runtime was seen once not to return from one of these calls: the run then fails instead of waiting without an end. */
const DEADLINE_MS = 60_000;
const empty = () => withDeadline(reset(), DEADLINE_MS, "emptying the stores");

await awaitBackground();
await empty().catch(empty);
// biome-ignore lint/plugin: statements of the migrations.
const migrated = env.DB.batch(env.MIGRATED_SCHEMA.map((statement) => env.DB.prepare(statement)));
await withDeadline(migrated, DEADLINE_MS, "migrating the database");
