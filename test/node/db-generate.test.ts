// `npm run db:generate -- --name x` on a copy of its input and output: a changed schema becomes a migration.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const copy = mkdtempSync(join(tmpdir(), "edgecare-generate-"));
const schema = join(copy, "src/platform/db/schema.ts");

beforeAll(() => {
  for (const path of ["package.json", "drizzle.config.ts", "migrations", "scripts/db-generate.mjs", "src"])
    cpSync(path, join(copy, path), { recursive: true });
  symlinkSync(resolve("node_modules"), join(copy, "node_modules"));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const migrations = () => readdirSync(join(copy, "migrations")).filter((name) => name.endsWith(".sql"));

function generate(name: string): string[] {
  const before = migrations();
  const run = spawnSync("npm", ["run", "db:generate", "--", "--name", name], { cwd: copy, encoding: "utf8" });
  expect(run.status, run.stdout + run.stderr).toBe(0);
  return migrations().filter((file) => !before.includes(file));
}

it("writes nothing while the schema is what the migrations make", () => {
  expect(generate("nothing")).toEqual([]);
});

it("writes a new table as STRICT and WITHOUT ROWID, under the name that was given", () => {
  const source = readFileSync(schema, "utf8");
  writeFileSync(schema, `${source}\nexport const boxes = sqliteTable("boxes", { id: text("id").primaryKey() });\n`);
  const [file = "", ...more] = generate("boxes");
  expect([file, more]).toEqual([expect.stringMatching(/^\d{4}_boxes\.sql$/), []]);
  const sql = readFileSync(join(copy, "migrations", file), "utf8");
  expect(sql).toMatch(/CREATE TABLE `boxes` \(\n\t`id` text PRIMARY KEY NOT NULL\n\) STRICT, WITHOUT ROWID;/);
  expect(generate("again")).toEqual([]);
});
