// Whose storage quotas an audit event counts against, by its actor and hospital.
import { SELF_CARE_HOSPITAL_ID } from "../platform/db/schema.ts";
import { STORAGE_LIMITS, type StorageCharge } from "../platform/storage-quotas.ts";
import type { Actor } from "./actor.ts";
import type { AuditEvent } from "./audit-event.ts";

/**
 * Writes that no quota refuses: care of an alarm, the end of rights, and what a bound of its own limits. Everything else with
 * the action C or U counts.
 */
export const UNCOUNTED_EVENTS: Readonly<Record<string, string>> = {
  "alert.acknowledge": "care of an alarm",
  "alert.assign": "care of an alarm",
  "alert.snooze": "care of an alarm",
  "alert.resolve": "care of an alarm",
  "observation.create": "vital signs raise alarms; the patient's object bounds samples per sender and day",
  "observation.ingest": "delivered by the patient's object, one event per device and day",
  "care_team.leave": "ends a right",
  "device.unassign": "ends a right",
  "user.password_change": "security of the account; replaces a row",
  "user.unlock": "security of the account; deletes rows",
  "session.switch": "replaces a row",
  "import_grant.create": "ends a refusal; only platform administrators",
};

/** Machines and patients may send any number of reads, each of which is an audit event; staff is never refused a read. */
const countsReads = (actor: Actor) =>
  actor.kind === "app" || actor.kind === "device" || (actor.kind === "user" && actor.claimedRole.role === "patient");

/** The charge of a batch with this event; null for events that count against no quota. */
export function toStorageCharge(actor: Actor, now: number, event: AuditEvent): StorageCharge | null {
  const { action, outcome = "success", hospitalId = null, storedFiles, derivedBytes = 0 } = event;
  const isWrite = action === "C" || action === "U";
  const isRead = action === "R" && countsReads(actor);
  if (actor.kind === "system" || outcome !== "success" || !(isWrite || isRead) || event.event in UNCOUNTED_EVENTS) return null;
  return {
    now,
    account: toAccount(actor, event),
    hospital: hospitalId === null ? null : { subject: `h:${hospitalId}`, limits: hospitalLimits(hospitalId) },
    files: { bytes: storedFiles?.bytes ?? 0, counts: storedFiles?.counts ?? "both" },
    derivedBytes,
    dayOnly: isRead,
    grantId: isWrite ? (actor.via.importGrant ?? null) : null,
  };
}

export const hospitalLimits = (hospitalId: string) =>
  hospitalId === SELF_CARE_HOSPITAL_ID ? STORAGE_LIMITS.selfCare : STORAGE_LIMITS.hospital;

/** An anonymous request counts against the account that it creates. */
function toAccount(actor: Actor, { entity }: AuditEvent): StorageCharge["account"] {
  switch (actor.kind) {
    case "user": {
      const limits = actor.claimedRole.role === "patient" ? STORAGE_LIMITS.patient : STORAGE_LIMITS.staff;
      return { subject: `u:${actor.userId}`, limits };
    }
    case "device":
      return { credentialId: actor.credentialId, limits: STORAGE_LIMITS.device };
    case "app":
      return { subject: `m:${actor.credentialId}`, limits: STORAGE_LIMITS.app };
    default:
      return entity?.type === "user" ? { subject: `u:${entity.id}`, limits: STORAGE_LIMITS.patient } : null;
  }
}
