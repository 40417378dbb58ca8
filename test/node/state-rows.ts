// The raw rows of all stores in a state folder of wrangler: D1, KV, Durable Objects, and the keys of R2.
import { globSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export type FoundRow = { file: string; table: string; row: string };

/** Text of a row; bytes as text of one character each. */
const textOf = (row: object): string =>
  Object.values(row)
    .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value)))
    .join("\0");

function rowsOf(path: string, find: (row: string) => boolean): { table: string; row: string }[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'").all();
    return tables.flatMap(({ name }) => {
      // biome-ignore lint/plugin: names from sqlite_master.
      const query = db.prepare(`SELECT * FROM "${name}"`);
      query.setReadBigInts(true);
      return [...query.iterate()].map(textOf).flatMap((row) => (find(row) ? [{ table: String(name), row }] : []));
    });
  } finally {
    db.close();
  }
}

/** The rows that contain one of the texts, by file below `v3`. */
export function findRows(state: string, texts: readonly string[]): FoundRow[] {
  const files = globSync("**/*.sqlite", { cwd: join(state, "v3") });
  if (files.length === 0) throw new Error(`no stores in ${state}`);
  return files.flatMap((file) =>
    rowsOf(join(state, "v3", file), (row) => texts.some((text) => row.includes(text))).map((found) => ({ file, ...found })),
  );
}
