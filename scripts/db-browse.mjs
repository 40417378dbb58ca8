// `npm run db:browse`: list the tables of the local database with their row counts, or the rows of one SQL query.
import { parseArgs } from "node:util";
import { requireDevelopment, stateFolder } from "./lib/development.mjs";
import { openDatabase, tablesOf } from "./lib/local-database.mjs";
import { table } from "./lib/table.mjs";

const USAGE = `usage: npm run db:browse                            list the tables with their row counts
       npm run db:browse -- "SELECT ..." [--json]   print the rows of a query, as a table or one JSON object per line`;

requireDevelopment();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});

function browse() {
  const database = openDatabase(stateFolder());
  if (!database) throw new Error(`There is no database in ${stateFolder()} yet: run \`npm start\` or \`npm run reset\`.`);
  const [sql] = positionals;
  // biome-ignore lint/plugin: the developer's own query, on a read-only connection.
  if (sql) return database.prepare(sql).all();
  // biome-ignore lint/plugin: names from the schema.
  const rowsOf = (name) => database.prepare(`SELECT count(*) AS n FROM "${name}"`).get()?.n;
  return tablesOf(database).map((name) => ({ table: name, rows: rowsOf(name) }));
}

if (values.help || positionals.length > 1) {
  console.error(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  try {
    const rows = browse();
    if (values.json) for (const row of rows) console.log(JSON.stringify(row));
    else console.log(rows.length > 0 ? table(rows) : "No rows.");
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
