// A person's own notifications, as the portal shows them.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserActor, UserCall } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, type KnownEvent, recordAuditEvent, toListEvents } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { unsealProfile } from "../../access/profile.ts";
import { buildOpenEndedPagination, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { toIso } from "../../platform/time.ts";
import type { Refs } from "../notify.ts";

/** A larger number of unread notifications is this one. */
export const MAX_COUNTED = 1_000;

type Row = {
  id: string;
  kind: string;
  priority: "alarm" | "security" | "normal";
  hospitalId: string | null;
  refs: string;
  createdAt: number;
  readAt: number | null;
  guardianId: string | null;
  guardianProfile: string | null;
};
const COLUMNS = sql`id, kind, priority, hospital_id AS hospitalId, refs, created_at AS createdAt, read_at AS readAt,
  refs ->> 'guardian_id' AS guardianId,
  (SELECT g.profile_sealed FROM users g WHERE g.id = refs ->> 'guardian_id') AS guardianProfile`;
/** Sort values of the list: unread ones come first. */
const UNREAD = 1;
const READ = 0;

const isUnreadOf = ({ userId }: UserActor): SQL => sql`user_id = ${userId} AND read_at IS NULL`;
/** The number of unread notifications, as a subquery. */
export const unreadCount = (actor: UserActor): SQL =>
  sql`(SELECT count(*) FROM (SELECT 1 FROM notifications WHERE ${isUnreadOf(actor)} LIMIT ${MAX_COUNTED}))`;
const countUnread = (db: Db, actor: UserActor) => db.all<{ n: number }>(sql`SELECT ${unreadCount(actor)} AS n`);

/** Lists the caller's notifications: unread ones first, then read ones, each newest first. */
export async function listNotifications(anyCall: Call, query: PageQuery) {
  const start = await resolvePageStart(anyCall, "notifications", query);
  const { after, limit, skip } = start;
  const before = (group: number): SQL => (after?.value === group ? sql`id < ${after.id}` : sql`1`);
  const { call, effectiveRole, results } = await withUser(anyCall, "notification:read", (_, { db, actor }) => [
    db.all<Row>(sql`SELECT ${COLUMNS} FROM notifications WHERE ${isUnreadOf(actor)} AND ${before(UNREAD)}
      ORDER BY id DESC LIMIT ${after?.value === READ ? 0 : limit + skip + 1}`),
    db.all<Row>(sql`SELECT ${COLUMNS} FROM notifications WHERE user_id = ${actor.userId} AND read_at IS NOT NULL AND ${before(READ)}
      ORDER BY id DESC LIMIT ${limit + skip + 1}`),
    countUnread(db, actor),
  ]);
  const [unread, read, [counted]] = results;
  const rows = [...unread, ...read].slice(skip);
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const end = last ? { value: last.readAt === null ? UNREAD : READ, id: last.id } : null;
  const pagination = buildOpenEndedPagination(start, page.length, end);
  const stored = appendPatientReads(call, effectiveRole, page);
  return {
    items: await Promise.all(page.map((row) => toNotification(call, row))),
    pagination: await afterAudit(stored, pagination),
    unread_count: counted?.n ?? 0,
  };
}

/** A list that names patients is a read of their data; one that names none has no event. */
async function appendPatientReads(call: UserCall, { role }: { role: KnownEvent["role"] }, rows: readonly Row[]): Promise<void> {
  const naming = rows.filter((row) => patientOf(row) !== null);
  if (naming.length === 0) return;
  const events = toListEvents(
    naming,
    (row) => row.hospitalId,
    null,
    (ofHospital) => ({
      event: "notification.list",
      action: "R",
      ...(role && { role }),
      subjects: ofHospital.flatMap((row) => patientOf(row) ?? []),
      detail: { count: ofHospital.length },
    }),
  );
  await appendAuditEvent(call, events);
}

function patientOf({ refs }: Pick<Row, "refs">): string | null {
  const id = (JSON.parse(refs) as Refs)["patient_id"];
  return typeof id === "string" ? id : null;
}

const toNotification = async (call: UserCall, row: Row) => ({
  id: row.id,
  kind: row.kind,
  priority: row.priority,
  hospital_id: row.hospitalId,
  refs: JSON.parse(row.refs) as Record<string, string | number>,
  guardian_name: await guardianNameOf(call, row),
  created_at: toIso(row.createdAt),
  read_at: row.readAt === null ? null : toIso(row.readAt),
});

/** The name stands in no message: a mail or a text may be read by others. */
async function guardianNameOf(
  { keys }: UserCall,
  { guardianId: id, guardianProfile: profileSealed }: Row,
): Promise<string | null> {
  return id === null || profileSealed === null ? null : (await unsealProfile(keys, { id, profileSealed })).full_name;
}

/** The number of unread notifications, which names nobody and has no audit event. */
export async function getUnreadCount(anyCall: Call) {
  const { results } = await withUser(anyCall, "notification:read", (_, { db, actor }) => [countUnread(db, actor)]);
  return { unread_count: results[0][0]?.n ?? 0 };
}

/** Marks one as read; a repetition changes nothing. @throws ApiError not_found (audited) */
export async function markRead(anyCall: Call, id: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "notification:write", (_, { db, actor }) => [
    db.all<{ readAt: number | null }>(
      sql`SELECT read_at AS readAt FROM notifications WHERE user_id = ${actor.userId} AND id = ${id}`,
    ),
    countUnread(db, actor),
  ]);
  const [[row], [counted]] = results;
  const { role, hospitalId } = effectiveRole;
  const target = { notification: id };
  if (!row) return denyAccess(call, "notification:write", "not_found", { role, hospitalId, target });
  if (row.readAt !== null) return { unread_count: counted?.n ?? 0 };
  return markUnread(call, sql`id = ${id}`, { role, hospitalId, entity: { type: "notification", id } });
}

/** Marks all as read, or all up to the newest that the caller has seen: later ones stay unread. */
export async function markAllRead(anyCall: Call, upTo: string | undefined) {
  const { call, effectiveRole } = await withUser(anyCall, "notification:write", () => []);
  const { role, hospitalId } = effectiveRole;
  return markUnread(call, upTo === undefined ? sql`1` : sql`id <= ${upTo}`, { role, hospitalId });
}

async function markUnread(call: UserCall, which: SQL, facts: Pick<KnownEvent, "role" | "hospitalId" | "entity">) {
  const { db, actor, now } = call;
  const results = await batch(db, [
    db.run(sql`UPDATE notifications SET read_at = CAST(${now} AS INTEGER) WHERE ${isUnreadOf(actor)} AND ${which}`),
    ...recordAuditEvent(db, actor, now, { event: "notification.read", action: "U", ...facts, when: sql`changes() > 0` }),
    countUnread(db, actor),
  ]);
  const [counted] = results.at(-1) as { n: number }[];
  return { unread_count: counted?.n ?? 0 };
}
