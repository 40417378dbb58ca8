// Guardians: staff of a record's hospital records one, and a second member of staff confirms it.

import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import { type Call, getActorId, type UserCall, type UserEffectiveRole } from "../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../access/audit.ts";
import { denyAccess, denyNotFound, failWithAudit } from "../access/deny.ts";
import { isOpenGuardianship } from "../access/guardians.ts";
import { withPatient } from "../access/patient-access.ts";
import { isAllowedDespiteRestriction, type Permission } from "../access/permissions.ts";
import { failsUnless } from "../access/sign-in.ts";
import { tellGuardianOfWaitingRequests } from "../patients/record/waiting-requests.ts";
import { batch, isRoleChanged } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../platform/db/row-limits.ts";
import type { GUARDIAN_GROUNDS, GUARDIAN_RELATIONSHIPS } from "../platform/db/vocabulary.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { DAY_MS } from "../platform/time.ts";
import { hashGuardianCode, isUsableCode } from "./guardian-codes.ts";
import { tellGuardian, tellPerson } from "./guardian-notices.ts";
import {
  type Caller,
  type GuardianshipRow,
  isOverLogin,
  sealGuardianReason,
  selectGuardianships,
  toGuardianship,
} from "./guardian-rows.ts";

/** 18 years with their five leap days. */
export const MAX_GUARDIANSHIP_MS = (18 * 365 + 5) * DAY_MS;

export type NewGuardianship = {
  /** As `ClaimCode` returns it, of the alphabet of base 32. */
  code: string;
  relationship: (typeof GUARDIAN_RELATIONSHIPS)[number];
  ground: (typeof GUARDIAN_GROUNDS)[number];
  reason: string;
  /** Unix ms. */
  until: number;
};

function checkUntil(until: number, now: number): void {
  const message = until <= now ? "Must be in the future" : "Must be within 18 years";
  if (until > now && until <= now + MAX_GUARDIANSHIP_MS) return;
  const errors = [{ path: "until", message, code: "custom" }];
  throw new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors });
}

const toShown = async (call: Call, rows: readonly GuardianshipRow[], caller: Caller) => {
  const [row] = rows;
  if (!row) throw new ApiError("not_found");
  return toGuardianship(call.keys, row, call.now, caller);
};

/** Whether the login of the code has an open guardianship of the record. */
const isOpenFor = (guardianId: SQL, patientId: SQL, now: number): SQL => sql`EXISTS (SELECT 1 FROM guardianships g
  WHERE g.guardian_id = ${guardianId} AND g.patient_id = ${patientId} AND ${isOpenGuardianship(now)})`;

/**
 * Records the login of a code as guardian of the person of a record, to be confirmed by a second member of staff.
 * @throws ApiError not_found (record or code, the same), forbidden (the caller's own code), conflict (recorded before),
 *   invalid_request, limit_reached
 */
export async function recordGuardian(call: Call, patientRef: string, guardianship: NewGuardianship) {
  const { db, keys, actor, now } = call;
  checkUntil(guardianship.until, now);
  const codeHash = await hashGuardianCode(keys, guardianship.code);
  const { access, results } = await withPatient(call, { patient: patientRef }, "guardian:manage", (patientId) => [
    db.all<{ userId: string; isOpen: number }>(sql`SELECT k.user_id AS userId,
      ${isOpenFor(sql`k.user_id`, patientId, now)} AS isOpen FROM guardian_codes k WHERE ${isUsableCode(codeHash, now)}`),
  ]);
  const { role, basis, hospitalId, patient } = access;
  const deny = (error: "not_found" | "forbidden") =>
    denyAccess(call, "guardian:manage", error, { role, hospitalId, patientId: patient.id });
  const [code] = results[0];
  if (!code) return deny("not_found");
  if (code.userId === getActorId(actor)) return deny("forbidden");
  const id = uuidv7();
  const event = { event: "guardian.record", action: "C", role, basis, hospitalId, subjects: [patient.id] } as const;
  if (code.isOpen) return failWithAudit(call, "conflict", event, "The guardian is recorded for this record.");
  const { maxPerRecord, maxPerGuardian } = limitsOf(getActorId(actor), guardianship.relationship, patient.id, code.userId, now);
  const reasonSealed = await sealGuardianReason(keys, id, guardianship.reason);
  const isWritable = sql`EXISTS (SELECT 1 FROM guardian_codes k WHERE ${isUsableCode(codeHash, now)})
    AND NOT ${isOpenFor(sql`${code.userId}`, sql`${patient.id}`, now)}`;
  const written = await batch(db, [
    failsUnless(db, isWritable),
    db.run(sql`INSERT INTO guardianships (id, patient_id, guardian_id, relationship, reason_sealed, valid_until, recorded_by, recorded_at,
        ground)
      VALUES (${id}, ${patient.id}, ${code.userId}, ${maxPerGuardian}, ${reasonSealed}, CAST(${guardianship.until} AS INTEGER),
        ${maxPerRecord}, CAST(${now} AS INTEGER), ${guardianship.ground})`),
    db.run(sql`DELETE FROM guardian_codes WHERE code_hash = ${codeHash}`),
    ...recordAuditEvent(db, actor, now, {
      ...event,
      entity: { type: "guardianship", id },
      detail: { ground: guardianship.ground },
    }),
    ...tellPerson(call, { id, patientId: patient.id, guardianId: code.userId, hospitalId }, "recorded"),
    db.all<GuardianshipRow>(selectGuardianships(sql`g.id = ${id}`)),
  ]).catch((error: unknown) => {
    if (isRoleChanged(error)) return deny("not_found");
    throw toLimitError(error, ROW_LIMITS.recordGuardians, ROW_LIMITS.guardianRecords);
  });
  return toShown(call, written.at(-1) as GuardianshipRow[], "staff");
}

/** The values of the columns that are NULL at the limits. */
function limitsOf(recordedBy: string, relationship: string, patientId: string, guardianId: string, now: number) {
  const open = isOpenGuardianship(now);
  return {
    maxPerRecord: unlessFull(
      recordedBy,
      ROW_LIMITS.recordGuardians,
      sql`guardianships g WHERE g.patient_id = ${patientId} AND ${open}`,
    ),
    maxPerGuardian: unlessFull(
      relationship,
      ROW_LIMITS.guardianRecords,
      sql`guardianships g WHERE g.guardian_id = ${guardianId} AND ${open}`,
    ),
  };
}

export type FoundGuardianship = {
  call: UserCall;
  effectiveRole: UserEffectiveRole;
  row: GuardianshipRow;
  event: AuditEvent;
  caller: Caller;
};
const BASES = { staff: "staff", guardian: "guardian", person: "self" } as const;

/**
 * A guardianship of the caller's hospital, for a guardian their own, for a person one over them. Staff reach that of a restricted record
 * where the permission allows it. @throws ApiError not_found
 */
export async function requireGuardianship(
  anyCall: Call,
  id: string,
  permission: Permission,
  name: string,
): Promise<FoundGuardianship> {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, ({ role, hospitalId }, { db, actor }) => {
    const isVisible =
      role === "patient"
        ? sql`(g.guardian_id = ${actor.userId} OR ${isOverLogin(actor.userId)})`
        : sql`p.hospital_id = ${hospitalId ?? ""} AND (p.restricted_at IS NULL OR ${Number(isAllowedDespiteRestriction(permission))})`;
    return [db.all<GuardianshipRow>(selectGuardianships(sql`g.id = ${id} AND ${isVisible}`))];
  });
  const [row] = results[0];
  if (!row) return denyNotFound(call, permission, effectiveRole, { guardianship: id });
  const { role } = effectiveRole;
  const guardianOrPerson = row.guardianId === call.actor.userId ? "guardian" : "person";
  const caller = role === "patient" ? guardianOrPerson : "staff";
  const event: AuditEvent = {
    event: name,
    action: "U",
    role,
    basis: BASES[caller],
    hospitalId: row.hospitalId,
    entity: { type: "guardianship", id },
    subjects: [row.patientId],
  };
  return { call, effectiveRole, row, event, caller };
}

/**
 * Writes one step of a guardianship and tells both sides. Of two at once, one counts.
 * @param isReady on the row `g` as it stands
 */
export async function changeGuardianship(
  { call, row, event, caller }: FoundGuardianship,
  step: "confirmed" | "ended",
  values: SQL,
  isReady: SQL,
) {
  const { db, actor, now } = call;
  const written = await batch(db, [
    failsUnless(db, sql`EXISTS (SELECT 1 FROM guardianships g WHERE g.id = ${row.id} AND ${isReady})`),
    db.run(sql`UPDATE guardianships SET ${values} WHERE id = ${row.id}`),
    ...recordAuditEvent(db, actor, now, event),
    ...tellPerson(call, row, step),
    ...tellGuardian(call, row, step === "confirmed" ? "began" : "ended"),
    ...(step === "confirmed" ? tellGuardianOfWaitingRequests(call, row.id) : []),
    db.all<GuardianshipRow>(selectGuardianships(sql`g.id = ${row.id}`)),
  ]).catch((error: unknown) => {
    if (!isRoleChanged(error)) throw error;
    return failWithAudit(call, "conflict", event, "The guardianship is not in a state that allows this.");
  });
  return toShown(call, written.at(-1) as GuardianshipRow[], caller);
}

/**
 * Puts a guardianship in force. By another member of staff than the one who recorded it, and never by the guardian.
 * @throws ApiError not_found, forbidden (the same member of staff), conflict (confirmed, ended or expired)
 */
export async function confirmGuardian(anyCall: Call, id: string) {
  const found = await requireGuardianship(anyCall, id, "guardian:manage", "guardian.confirm");
  const { call, effectiveRole, row } = found;
  const { actor, now } = call;
  if (row.recordedBy === actor.userId || row.guardianId === actor.userId) {
    const { role, hospitalId } = effectiveRole;
    return denyAccess(call, "guardian:manage", "forbidden", { role, hospitalId, patientId: row.patientId });
  }
  const values = sql`confirmed_by = ${actor.userId}, confirmed_at = CAST(${now} AS INTEGER)`;
  const isReady = sql`g.confirmed_at IS NULL AND ${isOpenGuardianship(now)}`;
  return changeGuardianship(found, "confirmed", values, isReady);
}
