// Migrations of the local database: applied without wrangler's command, and recognized in the files that Miniflare writes.
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { getPlatformProxy } from "wrangler";
import { applyMigrations } from "../../cli/demo/migrate.ts";
import { isMigrated } from "../../scripts/lib/local-database.mjs";

const FILES = readdirSync("migrations")
  .filter((name) => name.endsWith(".sql"))
  .sort();

it("applies the pending migrations of a database that has some, once each", async () => {
  const folder = mkdtempSync(join(tmpdir(), "edgecare-migrations-"));
  const state = join(folder, "state");
  const first = FILES.slice(0, 3);
  for (const name of first) copyFileSync(`migrations/${name}`, join(folder, name));
  const { env, dispose } = await getPlatformProxy<Env>({ persist: { path: `${state}/v3` }, remoteBindings: false });
  const appliedNow = async () => {
    const { results } = await env.DB.prepare("SELECT name FROM d1_migrations ORDER BY id").all<{ name: string }>();
    return results.map(({ name }) => name);
  };
  try {
    expect(isMigrated(state)).toBe(false);
    await applyMigrations(env.DB, folder);
    expect(await appliedNow()).toEqual(first);
    expect(isMigrated(state)).toBe(false);
    for (let i = 0; i < 2; i++) {
      await applyMigrations(env.DB);
      expect(await appliedNow()).toEqual(FILES);
      // False here would only make each start slower: Miniflare then names its files otherwise.
      expect(isMigrated(state)).toBe(true);
    }
  } finally {
    await dispose();
    rmSync(folder, { recursive: true, force: true });
  }
});
