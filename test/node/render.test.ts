// The fast SQL renderer gives drizzle's result, text and parameters, for every kind of chunk.
import { and, eq, inArray, type SQL, sql } from "drizzle-orm";
import { QueryBuilder, SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fastRender } from "../../src/platform/db/render.ts";
import { patients, reports } from "../../src/platform/db/schema.ts";

const dialect = new SQLiteSyncDialect();
const byDrizzle = (query: SQL) => {
  const { sql: text, params } = dialect.sqlToQuery(query);
  return { sql: text, params };
};
const render = fastRender((query) => dialect.sqlToQuery(query));

function expectSame(query: SQL): void {
  const { sql: text, params } = render(query);
  expect({ sql: text, params }).toEqual(byDrizzle(query));
}

const subquery = new QueryBuilder().select({ id: reports.id }).from(reports).where(eq(reports.kind, "ecg")).limit(3);

describe("the renderer of SQL", () => {
  it.each<[string, SQL]>([
    ["values", sql`SELECT ${1}, ${"a"}, ${null}, ${0}, ${""}, ${-1.5} FROM x`],
    ["tables and columns", sql`SELECT ${patients.id}, ${patients.wardId} FROM ${patients} JOIN ${reports} ON 1`],
    ["nested pieces", sql`a ${sql`b ${sql`c ${1}`} ${2}`} ${sql``} ${3}`],
    ["nothing", sql`a ${undefined} b`],
    ["lists", sql`a IN ${["x", "y"]} AND b IN ${[]}`],
    ["joined pieces", sql.join([sql`a = ${1}`, sql`b = ${2}`], sql` AND `)],
    ["raw text", sql`${sql.raw("count(*)")} > ${1}`],
    ["identifiers", sql`SELECT ${sql.identifier('we"ird')}`],
    ["aliases", sql`SELECT ${sql`1`.as("one")}`],
    ["subqueries", sql`id IN (${subquery}) AND n > ${7}`],
    ["inlined values", sql`a = ${sql`${"it's"}`.inlineParams()} AND b = ${2}`],
    ["conditions of drizzle", sql`WHERE ${and(eq(patients.id, "p"), inArray(patients.active, [0, 1]), undefined)}`],
    ["buffers and booleans", sql`${true} ${new Uint8Array([1])} ${{ a: 1 }}`],
  ])("gives what drizzle gives: %s", (_, query) => expectSame(query));

  it("renders random trees as drizzle does", () => {
    const leaf: fc.Arbitrary<unknown> = fc.oneof(
      fc.string(),
      fc.double(),
      fc.constantFrom(null, undefined, patients, patients.id, reports.kind, sql.raw("x"), eq(patients.id, "p"), ["a", 1]),
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("tree"), { maxLength: 4 }).map((parts) =>
          sql.join(
            parts.map((part) => sql`${part}`),
            sql`, `,
          ),
        ),
        fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => sql`(${a} OR ${b})`),
      ),
    }));
    fc.assert(fc.property(tree, (part) => expectSame(sql`SELECT ${part}`)));
  });
});
