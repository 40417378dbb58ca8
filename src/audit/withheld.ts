// Entries that a person's own log does not show yet: those of emergency access whose notice a privacy officer delays. They would tell
// what the delay holds back; they are shown when it ends.
import { sql } from "drizzle-orm";
import type { UserActor, UserEffectiveRole } from "../access/actor.ts";
import { selectDelay } from "../access/emergency.ts";
import type { LogEntry, LogPosition } from "../audit-log/contract.ts";
import { type LogPage, MAX_LISTED_ENTRIES, readLogs } from "../audit-log/read-logs.ts";
import type { Keys } from "../platform/config.ts";
import type { Db } from "../platform/db/client.ts";
import type { VisibleLog } from "./visible-logs.ts";

/** Withheld accesses that are told apart from others. Beyond it every entry about emergency access is withheld. */
const MAX_ACCESSES = 1_000;

/** `access` with its `reviews` (JSON), or null for a delay that runs. `since`: when either began, Unix ms. */
export type WithheldRow = { access: string | null; reviews: string | null; since: number };

/** Selects the accesses to own records whose notice is delayed, and the delays of own records; nothing for staff. */
export function selectWithheld(db: Db, { role }: UserEffectiveRole, { userId }: UserActor, now: number) {
  const own = sql`(SELECT l.patient_id FROM patient_links l WHERE l.user_id = ${userId})`;
  const reviews = sql`(SELECT json_group_array(r.id) FROM privacy_reviews r WHERE r.ref_id = e.id AND r.kind = 'emergency')`;
  const isDelayed = sql`e.patient_notified_at IS NULL AND EXISTS (${selectDelay(sql`e.patient_id`, sql`e.user_id`, now)})`;
  if (role !== "patient") return db.all<WithheldRow>(sql`SELECT NULL AS access, NULL AS reviews, 0 AS since WHERE 0`);
  return db.all<WithheldRow>(sql`SELECT e.id AS access, ${reviews} AS reviews, e.started_at AS since
      FROM emergency_accesses e WHERE e.patient_id IN ${own} AND ${isDelayed}
    UNION ALL SELECT e.id, ${reviews}, e.started_at
      FROM emergency_accesses e WHERE e.own_patient_id IN ${own} AND e.own_patient_id <> e.patient_id AND ${isDelayed}
    UNION ALL SELECT NULL, NULL, d.set_at FROM notice_delays d WHERE d.patient_id IN ${own} AND d.until > ${now}
    LIMIT ${MAX_ACCESSES + 1}`);
}

/** Whether an entry is withheld from its person. */
export type IsWithheld = (entry: Pick<LogEntry, "event" | "recorded" | "basis" | "entity" | "detail">) => boolean;

/** @param rows of `selectWithheld`; none: nothing is withheld */
export function withheldBy(rows: readonly WithheldRow[]): IsWithheld {
  if (rows.length === 0) return () => false;
  const ids = new Set(rows.flatMap(({ access, reviews }) => [access, ...JSON.parse(reviews ?? "[]")]));
  const isCut = rows.length > MAX_ACCESSES;
  const since = isCut ? 0 : Math.min(...rows.map((row) => row.since));
  return (entry) => {
    const named = namedIds(entry);
    if (named.some((id) => ids.has(id))) return true;
    // An attempt that failed names no access, but shows that there was one.
    return entry.recorded >= since && isOfEmergency(entry) && (isCut || named.length === 0);
  };
}

const isOfEmergency = ({ event, basis, entity, detail }: Parameters<IsWithheld>[0]): boolean =>
  basis === "emergency" ||
  event.startsWith("emergency_access.") ||
  (entity?.type === "privacy_review" && detail?.["kind"] === "emergency") ||
  event === "privacy_review.list";

/** Ids of accesses and reviews that an entry names: as its entity, or in its detail. */
function namedIds({ entity, detail }: Parameters<IsWithheld>[0]): unknown[] {
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
 * with later ones, and its last position is that of an entry that it shows.
 */
export async function readShown(
  { env, keys, logs }: Source,
  before: LogPosition | null,
  limit: number,
  isWithheld: IsWithheld,
): Promise<LogPage> {
  let page = await readLogs(env, keys, logs, before, limit);
  const shown = page.entries.filter((entry) => !isWithheld(entry));
  let isShort = shown.length < page.entries.length;
  for (let reads = 1; isShort && page.next !== null && shown.length < limit && reads < MAX_READS; reads++) {
    page = await readLogs(env, keys, logs, page.next, MAX_LISTED_ENTRIES);
    const added = page.entries.filter((entry) => !isWithheld(entry));
    shown.push(...added);
    isShort = added.length < page.entries.length;
  }
  const last = shown[limit - 1];
  if (!last) return { entries: shown, next: page.next };
  const hasMore = shown.length > limit || page.next !== null;
  return { entries: shown.slice(0, limit), next: hasMore ? { recorded: last.recorded, id: last.id } : null };
}
