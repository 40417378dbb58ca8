// Renders drizzle's SQL objects to text and parameters without drizzle's class lookup per chunk, for lower CPU cost.
import { Column, Param, SQL, StringChunk, sql, Table } from "drizzle-orm";
import type { Query } from "drizzle-orm/sql/sql";

export type Render = (query: SQL) => Query;
type Out = { sql: string; params: unknown[] };

/** @param drizzle renders chunks not handled here: aliases, subqueries, placeholders */
export function fastRender(drizzle: Render): Render {
  // Tables and columns live as long as the isolate.
  const names = new WeakMap<object, string>();
  const nameOf = (named: Table | Column) => {
    const known = names.get(named) ?? drizzle(sql`${named}`).sql;
    names.set(named, known);
    return known;
  };
  const addByDrizzle = (out: Out, chunk: unknown) => {
    const query = drizzle(sql`${chunk}`);
    out.sql += query.sql;
    out.params.push(...query.params);
  };
  const addParam = (out: Out, value: unknown) => {
    out.sql += "?";
    out.params.push(value);
  };
  const addChunk = (out: Out, chunk: unknown) => {
    if (typeof chunk === "string" || typeof chunk === "number" || chunk === null) addParam(out, chunk);
    else if (chunk instanceof StringChunk) for (const text of chunk.value) out.sql += text;
    else if (chunk instanceof SQL && !isInlined(chunk)) for (const inner of chunk.queryChunks) addChunk(out, inner);
    else if (chunk instanceof Param) addValue(out, chunk);
    else if (chunk instanceof Column || chunk instanceof Table) out.sql += nameOf(chunk);
    else if (chunk !== undefined) addByDrizzle(out, chunk);
  };
  const addValue = (out: Out, param: Param) => {
    const value: unknown = param.value === null ? null : param.encoder.mapToDriverValue(param.value);
    if (typeof value === "object" && value !== null) addByDrizzle(out, param);
    else addParam(out, value);
  };
  return (query) => {
    const out: Out = { sql: "", params: [] };
    addChunk(out, query);
    return out;
  };
}

/** Not exported by drizzle. */
const isInlined = (query: SQL) => Reflect.get(query, "shouldInlineParams") === true;
