// `npm run db:generate`: generate migrations and add STRICT and WITHOUT ROWID to new tables, which drizzle-kit cannot write.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/**
 * `seq` is the order of audit events. Rows of a month of daily values are about 1 KB: a table without rowid gives each an overflow
 * page of 4 KB. Reports and uploads stay for ever and have many indexes: each entry ends in a rowid instead of an id of 36 bytes.
 */
const WITH_ROWID = ["audit_events", "vital_months", "reports", "uploads"];
const dir = "migrations";
const sqlFiles = () => {
  try {
    return readdirSync(dir).filter((f) => f.endsWith(".sql"));
  } catch {
    return [];
  }
};
const before = new Set(sqlFiles());
execFileSync("drizzle-kit", ["generate", ...process.argv.slice(2)], { stdio: "inherit" });
for (const file of sqlFiles().filter((f) => !before.has(f))) {
  const sql = readFileSync(`${dir}/${file}`, "utf8").replace(
    /(CREATE TABLE `(\w+)` \([\s\S]*?\n\));/g,
    (_, create, table) => `${create} STRICT${WITH_ROWID.includes(table) ? "" : ", WITHOUT ROWID"};`,
  );
  writeFileSync(`${dir}/${file}`, sql);
}
