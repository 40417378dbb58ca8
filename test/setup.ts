// Gives each test file empty stores and a migrated database.
import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { awaitBackground } from "./background.ts";

await awaitBackground();
await reset();
await applyD1Migrations(env.DB, env.MIGRATIONS);
