// Deliveries as administrators see them: what was sent by which channel, and what became of it. Addresses are not in the rows.
import { type SQL, sql } from "drizzle-orm";
import { requireRole, withUser } from "../../access/access.ts";
import type { Call, UserEffectiveRole } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent, toListEvents } from "../../access/audit.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import { unsealProfile } from "../../access/profile.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { buildOpenEndedPagination, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import type { Keys } from "../../platform/config.ts";
import { unsealValue } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { deliveries } from "../../platform/db/schema.ts";
import type { DELIVERY_STATUSES } from "../../platform/db/vocabulary.ts";
import { toIso } from "../../platform/time.ts";
import type { DeliveryChannel } from "../channel.ts";
import type { Priority } from "../kinds.ts";
import type { Refs } from "../notify.ts";
import { readQuietEnds } from "./choices.ts";
import { answerContext } from "./ledger.ts";

export type DeliveryQuery = PageQuery & {
  channel?: DeliveryChannel | undefined;
  status?: (typeof DELIVERY_STATUSES)[number] | undefined;
  kind?: string | undefined;
};

/** Rows that one page looks at, at most; a page of rare deliveries may be shorter than asked. */
export const MAX_SCANNED = 1_000;
/** Characters of the provider's answer that are shown. */
const MAX_SHOWN_ANSWER = 200;

type Row = {
  id: string;
  userId: string | null;
  hospitalId: string | null;
  channel: DeliveryChannel;
  targetId: string;
  kind: string;
  priority: Priority;
  refs: string;
  status: (typeof DELIVERY_STATUSES)[number];
  attempts: number;
  nextAttemptAt: number | null;
  answerStatus: number | null;
  answerSealed: string | null;
  createdAt: number;
  attemptedAt: number | null;
  settledAt: number | null;
  bodyHasDetails: number;
  /** Of a recipient without a hospital: those of a hospital are among its members. */
  profileSealed: string | null;
};
const COLUMNS = sql`id, user_id AS userId, hospital_id AS hospitalId, channel, target_id AS targetId, kind, priority, refs, status,
  attempts, next_attempt_at AS nextAttemptAt, answer_status AS answerStatus, answer_sealed AS answerSealed, created_at AS createdAt,
  attempted_at AS attemptedAt, settled_at AS settledAt, body_has_details AS bodyHasDetails,
  iif(hospital_id IS NULL, (SELECT u.profile_sealed FROM users u WHERE u.id = user_id), NULL) AS profileSealed`;

const isResendable = ({ status }: Pick<Row, "status">): boolean => status === "failed" || status === "unknown";

/** Lists deliveries of the caller's hospital, newest first; platform administrators see all. */
export async function listDeliveries(anyCall: Call, query: DeliveryQuery) {
  const start = await resolvePageStart(anyCall, "deliveries", query);
  const { after, limit, skip } = start;
  const { channel, status, kind } = query;
  const matches = [channel && sql`channel = ${channel}`, status && sql`status = ${status}`, kind && sql`kind = ${kind}`].filter(
    (filter): filter is SQL => filter !== undefined,
  );
  const { call, effectiveRole, results } = await withUser(anyCall, "delivery:read", (effectiveRole, { db }) => {
    const scanned = sql`SELECT * FROM deliveries WHERE ${isInCallerHospital(effectiveRole, deliveries.hospitalId)}
      AND ${after ? sql`id < ${after.id}` : sql`1`} ORDER BY id DESC LIMIT ${MAX_SCANNED}`;
    return [
      db.all<Row>(sql`SELECT ${COLUMNS} FROM (${scanned}) WHERE ${sql.join([sql`1`, ...matches], sql` AND `)}
        ORDER BY id DESC LIMIT ${limit + skip + 1}`),
      db.all<{ n: number; last: string | null }>(
        matches.length === 0 ? sql`SELECT 0 AS n, NULL AS last` : sql`SELECT count(*) AS n, min(id) AS last FROM (${scanned})`,
      ),
    ];
  });
  const [found, [scanned]] = results;
  const rows = found.slice(skip, skip + limit);
  const lastShown = found.length > skip + limit ? rows.at(-1)?.id : undefined;
  const lastScanned = scanned?.n === MAX_SCANNED ? (scanned.last ?? undefined) : undefined;
  const id = lastShown ?? lastScanned;
  const pagination = buildOpenEndedPagination(start, rows.length, id === undefined ? null : { value: 0, id });
  const { role, hospitalId } = effectiveRole;
  const events = toListEvents(
    rows,
    (row) => row.hospitalId,
    hospitalId,
    (ofHospital) => ({
      event: "delivery.list",
      action: "R",
      role,
      subjects: ofHospital.flatMap(patientsOf),
      detail: { count: ofHospital.length },
    }),
  );
  const items = toDeliveries(call, rows);
  return { items: await afterAudit(appendAuditEvent(call, events), items), pagination: await pagination };
}

function patientsOf({ refs }: Pick<Row, "refs">): string[] {
  const id = (JSON.parse(refs) as Refs)["patient_id"];
  return typeof id === "string" ? [id] : [];
}

async function toDeliveries({ db, keys, now }: Pick<Call, "db" | "keys" | "now">, rows: readonly Row[]) {
  const later = rows.filter(({ status, nextAttemptAt }) => status === "waiting" && nextAttemptAt !== null && nextAttemptAt > now);
  const quietEnds = await readQuietEnds(db, later, now);
  return Promise.all(rows.map((row) => toDelivery(keys, row, quietEnds)));
}

async function toDelivery(keys: Keys, row: Row, quietEnds: ReadonlyMap<string, number> = new Map()) {
  return {
    delivery_id: row.id,
    user_id: row.userId,
    user_name: await readName(keys, row),
    hospital_id: row.hospitalId,
    channel: row.channel,
    target_id: row.targetId,
    kind: row.kind,
    priority: row.priority,
    refs: JSON.parse(row.refs) as Record<string, string | number>,
    status: row.status,
    attempts: row.attempts,
    next_attempt_at: row.nextAttemptAt === null ? null : toIso(row.nextAttemptAt),
    is_held_by_quiet_hours: row.nextAttemptAt !== null && quietEnds.get(row.id) === row.nextAttemptAt,
    answer_status: row.answerStatus,
    answer: row.answerSealed === null ? null : await readAnswer(keys, row),
    can_resend: isResendable(row),
    created_at: toIso(row.createdAt),
    attempted_at: row.attemptedAt === null ? null : toIso(row.attemptedAt),
    settled_at: row.settledAt === null ? null : toIso(row.settledAt),
  };
}

async function readName(keys: Keys, { userId, profileSealed }: Row): Promise<string | null> {
  if (userId === null || profileSealed === null) return null;
  return (await unsealProfile(keys, { id: userId, profileSealed })).full_name;
}

/**
 * The beginning of the provider's answer, which may repeat an address, a phone number or a URL: they are left out. Of accepted mail it is
 * the Message-ID, by which the provider finds it.
 */
async function readAnswer(keys: Keys, { id, channel, status, answerSealed }: Row): Promise<string> {
  const text = String(await unsealValue(keys.fields, answerContext(id), answerSealed ?? ""));
  if (channel === "email" && status === "accepted") return text.slice(0, MAX_SHOWN_ANSWER);
  const words = text.split(/(\s)/).map((word) => (word.includes("@") || word.includes("://") ? "…" : word));
  return words
    .join("")
    .replace(/\+?\d(?:[ ()-]?\d){6,}/g, "…")
    .slice(0, MAX_SHOWN_ANSWER);
}

/** Selects a delivery that the caller may see. @throws ApiError not_found (audited) */
async function requireDelivery(anyCall: Call, id: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "delivery:manage", (effectiveRole, { db }) => [
    db.all<Row>(sql`SELECT ${COLUMNS} FROM deliveries WHERE id = ${id}
      AND ${isInCallerHospital(effectiveRole, deliveries.hospitalId)}`),
  ]);
  const [row] = results[0];
  const { role, hospitalId } = effectiveRole;
  // Not as the target: an id of a delivery is no UUID.
  if (!row) return denyAccess(call, "delivery:manage", "not_found", { role, hospitalId });
  return { call, effectiveRole, row };
}

export type Resent = { delivery: Awaited<ReturnType<typeof toDelivery>>; due: { id: string; priority: Priority } | null };

/**
 * Makes a delivery that has failed, or whose fate is unknown, due again: one more attempt, or what is left of its retries.
 * A body with clinical data needs a recent sign-in.
 * @throws ApiError not_found, step_up_required, conflict (any other status)
 */
export async function resendDelivery(anyCall: Call, id: string, keyStatements: KeyStatements): Promise<Resent> {
  const { call, effectiveRole, row } = await requireDelivery(anyCall, id);
  const { db, actor, now, keys } = call;
  const event = resendEvent(effectiveRole, row);
  if (!isResendable(row)) return failWithAudit(call, "conflict", event);
  if (row.bodyHasDetails === 1) await requireRole(anyCall, "webhook:include_data");
  const results = await batch(db, [
    ...keyStatements(row.id),
    db.all<{ id: string }>(sql`UPDATE deliveries SET status = 'waiting', next_attempt_at = CAST(${now} AS INTEGER),
        leased_until = NULL, settled_at = NULL
      WHERE id = ${id} AND status IN ('failed', 'unknown') AND body_has_details = ${row.bodyHasDetails} RETURNING id`),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  const isChanged = results.some((rows) => Array.isArray(rows) && rows.some((each) => (each as { id?: unknown }).id === id));
  if (!isChanged) return failWithAudit(call, "conflict", event);
  const delivery = await toDelivery(keys, { ...row, status: "waiting", nextAttemptAt: now, settledAt: null });
  return { delivery, due: { id, priority: row.priority } };
}

/** The answer to a repeated request. */
export async function replayResend(anyCall: Call, id: string): Promise<Resent> {
  const { call, row } = await requireDelivery(anyCall, id);
  return { delivery: await toDelivery(call.keys, row), due: null };
}

const resendEvent = ({ role }: UserEffectiveRole, row: Row) => ({
  event: "delivery.resend",
  action: "U" as const,
  role,
  hospitalId: row.hospitalId,
  entity: { type: "delivery", id: row.id },
  subjects: patientsOf(row),
});
