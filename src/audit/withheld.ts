// Entries that a person's own log does not show yet: those of emergency access whose notice a privacy officer delays. They would tell
// what the delay holds back; they are shown when it ends.
import { type SQL, sql } from "drizzle-orm";
import type { UserActor, UserEffectiveRole } from "../access/actor.ts";
import { selectDelay } from "../access/emergency.ts";
import { compareNewestFirst, type LogEntry, type LogPosition } from "../audit-log/contract.ts";
import { LOWEST_ID, type LogPage, MAX_LISTED_ENTRIES, readLogs } from "../audit-log/read-logs.ts";
import type { Keys } from "../platform/config.ts";
import type { Db } from "../platform/db/client.ts";
import type { VisibleLog } from "./visible-logs.ts";

/** Withheld accesses that are told apart from others. Beyond it every entry about emergency access is withheld. */
const MAX_ACCESSES = 1_000;

/** `access` with its `reviews` (JSON) and its reader, or nulls for a delay that runs. `since`: when either began, Unix ms. */
export type WithheldRow = { access: string | null; reviews: string | null; reader: string | null; since: number };

/**
 * Selects the accesses to own records whose notice is delayed, and the delays of own records; nothing for staff. An access that began
 * during the delay and was deleted since, with the record at the reader's hospital, is known by its review.
 */
export function selectWithheld(db: Db, { role }: UserEffectiveRole, { userId }: UserActor, now: number) {
  const own = sql`(SELECT l.patient_id FROM patient_links l WHERE l.user_id = ${userId})`;
  const isDelayed = sql`e.patient_notified_at IS NULL AND EXISTS (${selectDelay(sql`e.patient_id`, sql`e.user_id`, now)})`;
  const isRunning = sql`d.patient_id IN ${own} AND d.until > ${now}`;
  if (role !== "patient")
    return db.all<WithheldRow>(sql`SELECT NULL AS access, NULL AS reviews, NULL AS reader, 0 AS since WHERE 0`);
  return db.all<WithheldRow>(sql`SELECT e.id AS access, ${reviewsOf(sql`e.id`)} AS reviews, e.user_id AS reader, e.started_at AS since
      FROM emergency_accesses e WHERE e.patient_id IN ${own} AND ${isDelayed}
    UNION ALL SELECT e.id, ${reviewsOf(sql`e.id`)}, e.user_id, e.started_at
      FROM emergency_accesses e WHERE e.own_patient_id IN ${own} AND e.own_patient_id <> e.patient_id AND ${isDelayed}
    UNION ALL SELECT v.ref_id, ${reviewsOf(sql`v.ref_id`)}, v.subject_user_id, v.opened_at
      FROM notice_delays d JOIN privacy_reviews v ON v.patient_id = d.patient_id AND v.kind = 'emergency'
      WHERE ${isRunning} AND v.opened_at >= d.set_at AND v.subject_user_id <> d.set_by
        AND NOT EXISTS (SELECT 1 FROM emergency_accesses e WHERE e.id = v.ref_id)
    UNION ALL SELECT NULL, NULL, NULL, d.set_at FROM notice_delays d WHERE ${isRunning}
    LIMIT ${MAX_ACCESSES + 1}`);
}

const reviewsOf = (accessId: SQL) =>
  sql`(SELECT json_group_array(r.id) FROM privacy_reviews r WHERE r.ref_id = ${accessId} AND r.kind = 'emergency')`;

/** What decides about an entry. */
type Judged = Pick<LogEntry, "event" | "recorded" | "basis" | "entity" | "detail" | "actor">;

/** Whether an entry is withheld from its person. */
export type IsWithheld = (entry: Judged) => boolean;

/** For `readShown`: null for staff, from whom nothing is withheld. */
export const withheldFrom = ({ role }: UserEffectiveRole, rows: readonly WithheldRow[]): IsWithheld | null =>
  role === "patient" ? withheldBy(rows) : null;

/** @param rows of `selectWithheld`; none: nothing is withheld */
export function withheldBy(rows: readonly WithheldRow[]): IsWithheld {
  if (rows.length === 0) return () => false;
  const ids = new Set(rows.flatMap(({ access, reviews }) => [access, ...JSON.parse(reviews ?? "[]")]));
  const readers = new Set(rows.flatMap(({ reader }) => reader ?? []));
  const isCut = rows.length > MAX_ACCESSES;
  const since = isCut ? 0 : Math.min(...rows.map((row) => row.since));
  return (entry) => {
    const named = namedIds(entry);
    if (named.some((id) => ids.has(id))) return true;
    if (entry.recorded < since) return false;
    // A denial of the reader shows that they wanted the record: what they tried before, beside and after the access.
    if (entry.event === "access.denied") return isCut || isDeniedStart(entry) || readers.has(entry.actor.id ?? "");
    // An attempt that failed names no access, but shows that there was one.
    return isOfEmergency(entry) && (isCut || named.length === 0);
  };
}

const isDeniedStart = ({ detail }: Judged): boolean => String(detail?.["action"]).startsWith("emergency_access:");

const isOfEmergency = ({ event, basis, entity, detail }: Judged): boolean =>
  basis === "emergency" ||
  event.startsWith("emergency_access.") ||
  (entity?.type === "privacy_review" && detail?.["kind"] === "emergency") ||
  event === "privacy_review.list";

/** Ids of accesses and reviews that an entry names: as its entity, or in its detail. */
function namedIds({ entity, detail }: Judged): unknown[] {
  const { emergency_access_id: id, emergency_access_ids: ids, review_ids: reviewIds } = detail ?? {};
  const isNamed = entity?.type === "emergency_access" || entity?.type === "privacy_review";
  return [...(isNamed ? [entity.id] : []), ...(id === undefined ? [] : [id]), ...[ids, reviewIds].flatMap(toList)];
}

const toList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Reads of one page: at most so many entries in a row that are withheld, times MAX_LISTED_ENTRIES. */
const MAX_READS = 20;

type Source = { env: Env; keys: Pick<Keys, "audit">; logs: VisibleLog[] };

/**
 * A page as `readLogs` returns it, without what is withheld. Neither its length nor its end shows that entries are missing: it is filled
 * with later ones, every full page has a next one, even if that is empty, and no position is that of a withheld entry.
 * @param isWithheld null: the log of staff, exactly as `readLogs` returns it  @param maxReads lower in tests
 */
export async function readShown(
  { env, keys, logs }: Source,
  before: LogPosition | null,
  limit: number,
  isWithheld: IsWithheld | null,
  maxReads = MAX_READS,
): Promise<LogPage> {
  let page = await readLogs(env, keys, logs, before, limit);
  if (!isWithheld) return page;
  const shown = page.entries.filter((entry) => !isWithheld(entry));
  let isShort = shown.length < page.entries.length;
  for (let reads = 1; isShort && page.next !== null && shown.length < limit && reads < maxReads; reads++) {
    page = await readLogs(env, keys, logs, page.next, MAX_LISTED_ENTRIES);
    const added = page.entries.filter((entry) => !isWithheld(entry));
    shown.push(...added);
    isShort = added.length < page.entries.length;
  }
  const last = shown[limit - 1];
  if (last) return { entries: shown.slice(0, limit), next: toPosition(last) };
  return { entries: shown, next: page.next && hideEntry(page.next, shown.at(-1), before) };
}

const toPosition = ({ recorded, id }: LogPosition): LogPosition => ({ recorded, id });

/**
 * The position in place of `next` that names no withheld entry: that of the last shown entry if it has the same time, else that time.
 * Withheld entries of the time are read again, shown ones are not. @param before where the page began
 */
function hideEntry(next: LogPosition, last: LogPosition | undefined, before: LogPosition | null): LogPosition {
  if (next.id === LOWEST_ID) return next;
  if (last?.recorded === next.recorded) return toPosition(last);
  const rounded = { recorded: next.recorded + 1, id: LOWEST_ID };
  // More entries of one millisecond than all reads of a page return: the list must go on.
  return before && compareNewestFirst(before, rounded) >= 0 ? next : rounded;
}
