// The patient and the device that a request names: honoured or refused, never ignored.
import { eq, sql } from "drizzle-orm";
import type { Call, DeviceActor } from "../../access/actor.ts";
import { denyAccess } from "../../access/deny.ts";
import type { Access } from "../../access/patient-access.ts";
import type { Statement } from "../../platform/db/client.ts";
import { devices } from "../../platform/db/schema.ts";

/** As sent: a patient's id or number, a device's id. */
export type NamedOrigin = { patient?: string | undefined; device?: string | undefined };

/** Refuses a device's request in the name of another device. @throws ApiError not_found */
export function denyOtherDevice(call: Call<DeviceActor>, device: string, hospitalId: string): Promise<never> {
  return denyAccess(call, "observation:create", "not_found", { role: "device", hospitalId, target: { device } });
}

/** Checks that the device that a person or an app names is assigned to the patient. @throws ApiError not_found */
export async function requireAssignedDevice(
  call: Call,
  device: string,
  { patient, role, hospitalId }: Pick<Access, "patient" | "role" | "hospitalId">,
): Promise<void> {
  const [assignment] =
    await call.db.all(sql`SELECT 1 FROM device_assignments a JOIN devices d ON d.id = a.device_id AND d.active = 1
    WHERE a.device_id = ${device} AND a.patient_id = ${patient.id} AND a.ended_at IS NULL`);
  if (assignment) return;
  const facts = { role, hospitalId, target: { device }, patientId: patient.id };
  await denyAccess(call, "observation:create", "not_found", facts);
}

/** Notes that a person sent samples of a device that is assigned to the patient. */
export const markSynced = ({ db, now }: Call, deviceId: string): Statement =>
  db.update(devices).set({ lastSyncedAt: now }).where(eq(devices.id, deviceId));
