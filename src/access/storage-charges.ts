// Whose storage quotas an audit event counts against, by its actor and hospital.
import { SELF_CARE_HOSPITAL_ID } from "../platform/db/schema.ts";
import {
  SELF_CARE_ACCOUNT_RESERVE,
  SHARED_PART,
  STORAGE_LIMITS,
  type StorageAccount,
  type StorageCharge,
} from "../platform/storage-quotas.ts";
import type { Actor } from "./actor.ts";
import type { AuditEvent } from "./audit-event.ts";

/** Ends the name of the event that a change outside of D1 has begun (begun-change.ts). */
export const BEGIN_SUFFIX = "_begin";
const allOf = (reason: string, ...events: string[]) =>
  Object.fromEntries(events.flatMap((event) => [event, `${event}${BEGIN_SUFFIX}`]).map((event) => [event, reason]));

/**
 * Writes that no quota refuses: the start of monitoring and the care of an alarm, the end of rights, and operations that have a
 * separate limit. Everything else with the action C or U counts. Their audit rows per day are limited (row-allowance.ts).
 */
export const UNCOUNTED_EVENTS: Readonly<Record<string, string>> = {
  ...allOf("care of an alarm", "alert.acknowledge", "alert.assign", "alert.snooze", "alert.resolve"),
  "device.assign": "starts monitoring; assignments per device and per patient are limited",
  "monitoring.update": "starts monitoring; one row per patient",
  "alert_rule.update": "starts monitoring; one row per patient or ward and vital sign",
  ...allOf(
    "vital signs raise alarms; the patient's object bounds samples per sender and day",
    "observation.create",
    "observation_set.create",
  ),
  "observation.amend": "what observation.amend_begin began and counted; a refusal would leave a sample amended",
  "observation.file": "what observation.file_begin began and counted; a refusal would leave samples stored and their entry held",
  ...allOf("care of an alarm; replaces the pause of the patient", "observation_pause.update"),
  "observation.ingest": "delivered by the patient's object, one event per device and day",
  "care_team.leave": "ends a right",
  ...allOf("care of a patient who is present", "encounter.note", "encounter.pause", "encounter.resume", "encounter.finish"),
  ...allOf("once per appointment", "appointment.cancel", "appointment.check_in", "appointment.fulfil", "appointment.noshow"),
  "report.sign": "once per version; ends what waits for it",
  "consent.deny": "refuses a right; once per request",
  "consent.revoke": "ends a right; once per consent",
  "consent.offer_withdraw": "ends a right; once per code",
  "guardian.end": "ends a right; once per guardianship",
  "document_request.cancel": "ends a right; once per request",
  "document.entered_in_error": "withdraws a document; once per document",
  "device.unassign": "ends a right",
  "emergency_access.start": "a refusal would cost time in an emergency; at most 50 per person and day",
  "emergency_access.end": "ends a right",
  "erasure.request": "ends with the deletion of data; at most 50 per record",
  "erasure.approve": "deletes data; once per request",
  "erasure.reject": "once per request",
  "patient_hold.set": "the law may require it; at most 200 per record",
  "patient_hold.release": "once per hold",
  "retention.update": "one row per hospital",
  "user.password_change": "security of the account; replaces a row",
  "user.password_reset": "security of the account; replaces a row, and the link counts",
  "user.unlock": "security of the account; deletes rows",
  "session.switch": "replaces a row",
  "import_grant.create": "ends a refusal; only platform administrators",
  "legal_hold.set": "one row per hospital; only platform administrators",
};

const isPatient = (actor: Actor) => actor.kind === "user" && actor.claimedRole.role === "patient";
/** Machines and patients may send any number of reads, each of which is an audit event; staff is never refused a read. */
const countsReads = (actor: Actor) => actor.kind === "app" || actor.kind === "device" || isPatient(actor);

/** Bytes of events that an actor's reads may add to a log per UTC day; null: no quota. */
export function readBytesPerDay(actor: Actor): number | null {
  if (actor.kind === "app" || actor.kind === "device") return STORAGE_LIMITS[actor.kind].records.day;
  return isPatient(actor) ? STORAGE_LIMITS.patient.records.day : null;
}

/** The charge of a batch with this event; null for events that count against no quota. */
export function toStorageCharge(actor: Actor, now: number, event: AuditEvent): StorageCharge | null {
  const { action, outcome = "success", hospitalId = null, storedFiles, derivedBytes = 0 } = event;
  const isWrite = action === "C" || action === "U";
  const isRead = action === "R" && countsReads(actor);
  if (actor.kind === "system" || outcome !== "success" || !(isWrite || isRead) || event.event in UNCOUNTED_EVENTS) return null;
  const grantId = event.importGrant === undefined ? actor.via.importGrant : event.importGrant;
  return {
    now,
    account: findAccount(actor, event.entity),
    hospital: hospitalId === null ? null : toHospital(actor, hospitalId),
    files: { bytes: storedFiles?.bytes ?? 0, counts: storedFiles?.counts ?? "both" },
    derivedBytes,
    dayOnly: isRead,
    grantId: isWrite ? (grantId ?? null) : null,
  };
}

export const hospitalLimits = (hospitalId: string) =>
  hospitalId === SELF_CARE_HOSPITAL_ID ? STORAGE_LIMITS.selfCare : STORAGE_LIMITS.hospital;

/** Staff may use all of their hospital's quotas; patients, devices and apps together a part of them. */
function toHospital(actor: Actor, hospitalId: string): StorageCharge["hospital"] {
  const isStaff = actor.kind === "user" && !isPatient(actor);
  const reserve = hospitalId === SELF_CARE_HOSPITAL_ID ? SELF_CARE_ACCOUNT_RESERVE : null;
  return { hospitalId, limits: hospitalLimits(hospitalId), part: isStaff ? 1 : SHARED_PART, reserve };
}

/**
 * The account that an actor's bytes count against. An anonymous request counts against the account that it creates.
 * The token of a staff account that acts as a patient names no staff role: the database decides its limits.
 */
export function findAccount(actor: Actor, entity?: AuditEvent["entity"]): StorageAccount | null {
  switch (actor.kind) {
    case "user":
      return isPatient(actor) ? { userId: actor.userId } : { userId: actor.userId, limits: STORAGE_LIMITS.staff };
    case "device":
      return { deviceCredentialId: actor.credentialId };
    case "app":
      return { credentialId: actor.credentialId, limits: STORAGE_LIMITS.app };
    default:
      return entity?.type === "user" ? { userId: entity.id } : null;
  }
}
