// Legal holds on records of patients: while one is open, the record is not erased.
import { sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import { type Call, getActorId, type UserEffectiveRole } from "../../access/actor.ts";
import { type AuditAction, afterAudit, appendAuditEvent, recordAuditEvent, toListEvents } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import { authorizePatient, withPatient } from "../../access/patient-access.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { patientEvent } from "../../patients/patients.ts";
import { batch, isConditionFailed, isUniqueViolation } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { patientHolds } from "../../platform/db/schema.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { sealReason, unsealReason } from "./reasons.ts";

type HoldRow = typeof patientHolds.$inferSelect;

async function toHold({ keys }: Pick<Call, "keys">, row: HoldRow) {
  const { id } = row;
  const place = (column: string) => ({ table: "patient_holds" as const, column, id });
  return {
    hold_id: id,
    patient_id: row.patientId,
    hospital_id: row.hospitalId,
    reason: (await unsealReason(keys, place("reason"), row.reasonSealed)) ?? "",
    set_by: row.setBy,
    set_at: toIso(row.setAt),
    release_reason: await unsealReason(keys, place("release_reason"), row.releaseReasonSealed),
    released_by: row.releasedBy,
    released_at: toIsoOrNull(row.releasedAt),
  };
}

const holdEvent = (access: Awaited<ReturnType<typeof authorizePatient>>, event: string, action: AuditAction, id?: string) => ({
  ...patientEvent(access, event, action),
  ...(id !== undefined && { entity: { type: "patient_hold", id } }),
});

/** @throws ApiError not_found, conflict (held already, or the erasure has begun), limit_reached */
export async function setHold(call: Call, ref: string, reason: string) {
  const { db, keys, actor, now } = call;
  const access = await authorizePatient(call, { patient: ref }, "patient_hold:manage");
  const { patient, hospitalId } = access;
  const id = uuidv7();
  const event = holdEvent(access, "patient_hold.set", "C", id);
  const row = {
    id,
    patientId: patient.id,
    hospitalId,
    reasonSealed: await sealReason(keys, { table: "patient_holds", column: "reason", id }, reason),
    setBy: getActorId(actor),
    setAt: now,
  };
  const notErasing = sql`(SELECT ${patient.id} WHERE NOT EXISTS
    (SELECT 1 FROM erasures WHERE patient_id = ${patient.id} AND state = 'erasing'))`;
  try {
    await batch(db, [
      db.insert(patientHolds).values({
        ...row,
        patientId: notErasing,
        setBy: unlessFull(row.setBy, ROW_LIMITS.patientHolds, sql`patient_holds WHERE patient_id = ${patient.id}`),
      }),
      ...recordAuditEvent(db, actor, now, event),
    ]);
  } catch (error) {
    if (isUniqueViolation(error, "patient_holds")) return failWithAudit(call, "conflict", event, "The record is held.");
    if (isConditionFailed(error, "patient_holds.patient_id"))
      return failWithAudit(call, "conflict", event, "The erasure of the record has begun.");
    throw toLimitError(error, ROW_LIMITS.patientHolds);
  }
  return toHold(call, { ...row, releaseReasonSealed: null, releasedBy: null, releasedAt: null });
}

/** @throws ApiError not_found, conflict (not held) */
export async function releaseHold(call: Call, ref: string, reason: string) {
  const { db, keys, actor, now } = call;
  const { access, results } = await withPatient(call, { patient: ref }, "patient_hold:manage", (patientId) => [
    db.select().from(patientHolds).where(sql`patient_id = ${patientId} AND released_at IS NULL`),
  ]);
  const [[open]] = results;
  const event = holdEvent(access, "patient_hold.release", "U", open?.id);
  if (!open) return failWithAudit(call, "conflict", event, "The record is not held.");
  const { id } = open;
  const releaseReasonSealed = await sealReason(keys, { table: "patient_holds", column: "release_reason", id }, reason);
  const release = { releaseReasonSealed, releasedBy: getActorId(actor), releasedAt: now };
  const [[released]] = await batch(db, [
    db.update(patientHolds).set(release).where(sql`id = ${id} AND released_at IS NULL`).returning(),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  if (!released) return failWithAudit(call, "conflict", event, "The record is not held.");
  return toHold(call, released);
}

export type HoldQuery = PageQuery & { patient_id?: string | undefined };

/** The holds of the caller's hospital, newest first. */
export async function listHolds(anyCall: Call, query: HoldQuery) {
  const start = await resolvePageStart(anyCall, "patient holds", query);
  const { where = sql`1`, orderBy } = keysetClauses(start, patientHolds.setAt, patientHolds.id);
  const { call, effectiveRole, results } = await withUser(anyCall, "patient_hold:read", (effectiveRole, { db }) => {
    const isOfPatient = query.patient_id === undefined ? sql`1` : sql`${patientHolds.patientId} = ${query.patient_id}`;
    const filter = sql`${isInCallerHospital(effectiveRole, patientHolds.hospitalId)} AND ${isOfPatient}`;
    return [
      db
        .select()
        .from(patientHolds)
        .where(sql`${filter} AND ${where}`)
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM patient_holds WHERE ${filter} LIMIT ${COUNT_LIMIT + 1})`,
      ),
    ];
  });
  const [found, [counted]] = results;
  const key = (row: HoldRow) => ({ value: row.setAt, id: row.id });
  const { rows, pagination } = await buildPage(start, found, key, { n: counted?.n ?? 0, exact: false });
  const items = Promise.all(rows.map((row) => toHold(call, row)));
  return { items: await afterAudit(appendAuditEvent(call, listEvents(effectiveRole, rows)), items), pagination };
}

const listEvents = ({ role, hospitalId }: UserEffectiveRole, rows: readonly HoldRow[]) =>
  toListEvents(
    rows,
    (row) => row.hospitalId,
    hospitalId,
    (ofHospital) => ({ event: "patient_hold.list", action: "R", role, subjects: ofHospital.map(({ patientId }) => patientId) }),
  );
