// Pagination by cursor (signed, bound to caller and filters) or by offset.
import { z } from "@hono/zod-openapi";
import { asc, desc, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { type Actor, type Call, getActorId } from "../access/actor.ts";
import { fromBase64Url, toBase64Url } from "../platform/crypto.ts";
import { ApiError } from "../platform/errors.ts";
import { signToken, verifyToken } from "../platform/signed-token.ts";
import type { Pagination } from "./router.ts";

/** Position of the last row: sort value, id, and number of rows up to it. */
const CursorPosition = z.tuple([z.number(), z.string(), z.number()]);
const MAX_OFFSET = 10_000;
export const COUNT_LIMIT = 10_000;

/** An integer query parameter: digits only, no sign, no exponent. */
export function integerParam(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, "Must be a whole number")
    .transform(Number)
    .refine((n) => n >= min && n <= max, `Must be between ${min} and ${max}`)
    .openapi({ type: "integer", minimum: min, maximum: max });
}

/** A query parameter that is `true` or `false`. */
export const booleanParam = z
  .enum(["true", "false"])
  .transform((text) => text === "true")
  .openapi({ type: "boolean" });

export const pageQuery = {
  limit: integerParam(1, 100).default(20).openapi({ example: 20, default: 20 }),
  // A larger offset is its own error, which names the cursor.
  offset: integerParam(0, 999_999_999).default(0).openapi({ example: 0, default: 0, maximum: MAX_OFFSET }),
  cursor: z.string().max(600).optional(),
};
export type PageQuery = { limit: number; offset: number; cursor?: string | undefined };

/** Start of a page (after a row, or at an offset), and the function that signs the next cursor. */
export type PageStart = {
  after: { value: number; id: string } | null;
  /** Number of rows before the page. */
  offset: number;
  /** The SQL OFFSET; 0 with a cursor. */
  skip: number;
  limit: number;
  createCursor: (value: number, id: string, position: number) => Promise<string>;
};

/** The values a cursor is bound to: caller, list and filters. */
function cursorBinding(actor: Actor, list: string, filters: object): string[] {
  const entries = Object.entries(filters).filter(([k, v]) => v !== undefined && !["cursor", "limit", "offset"].includes(k));
  return ["cursor", getActorId(actor), list, JSON.stringify(entries.sort(([a], [b]) => a.localeCompare(b)))];
}

/** @throws ApiError invalid_cursor, offset_too_large, invalid_request (cursor and offset together) */
export async function resolvePageStart({ keys, actor }: Call, list: string, query: PageQuery & object): Promise<PageStart> {
  const { limit, offset, cursor } = query;
  const bindingParts = cursorBinding(actor, list, query);
  const createCursor = (...last: [value: number, id: string, position: number]) => {
    const payload = toBase64Url(new TextEncoder().encode(JSON.stringify(last)));
    return signToken(keys.link, payload, ".", [...bindingParts, payload]);
  };
  if (offset > MAX_OFFSET) throw new ApiError("offset_too_large");
  if (cursor === undefined) return { after: null, offset, skip: offset, limit, createCursor };
  if (offset > 0) throw new ApiError("invalid_request", "Use either cursor or offset.");
  const encoded = await verifyToken(keys.link, cursor, ".", (payload) => [...bindingParts, payload]);
  const payload = encoded === null ? null : fromBase64Url(encoded);
  if (!payload) throw new ApiError("invalid_cursor");
  const [value, id, position] = CursorPosition.parse(JSON.parse(new TextDecoder().decode(payload)));
  return { after: { value, id }, offset: position, skip: 0, limit, createCursor };
}

/** Rows after the start, in the order of (column, id): newest first unless `ascending`. */
export function keysetClauses(start: PageStart, column: SQLiteColumn | SQL, id: SQLiteColumn, ascending = false) {
  const where: SQL | undefined = start.after
    ? ascending
      ? sql`(${column}, ${id}) > (${start.after.value}, ${start.after.id})`
      : sql`(${column}, ${id}) < (${start.after.value}, ${start.after.id})`
    : undefined;
  return { where, orderBy: ascending ? [asc(column), asc(id)] : [desc(column), desc(id)] };
}

/**
 * The keys of a page over several groups, such as patients or hospitals, each of which an index lists in the order of the page: takes
 * the length of the page from each group, instead of reading and sorting all rows.
 * @param groups selects `id`  @param page selects the rows of the group `g.id` as `picked`, ordered and limited
 */
export const pickFromGroups = (groups: SQL, page: SQL): SQL =>
  sql`SELECT j.value FROM (${groups}) g, json_each((SELECT json_group_array(picked) FROM (${page}))) j`;

/** A page of rows that are all in memory, in their order. */
export function slicePage<T>(start: PageStart, rows: readonly T[]): Promise<{ rows: T[]; pagination: Pagination }> {
  const fromStart = rows.slice(start.offset, start.offset + start.limit + 1);
  return buildPage(start, fromStart, () => ({ value: 0, id: "" }), { n: rows.length, exact: true });
}

/** A page before its cursor is signed for a caller. `end`: its last position, null at the end of the list. */
export type CutPage<T> = { rows: T[]; end: { value: number; id: string } | null; total: { n: number; exact: boolean } };

/**
 * Cuts a page from up to limit + 1 rows; the extra row shows that more follow.
 * @param key the sort value and id of a row  @param total at most COUNT_LIMIT + 1
 */
export function cutPage<T>(
  { limit }: PageStart,
  rows: readonly T[],
  key: (row: T) => { value: number; id: string },
  total: { n: number; exact: boolean },
): CutPage<T> {
  const pageRows = rows.slice(0, limit);
  const last = rows.length > limit ? pageRows.at(-1) : undefined;
  return { rows: pageRows, end: last ? key(last) : null, total };
}

/** @param length of the page */
export async function paginate(
  { limit, offset, createCursor }: PageStart,
  length: number,
  { end, total }: Pick<CutPage<unknown>, "end" | "total">,
): Promise<Pagination> {
  return {
    limit,
    offset,
    total: total.exact ? total.n : Math.min(total.n, COUNT_LIMIT),
    total_is_exact: total.exact || total.n <= COUNT_LIMIT,
    has_more: end !== null,
    next_cursor: end ? await createCursor(end.value, end.id, offset + length) : null,
  };
}

/** Builds a page from up to limit + 1 rows, as `cutPage` and `paginate` do. */
export async function buildPage<T>(
  start: PageStart,
  allRows: readonly T[],
  key: (row: T) => { value: number; id: string },
  total: { n: number; exact: boolean },
): Promise<{ rows: T[]; pagination: Pagination }> {
  const page = cutPage(start, allRows, key, total);
  return { rows: page.rows, pagination: await paginate(start, page.rows.length, page) };
}

/**
 * Pagination of a list that is not counted, whose pages may end before `limit`.
 * @param length of the page  @param end its last position; null at the end of the list
 */
export async function buildOpenEndedPagination(
  { limit, offset, createCursor }: PageStart,
  length: number,
  end: { value: number; id: string } | null,
): Promise<Pagination> {
  const position = offset + length;
  return {
    limit,
    offset,
    total: position,
    total_is_exact: end === null,
    has_more: end !== null,
    next_cursor: end ? await createCursor(end.value, end.id, position) : null,
  };
}
