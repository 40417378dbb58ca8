// Decisions on requests for erasure, by a second person: approval locks the record until it is erased.
import { type SQL, sql } from "drizzle-orm";
import type { Call, UserCall } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { failsUnless } from "../../access/sign-in.ts";
import { batch, isRoleChanged, type Statement } from "../../platform/db/client.ts";
import { findEndOfRetention } from "../retention/end-of-retention.ts";
import { erasureEvent, requireErasure, type SeenErasure, selectErasures, toErasure } from "./erasure.ts";
import { sealReason } from "./reasons.ts";

const isMonitored = (patientId: SQL) => sql`EXISTS (SELECT 1 FROM patients WHERE id = ${patientId} AND monitoring = 'ward')`;

/**
 * Approves a request: the record is locked at once, and erased when retention and holds allow it. Of several at once, one counts.
 * @throws ApiError not_found, step_up_required, conflict (decided, own request, or monitored on a ward)
 */
export async function approveErasure(env: Env, anyCall: Call, id: string) {
  const { call, effectiveRole, row, isOwnRecord } = await requireErasure(anyCall, id, "erasure:manage");
  const { db, keys, actor, now } = call;
  const event = erasureEvent(effectiveRole.role, row, "erasure.approve", "U");
  if (row.state !== "requested") return failWithAudit(call, "conflict", event, "The request has been decided.");
  // The person of the record decides on it no more than the one who asked.
  if (isOwnRecord || row.requestedBy === actor.userId)
    return failWithAudit(call, "conflict", event, "Somebody else must decide on this request.");
  const eraseOn = Math.max(now, (await findEndOfRetention(env, db, keys, row.patientId, now)) ?? now);
  const isUndecided = sql`EXISTS (SELECT 1 FROM erasures WHERE id = ${id} AND state = 'requested')`;
  const results = await batch(db, [
    failsUnless(db, sql`${isUndecided} AND NOT ${isMonitored(sql`${row.patientId}`)}`),
    db.run(sql`UPDATE erasures SET state = 'restricted', decided_by = ${actor.userId}, decided_at = CAST(${now} AS INTEGER),
        erase_on = CAST(${eraseOn} AS INTEGER) WHERE id = ${id}`),
    ...recordAuditEvent(db, actor, now, { ...event, detail: { erase_on: eraseOn } }),
    db.run(sql`UPDATE patients SET restricted_at = CAST(${now} AS INTEGER), active = 0, monitoring = 'off'
      WHERE id = ${row.patientId}`),
    db.run(sql`UPDATE patient_claim_codes SET ended_at = CAST(${now} AS INTEGER)
      WHERE patient_id = ${row.patientId} AND used_at IS NULL AND ended_at IS NULL`),
    // Messages about the patient that wait for a retry are not sent any more.
    db.run(sql`UPDATE deliveries SET status = 'cancelled', next_attempt_at = NULL, leased_until = NULL, settled_at = CAST(${now} AS INTEGER)
      WHERE next_attempt_at IS NOT NULL AND status = 'waiting' AND refs->>'patient_id' = ${row.patientId}`),
    recheckFeed(call, row.hospitalId, sql`1`),
    selectDecided(call, id, sql`1`),
  ]).catch((error: unknown) => {
    if (isRoleChanged(error)) return [];
    throw error;
  });
  return answer(call, results.at(-1) ?? [], event, "The patient is monitored on a ward, or the request has been decided.");
}

/**
 * Rejects a request, or ends the lock of one that was approved. The record stays inactive then, until staff activate it.
 * @throws ApiError not_found, step_up_required, conflict (rejected, or the erasure has begun)
 */
export async function rejectErasure(anyCall: Call, id: string, reason: string) {
  const { call, effectiveRole, row } = await requireErasure(anyCall, id, "erasure:manage");
  const { db, keys, actor, now } = call;
  const event = erasureEvent(effectiveRole.role, row, "erasure.reject", "U");
  const sealed = await sealReason(keys, { table: "erasures", column: "decision_reason", id }, reason);
  const isRejected = sql`EXISTS (SELECT 1 FROM erasures WHERE id = ${id} AND decision_reason_sealed = ${sealed})`;
  const results = await batch(db, [
    db.run(sql`UPDATE erasures SET state = 'rejected', decided_by = ${actor.userId}, decided_at = CAST(${now} AS INTEGER),
        decision_reason_sealed = ${sealed}, erase_on = NULL
      WHERE id = ${id} AND state IN ('requested', 'restricted')`),
    ...recordAuditEvent(db, actor, now, { ...event, detail: { before: row.state }, when: sql`changes() > 0` }),
    db.run(
      sql`UPDATE patients SET restricted_at = NULL WHERE id = ${row.patientId} AND restricted_at IS NOT NULL AND ${isRejected}`,
    ),
    recheckFeed(call, row.hospitalId, isRejected),
    selectDecided(call, id, isRejected),
  ]);
  return answer(call, results.at(-1), event, "The request has been rejected, or the erasure has begun.");
}

/** Live views of the hospital check again whom they may show. */
const recheckFeed = ({ db, now }: UserCall, hospitalId: string, when: SQL): Statement =>
  db.run(sql`INSERT INTO outbox (id, topic, payload, created_at, due_at)
    SELECT ${`feed:${hospitalId}`}, 'feed', ${hospitalId}, CAST(${now} AS INTEGER), CAST(${now} AS INTEGER) WHERE ${when}
    ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL`);

const selectDecided = ({ db }: UserCall, id: string, isDecided: SQL) =>
  db.all<SeenErasure>(selectErasures(sql`erasures.id = ${id} AND ${isDecided}`));

/** @param rows the erasure, if the decision is that of this call */
async function answer(call: UserCall, rows: unknown, event: ReturnType<typeof erasureEvent>, refusal: string) {
  const [decided] = rows as SeenErasure[];
  return decided ? toErasure(call, decided) : failWithAudit(call, "conflict", event, refusal);
}
