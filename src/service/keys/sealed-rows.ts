// The sealed columns of a table as a store: values are opened and sealed again for the same place.
import { sql } from "drizzle-orm";
import { z } from "zod";
import { type SealContext, sealValue, unsealValue } from "../../platform/crypto.ts";
import type { Db } from "../../platform/db/client.ts";
import { countRows, isAfter, keyIdOfValue, list } from "./row-windows.ts";
import type { SealedColumn, SealedTable } from "./sealed-columns.ts";
import { addCount, type Cursor, type KeyCounts, type SealedStore, type SealingJob, type SealStep } from "./sealed-store.ts";

/** Bounds of a step: rows that are read, and characters of sealed values. One value alone may be longer. */
const MAX_ROWS = 500;
const MAX_CHARACTERS = 400_000;
/** Format, key id and the random nonce: the beginning of a sealed value says which one it is. */
const IDENTIFYING_CHARACTERS = 64;

/** Per column: the sealed value if it is not under the current key, else null; then the id and the version that it is bound to. */
const Values = z.array(z.tuple([z.string().nullable(), z.string().nullable(), z.number()]));
const Key = z.array(z.union([z.string(), z.number()]));

type Row = { key: Cursor; values: z.infer<typeof Values> };
type Replacement = { key: Cursor; old: string; sealed: string };

/** @param where rows that have sealed values; all by default */
export function sealedRows(table: SealedTable, where = sql`1`): SealedStore {
  return {
    name: table.name,
    weight: 1,
    count: ({ db }, cursor) =>
      countRows(db, { ...table, keyIds: table.columns.map(({ column }) => keyIdOfValue(column)), where }, cursor),
    seal: (job, cursor) => sealRows(job, table, where, cursor),
  };
}

async function sealRows(job: SealingJob, table: SealedTable, where: ReturnType<typeof sql>, cursor: Cursor | null) {
  const { rows, next } = await selectRows(job, table, where, cursor);
  const step: SealStep = { next, sealed: {}, failed: 0, waiting: 0 };
  for (const [i, column] of table.columns.entries()) {
    const { replacements, failed } = await sealColumn(job, table, column, rows, i);
    step.failed += failed;
    await replaceValues(job.db, table, column, replacements, step.sealed);
  }
  return step;
}

async function selectRows({ db, ring }: SealingJob, table: SealedTable, where: ReturnType<typeof sql>, cursor: Cursor | null) {
  const isDue = ({ column }: SealedColumn) =>
    sql`${column} IS NOT NULL AND substr(${column}, 1, ${ring.currentKid.length + 4}) <> ${`s1.${ring.currentKid}.`}`;
  const values = table.columns.map(
    (sealed) => sql`json_array(iif(${isDue(sealed)}, ${sealed.column}, NULL), ${sealed.id}, ${sealed.version ?? sql`0`})`,
  );
  const lengths = table.columns.map((sealed) => sql`iif(${isDue(sealed)}, length(${sealed.column}), 0)`);
  const part = (i: number) => sql.identifier(`key_${i}`);
  const keyParts = table.key.map((column, i) => sql`${column} AS ${part(i)}`);
  const first = sql`SELECT ${list(keyParts)}, json_array(${list(values)}) AS sealed, ${sql.join(lengths, sql` + `)} AS characters
    FROM ${table.table} WHERE ${isAfter(table.key, cursor)} AND ${where} ORDER BY ${list(table.key)} LIMIT ${MAX_ROWS}`;
  const key = list(table.key.map((_, i) => part(i)));
  const found = await db.all<{ place: string; sealed: string }>(sql`SELECT json_array(${key}) AS place, sealed FROM
    (SELECT *, row_number() OVER (ORDER BY ${key}) AS position, sum(characters) OVER (ORDER BY ${key}) AS total FROM (${first}))
    WHERE position = 1 OR total <= ${MAX_CHARACTERS} ORDER BY position`);
  const rows = found.map(
    ({ place, sealed }): Row => ({ key: Key.parse(JSON.parse(place)), values: Values.parse(JSON.parse(sealed)) }),
  );
  return { rows, next: rows.at(-1)?.key ?? null };
}

/** Nothing is stored in clear: a value is opened and sealed in memory. One that does not open stays as it is. */
async function sealColumn({ ring }: SealingJob, table: SealedTable, { aadName }: SealedColumn, rows: readonly Row[], i: number) {
  const replacements: Replacement[] = [];
  let failed = 0;
  const seal = async ({ key, values }: Row) => {
    const [old, id, version] = values[i] ?? [null, null, 0];
    if (old === null) return;
    const context: SealContext = { table: table.name, column: aadName, id: id ?? "", version };
    try {
      replacements.push({ key, old, sealed: await sealValue(ring, context, await unsealValue(ring, context, old)) });
    } catch {
      failed++;
    }
  };
  await Promise.all(rows.map(seal));
  return { replacements, failed };
}

/** Replaces values that are still the ones that were read: a row that was changed meanwhile has a value of the current key. */
async function replaceValues(
  db: Db,
  { table, key }: SealedTable,
  { column }: SealedColumn,
  replacements: readonly Replacement[],
  sealed: KeyCounts,
): Promise<void> {
  if (replacements.length === 0) return;
  const keyIdByKey = new Map(replacements.map((value) => [JSON.stringify(value.key), value.old.split(".")[1] ?? ""]));
  const rows = replacements.map((value) => [value.old.slice(0, IDENTIFYING_CHARACTERS), value.sealed, ...value.key]);
  const isKey = key.map((part, i) => sql`${part} = j.value->>${`$[${i + 2}]`}`);
  const replaced = await db.all<{ place: string }>(sql`UPDATE ${table} SET ${sql.identifier(column.name)} = j.value->>1
    FROM json_each(${JSON.stringify(rows)}) j
    WHERE ${sql.join(isKey, sql` AND `)} AND substr(${column}, 1, ${IDENTIFYING_CHARACTERS}) = j.value->>0
    RETURNING json_array(${list(key)}) AS place`);
  for (const { place } of replaced) addCount(sealed, keyIdByKey.get(place) ?? "");
}
