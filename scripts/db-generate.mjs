// `npm run db:generate`: generate migrations and add STRICT and WITHOUT ROWID to new tables, which drizzle-kit cannot write.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

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
    // The audit log keeps its rowid: seq is the order of events.
    (_, create, table) => `${create} STRICT${table === "audit_events" ? "" : ", WITHOUT ROWID"};`,
  );
  writeFileSync(`${dir}/${file}`, sql);
}
