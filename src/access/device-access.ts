// The access of a device: whom its credential may write for, and which of its own uploads it may read.
import { batch } from "../platform/db/client.ts";
import type { Call, DeviceActor } from "./actor.ts";
import { credentialExists, type Device, markUsed, selectDeviceAndPatient, toDevice } from "./credentials.ts";
import { denyAccess } from "./deny.ts";
import { OWN_RECORD, type PatientRow, type PatientTarget } from "./patient-row.ts";
import { findDeviceScope, type Permission } from "./permissions.ts";

/** The access that a device has to a patient, as `Access` (access.ts). */
type GrantedDevice = {
  patient: PatientRow;
  basis: "device";
  role: "device";
  hospitalId: string;
  deviceId: string;
  assignedAt: number | null;
  isPatientOwned: boolean;
  effectiveRole: null;
};

export type DeviceAccess = Device & { access: GrantedDevice | null };

/**
 * Resolves the device of a credential and, if permitted, the patient. Devices write for the patient they are bound to and
 * read the reports they uploaded, without the patient (reports/reading/report.ts).
 * @param at the time of the assignment that counts, Unix ms; null: the current one
 * @throws ApiError unauthenticated for a credential that is unknown, revoked or expired, forbidden without the scope
 */
export async function resolveDeviceAccess(
  call: Call,
  actor: DeviceActor,
  target: PatientTarget,
  permission: Permission,
  at: number | null = null,
): Promise<DeviceAccess> {
  const { db, now } = call;
  const [[row]] = await batch(db, [selectDeviceAndPatient(db, actor, target, now, at), markUsed(db, actor, now)]);
  if (!row) return denyAccess(call, permission, "unauthenticated", { role: "device", target, when: credentialExists(actor) });
  const device = toDevice(row);
  const scope = findDeviceScope(permission);
  if (scope && !row.scopes.split(" ").includes(scope))
    return denyAccess(call, permission, "forbidden", { role: "device", hospitalId: row.device_hospital, target });
  const isMeasurementUpload = permission === "report:create" || permission === "observation:create";
  const isAllowed = (isMeasurementUpload && row.bound) || (permission === "report:read" && row.own && row.restricted_at === null);
  if (!row.id || !isAllowed) return { ...device, access: null };
  const asDevice = { basis: "device", role: "device", effectiveRole: null, assignedAt: at } as const;
  const { isPatientOwned } = device;
  return {
    ...device,
    access: { ...asDevice, isPatientOwned, patient: row, hospitalId: row.hospital_id, deviceId: row.device_id },
  };
}

/** @throws ApiError not_found without access, forbidden if no device may do it */
export async function authorizeDevice(
  call: Call,
  actor: DeviceActor,
  target: PatientTarget,
  permission: Permission,
): Promise<GrantedDevice> {
  const { access, hospitalId } = await resolveDeviceAccess(call, actor, target, permission);
  if (access) return access;
  const isNeverAllowed = findDeviceScope(permission) === undefined;
  return denyAccess(call, permission, isNeverAllowed ? "forbidden" : "not_found", { role: "device", hospitalId, target });
}

/** Records that a device may not act as a user or an app. @throws ApiError always */
export async function denyDevice(call: Call, actor: DeviceActor, permission: Permission): Promise<never> {
  const { hospitalId } = await resolveDeviceAccess(call, actor, OWN_RECORD, permission);
  return denyAccess(call, permission, "forbidden", { role: "device", hospitalId });
}
