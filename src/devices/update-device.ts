// Updates, deactivation and reactivation of devices.
import { and, eq, sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import { failWithAudit } from "../access/deny.ts";
import { type ExpectedVersion, matchVersion } from "../http/conditional-requests.ts";
import { batch, isUniqueViolation } from "../platform/db/client.ts";
import { devices } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { endOpenAssignment } from "./assignments.ts";
import { revokeUnusedCodes } from "./claim-codes.ts";
import { deviceEvent, requireDevice, toDevice } from "./devices.ts";

export type DeviceChange = {
  name?: string | undefined;
  manufacturer?: string | null | undefined;
  model?: string | null | undefined;
  serial_number?: string | null | undefined;
  is_active?: true | undefined;
};

const matchesVersion = (id: string, version: number) => and(eq(devices.id, id), eq(devices.version, version));

/**
 * @param expected the versions that the caller has read
 * @throws ApiError not_found, precondition_failed, already_exists (serial number)
 */
export async function updateDevice(anyCall: Call, id: string, expected: ExpectedVersion, change: DeviceChange) {
  const { call, effectiveRole, device, assignment } = await requireDevice(anyCall, id, "device:manage");
  const version = matchVersion(expected, device.version);
  if (change.is_active && device.ownerPatientId !== null)
    throw new ApiError("conflict", "A patient's device that was removed is registered again.");
  const { db, actor, now } = call;
  const event = {
    ...deviceEvent(effectiveRole, device, "device.update", "U", assignment ? [assignment.patientId] : []),
    detail: { fields: Object.keys(change) },
  };
  const { name = device.name, manufacturer = device.manufacturer, model = device.model, is_active } = change;
  const { serial_number: serialNumber = device.serialNumber } = change;
  const active = is_active ? 1 : device.active;
  try {
    const [[after]] = await batch(db, [
      db
        .update(devices)
        .set({ name, manufacturer, model, serialNumber, active, updatedAt: now, version: version + 1 })
        .where(matchesVersion(id, version))
        .returning(),
      ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
    ]);
    if (after) return toDevice(after, assignment?.patientId ?? null);
  } catch (error) {
    if (isUniqueViolation(error, "devices."))
      throw new ApiError("already_exists", "The hospital already has a device with this serial number.");
    throw error;
  }
  return failWithAudit(call, "precondition_failed", event);
}

/**
 * Deactivates a device: ends its assignment and claim code. Its credentials stop working (access/credentials.ts checks `active`).
 * @throws ApiError not_found, precondition_failed
 */
export async function retireDevice(anyCall: Call, id: string, expected: ExpectedVersion): Promise<void> {
  const { call, effectiveRole, device } = await requireDevice(anyCall, id, "device:manage");
  const version = matchVersion(expected, device.version);
  const { db, actor, now } = call;
  const event = deviceEvent(effectiveRole, device, "device.delete", "D");
  const isRetired = sql`EXISTS (SELECT 1 FROM devices WHERE id = ${id} AND active = 0)`;
  const [rows] = await batch(db, [
    db
      .update(devices)
      .set({ active: 0, updatedAt: now, version: version + 1 })
      .where(matchesVersion(id, version))
      .returning({ id: devices.id }),
    ...recordAuditEvent(db, actor, now, {
      ...event,
      subjectsQuery: sql`SELECT patient_id FROM device_assignments WHERE device_id = ${id} AND ended_at IS NULL`,
      when: sql`changes() > 0`,
    }),
    // An inactive device has no assignment, so this finds one only if the update above took effect.
    endOpenAssignment(call, id, isRetired),
    revokeUnusedCodes(db, id, isRetired),
  ]);
  if (rows.length === 0) return failWithAudit(call, "precondition_failed", event);
}
