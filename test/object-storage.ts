// Export and import of a Durable Object's SQLite as JSON, for fixtures.

type Cell = string | number | null | { base64: string };
export type StorageDump = { schema: string[]; rows: Record<string, Record<string, Cell>[]> };

/** A fixture file: an object as one version of the code left it, and that code's responses. */
export type ObjectFixture = { object: string; name: string; storage: StorageDump; answers: Record<string, unknown> };

/** The tables of the object, without the platform's own, which cannot be read. */
const TABLES =
  "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND sql IS NOT NULL ORDER BY name";

/** The indexes that migrations created; dropping a table drops its own. */
const INDEXES = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";

export function dumpStorage(sql: SqlStorage): StorageDump {
  const tables = sql.exec<{ name: string; sql: string }>(TABLES).toArray();
  const rows = tables.map(({ name }) => {
    const query = `SELECT * FROM "${name}"`;
    return [name, sql.exec(query).toArray().map(encodeRow)] as const;
  });
  const indexes = sql.exec<{ sql: string }>(INDEXES).toArray();
  return { schema: [...tables, ...indexes].map((created) => created.sql), rows: Object.fromEntries(rows) };
}

/** Replaces everything in the object. Evict it afterwards: its memory still has the old state. */
export function loadStorage(sql: SqlStorage, { schema, rows }: StorageDump): void {
  for (const { name } of sql.exec<{ name: string }>(TABLES).toArray()) {
    const drop = `DROP TABLE "${name}"`;
    sql.exec(drop);
  }
  for (const statement of schema) sql.exec(statement);
  for (const [table, found] of Object.entries(rows)) {
    for (const row of found) {
      const names = Object.keys(row);
      const marks = names.map(() => "?").join();
      const insert = `INSERT INTO "${table}" (${names.map((name) => `"${name}"`).join()}) VALUES (${marks})`;
      sql.exec(insert, ...Object.values(row).map(decodeCell));
    }
  }
}

function encodeRow(row: Record<string, SqlStorageValue>): Record<string, Cell> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, encodeCell(value)]));
}

function encodeCell(value: SqlStorageValue): Cell {
  return value instanceof ArrayBuffer ? { base64: Buffer.from(value).toString("base64") } : value;
}

function decodeCell(cell: Cell): SqlStorageValue {
  if (cell === null || typeof cell !== "object") return cell;
  return new Uint8Array(Buffer.from(cell.base64, "base64")).buffer;
}
