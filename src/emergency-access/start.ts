// Begins an emergency access: who may, for which record, how often, and whom it is told to.
import { type SQL, sql } from "drizzle-orm";
import { type Call, getActorId } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import { failWithAudit } from "../access/deny.ts";
import { selectDelay } from "../access/emergency.ts";
import { type Access, accessFields, withPatient } from "../access/patient-access.ts";
import { failsUnless, hasRecentSecondStep } from "../access/sign-in.ts";
import type { KeyStatements } from "../http/idempotency.ts";
import { batch, isRoleChanged, type Statement } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { visibleText } from "../platform/text.ts";
import { DAY_MS, utcDayOf } from "../platform/time.ts";
import { openReview } from "../privacy/reviews/open-review.ts";
import { notifyOfMany, notifyPatient } from "./notices.ts";
import { type EmergencyAccess, type EmergencyRow, sealReason, toEmergencyAccess, unsealReason } from "./rows.ts";

export const EMERGENCY_MS = 60 * 60_000;
/** Accesses of one person per UTC day. */
export const MAX_PER_DAY = 50;

export type EmergencyInput = { patientId: string; reason: string };
type Earlier = Pick<EmergencyRow, "id" | "patientId" | "reasonSealed" | "startedAt">;
type Start = { call: Call; access: Access; ownPatientId: string; earlier: readonly Earlier[]; reason: string };

/** One person's accesses of the last 24 hours: at most twice MAX_PER_DAY. */
const recentOf = (userId: string, now: number): SQL =>
  sql`emergency_accesses WHERE user_id = ${userId} AND started_at > ${now - DAY_MS}`;

/**
 * Opens one record to the caller for 60 minutes. Accesses of the same person that begin at once are counted one after the other, and
 * those to one record compare their reasons.
 * @throws ApiError not_found, forbidden, conflict (no need, or no new reason), rate_limited
 */
export async function startEmergency(call: Call, input: EmergencyInput, keyStatements: KeyStatements): Promise<EmergencyAccess> {
  // Each failed attempt is due to an access that the same person has begun.
  for (let attempt = 0; attempt <= MAX_PER_DAY; attempt++) {
    const start = await checkStart(call, input, keyStatements);
    const row = await writeStart(start, keyStatements);
    if (row) return toEmergencyAccess(call.keys, row, call.now, false);
  }
  throw new ApiError("unavailable");
}

async function checkStart(call: Call, { patientId, reason }: EmergencyInput, keyStatements: KeyStatements): Promise<Start> {
  const userId = getActorId(call.actor);
  const { access, results } = await withPatient(
    call,
    { patient: patientId },
    "emergency_access:create",
    () => [
      call.db.all<Earlier>(sql`SELECT id, patient_id AS patientId, reason_sealed AS reasonSealed, started_at AS startedAt
        FROM ${recentOf(userId, call.now)}`),
    ],
    { forEmergency: true },
  );
  const { ownPatientId } = access;
  if (access.basis !== "emergency" || ownPatientId === undefined)
    return failWithAudit(call, "conflict", startEvent(access), "The record is open to you without an emergency access.");
  const [earlier] = results;
  await assertFewToday(call, access, earlier);
  if (await isKnownReason(call, access, earlier, reason)) {
    await assertNewKey(call, keyStatements);
    await failWithAudit(call, "conflict", startEvent(access), "A further access to the record needs a new reason.");
  }
  return { call, access, ownPatientId, earlier, reason };
}

const startOfDay = (now: number) => utcDayOf(now) * DAY_MS;

async function assertFewToday(call: Call, access: Access, earlier: readonly Earlier[]): Promise<void> {
  const start = startOfDay(call.now);
  if (earlier.filter(({ startedAt }) => startedAt >= start).length < MAX_PER_DAY) return;
  const event = { ...startEvent(access), outcome: "failed", reason: "rate_limited" } as const;
  await batch(call.db, recordAuditEvent(call.db, call.actor, call.now, event));
  throw new ApiError("rate_limited", `At most ${MAX_PER_DAY} emergency accesses per person and UTC day.`, {
    headers: { "Retry-After": String(Math.ceil((start + DAY_MS - call.now) / 1000)) },
  });
}

const foldReason = (reason: string) => visibleText(reason.normalize("NFKC")).toLowerCase();

/** Of one person and record within 24 hours, no two accesses have reasons that look the same. */
async function isKnownReason(call: Call, access: Access, earlier: readonly Earlier[], reason: string): Promise<boolean> {
  const ofRecord = earlier.filter(({ patientId }) => patientId === access.patient.id);
  const reasons = await Promise.all(ofRecord.map((row) => unsealReason(call.keys, row)));
  return reasons.some((one) => foldReason(one) === foldReason(reason));
}

/** Fails as a replay where the request with the same key has begun the access meanwhile (http/idempotency.ts). */
async function assertNewKey({ db }: Call, keyStatements: KeyStatements): Promise<void> {
  await batch(db, [...keyStatements(uuidv7()), failsUnless(db, sql`0`)]).catch((error: unknown) => {
    if (!isRoleChanged(error)) throw error;
  });
}

const startEvent = (access: Access) =>
  ({
    ...accessFields(access),
    event: "emergency_access.start",
    action: "C",
    purpose: "BTG",
    actorHospitalId: access.effectiveRole?.hospitalId ?? null,
    subjects: [access.patient.id],
  }) as const;

/** @returns null if another access of the person to the record, or the last one of the day, has begun meanwhile */
async function writeStart(start: Start, keyStatements: KeyStatements): Promise<EmergencyRow | null> {
  const { call, earlier } = start;
  const { db, now } = call;
  const row = await newRow(start);
  const ofRecord = earlier.filter(({ patientId }) => patientId === row.patientId);
  const isCurrent = sql`(SELECT count(*) FROM ${recentOf(row.userId, now)} AND patient_id = ${row.patientId}) = ${ofRecord.length}
    AND (SELECT count(*) FROM ${recentOf(row.userId, now)} AND started_at >= ${startOfDay(now)}) < ${MAX_PER_DAY}`;
  try {
    await batch(db, [...keyStatements(row.id), failsUnless(db, isCurrent), ...(await startStatements(start, row))]);
    return row;
  } catch (error) {
    if (isRoleChanged(error)) return null;
    throw error;
  }
}

async function newRow({ call, access, ownPatientId, reason }: Start): Promise<EmergencyRow> {
  const { keys, actor, now } = call;
  const id = uuidv7();
  return {
    id,
    hospitalId: access.effectiveRole?.hospitalId ?? "",
    userId: getActorId(actor),
    patientId: access.patient.id,
    recordHospitalId: access.hospitalId,
    ownPatientId,
    reasonSealed: await sealReason(keys, id, reason),
    steppedUp: Number(hasRecentSecondStep(access.effectiveRole, now)),
    startedAt: now,
    endsAt: now + EMERGENCY_MS,
    endedAt: null,
    patientNotifiedAt: null,
  };
}

const insertRow = ({ db }: Call, row: EmergencyRow): Statement =>
  db.run(sql`INSERT INTO emergency_accesses (id, hospital_id, user_id, patient_id, record_hospital_id, own_patient_id, reason_sealed,
      stepped_up, started_at, ends_at, patient_notified_at)
    VALUES (${row.id}, ${row.hospitalId}, ${row.userId}, ${row.patientId}, ${row.recordHospitalId}, ${row.ownPatientId},
      ${row.reasonSealed}, CAST(${row.steppedUp} AS INTEGER), CAST(${row.startedAt} AS INTEGER), CAST(${row.endsAt} AS INTEGER),
      iif(EXISTS (${selectDelay(row.patientId, row.userId, row.startedAt)}), NULL, CAST(${row.startedAt} AS INTEGER)))`);

/** The access, its event and its review, at the hospital of the record and at the reader's; and the notices. */
async function startStatements({ call, access, reason }: Start, row: EmergencyRow): Promise<Statement[]> {
  const { db, actor, now } = call;
  const { id, hospitalId, userId, patientId, recordHospitalId, ownPatientId } = row;
  const places = [
    { hospitalId: recordHospitalId, patientId },
    ...(recordHospitalId === hospitalId ? [] : [{ hospitalId, patientId: ownPatientId }]),
  ];
  const review = { kind: "emergency", refId: id, subjectUserId: userId, text: reason, event: null } as const;
  const isFlagged = row.steppedUp === 0;
  const reviews = await Promise.all(places.map((place) => openReview(call, { ...review, ...place, isFlagged })));
  const entity = { type: "emergency_access", id };
  const event = { ...startEvent(access), entity, detail: { emergency_access_id: id, second_step: !isFlagged } };
  return [
    insertRow(call, row),
    ...places.flatMap((place) =>
      recordAuditEvent(db, actor, now, { ...event, hospitalId: place.hospitalId, subjects: [place.patientId] }),
    ),
    ...reviews.flatMap(({ statements }) => statements),
    ...notifyPatient(db, actor, now, row),
    ...notifyOfMany(db, actor, now, { userId, hospitalId, from: startOfDay(now) }),
  ];
}
