// Devices that patients register as their own: assigned to their record from the start, and to no other.
import { sql } from "drizzle-orm";
import { type Call, getActorId } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import { roleFromToken } from "../access/effective-role.ts";
import { authorizePatient } from "../access/patient-access.ts";
import { OWN_RECORD } from "../access/patient-row.ts";
import type { KeyStatements } from "../http/idempotency.ts";
import { COUNTER_SCOPES, incrementCounters } from "../platform/counters.ts";
import { batch } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../platform/db/row-limits.ts";
import { deviceAssignments, devices } from "../platform/db/schema.ts";
import type { DEVICE_KINDS } from "../platform/db/vocabulary.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { unlessTooMany } from "./assignments.ts";
import { createDevice, type NewDevice, toDevice } from "./devices.ts";

/** What people have at home. A bedside monitor and a gateway are a hospital's: their silence is a fault of the ward. */
const OWN_DEVICE_KINDS: readonly (typeof DEVICE_KINDS)[number][] = ["wearable", "ecg", "oxygen", "cpap", "bipap"];

/** Registers a device of the hospital, or of the patient who calls. @throws ApiError as createDevice, registerOwnDevice */
export function registerDevice(call: Call, input: NewDevice, keyStatements: KeyStatements) {
  const { actor } = call;
  const isPatient = actor.kind === "user" && roleFromToken(actor).role === "patient";
  return isPatient ? registerOwnDevice(call, input, keyStatements) : createDevice(call, input, keyStatements);
}

/** @throws ApiError not_found, patient_ambiguous, invalid_request, conflict (closed record), limit_reached */
async function registerOwnDevice(call: Call, input: NewDevice, keyStatements: KeyStatements) {
  const { kind, name, manufacturer, model, serial_number: serialNumber } = input;
  const target = input.patient_id === undefined ? OWN_RECORD : { patient: input.patient_id };
  const { patient, role, basis, hospitalId } = await authorizePatient(call, target, "own_device:create");
  if (input.hospital_id !== undefined)
    throw new ApiError("invalid_request", "hospital_id is for staff: a patient's device belongs to the own record.");
  if (!OWN_DEVICE_KINDS.includes(kind))
    throw new ApiError("invalid_request", `A patient's own device is one of ${OWN_DEVICE_KINDS.join(", ")}.`);
  if (patient.active !== 1) throw new ApiError("conflict", "The patient record is closed.");
  const { db, actor, now } = call;
  const id = uuidv7();
  const createdBy = getActorId(actor);
  const stamps = { createdBy, createdAt: now, updatedAt: now, active: 1, clockSkewMs: null, version: 1 };
  const ownership = { ownerPatientId: patient.id, lastSyncedAt: null };
  const row = { id, hospitalId, kind, name, manufacturer, model, serialNumber, ...stamps, ...ownership };
  const owned = sql`devices WHERE owner_patient_id = ${patient.id}`;
  await batch(db, [
    ...keyStatements(id),
    db.insert(devices).values({
      ...row,
      name: unlessFull(name, ROW_LIMITS.currentOwnDevices, sql`${owned} AND active = 1`),
      kind: unlessFull(kind, ROW_LIMITS.ownDevices, owned),
    }),
    db.insert(deviceAssignments).values({
      ...{ id: uuidv7(), deviceId: id, startedAt: now },
      ...unlessTooMany(patient.id, id, createdBy, now),
    }),
    incrementCounters(db, [{ scope: COUNTER_SCOPES.all, day: 0, name: "devices", n: 1 }]),
    ...recordAuditEvent(db, actor, now, {
      ...{ event: "device.create", action: "C", role, basis, hospitalId },
      entity: { type: "device", id },
      subjects: [patient.id],
      detail: { is_patient_owned: true },
    }),
  ]).catch((error: unknown) => {
    const limits = [ROW_LIMITS.currentOwnDevices, ROW_LIMITS.ownDevices, ROW_LIMITS.recentPatientAssignments] as const;
    throw toLimitError(error, ...limits);
  });
  return toDevice(row, patient.id);
}
