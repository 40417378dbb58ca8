// The device registry: create, read, list. Devices of patients: own-devices.ts.

import { and, eq, getTableColumns, isNull, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { BatchResponse } from "drizzle-orm/batch";
import { withUser } from "../access/access.ts";
import type { Call, EffectiveRole, UserActor } from "../access/actor.ts";
import { appendAuditEvent, recordAuditEvent, toListEvents } from "../access/audit.ts";
import { denyAccess } from "../access/deny.ts";
import { activeHospitalId, isInCallerHospital } from "../access/effective-role.ts";
import type { Permission } from "../access/permissions.ts";
import { patientVisibility } from "../access/visibility.ts";
import type { KeyStatements } from "../http/idempotency.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../http/pagination.ts";
import { COUNTER_SCOPES, incrementCounters } from "../platform/counters.ts";
import { batch, isConditionFailed, isUniqueViolation, type Statement } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../platform/db/row-limits.ts";
import { deviceAssignments, devices, patients, SELF_CARE_HOSPITAL_ID } from "../platform/db/schema.ts";
import type { DEVICE_KINDS } from "../platform/db/vocabulary.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { toIso, toIsoOrNull } from "../platform/time.ts";

export type NewDevice = {
  kind: (typeof DEVICE_KINDS)[number];
  name: string;
  manufacturer: string | null;
  model: string | null;
  serial_number: string | null;
  hospital_id?: string | undefined;
  patient_id?: string | undefined;
};

export function toDevice(row: typeof devices.$inferSelect, patientId: string | null) {
  return {
    device_id: row.id,
    hospital_id: row.hospitalId,
    kind: row.kind,
    name: row.name,
    manufacturer: row.manufacturer,
    model: row.model,
    serial_number: row.serialNumber,
    is_active: row.active === 1,
    is_patient_owned: row.ownerPatientId !== null,
    patient_id: patientId,
    last_synced_at: toIsoOrNull(row.lastSyncedAt),
    created_at: toIso(row.createdAt),
    version: row.version,
  };
}

/** @throws ApiError already_exists (the serial number, per hospital), not_found (hospital), limit_reached */
export async function createDevice(anyCall: Call, input: NewDevice, keyStatements: KeyStatements) {
  const { call, effectiveRole } = await withUser(anyCall, "device:create", () => []);
  const { db, actor, now } = call;
  const { role } = effectiveRole;
  if (input.patient_id !== undefined)
    throw new ApiError("invalid_request", "patient_id is for patients: assign the device to the patient afterwards.");
  const hospitalId = role === "admin" ? input.hospital_id : effectiveRole.hospitalId;
  if (!hospitalId) throw new ApiError("invalid_request", "hospital_id is required.");
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE_HOSPITAL_ID) {
    return denyAccess(call, "device:create", "not_found", {
      role,
      hospitalId,
      target: { hospital: input.hospital_id ?? hospitalId },
    });
  }
  const id = uuidv7();
  const { kind, name, manufacturer, model, serial_number: serialNumber } = input;
  const defaults = { createdBy: actor.userId, createdAt: now, updatedAt: now, active: 1, clockSkewMs: null, version: 1 };
  const ownership = { ownerPatientId: null, lastSyncedAt: null };
  const row = { id, hospitalId, kind, name, manufacturer, model, serialNumber, ...defaults, ...ownership };
  const ofHospital = sql`devices WHERE hospital_id = ${hospitalId} AND owner_patient_id IS NULL`;
  const createdBy = unlessFull(actor.userId, ROW_LIMITS.devices, ofHospital);
  try {
    await batch(db, [
      // First, so that a concurrent request with the same key fails on the key and not on the serial number.
      ...keyStatements(id),
      db.insert(devices).values({ ...row, hospitalId: activeHospitalId(hospitalId), createdBy }),
      incrementCounters(db, [{ scope: COUNTER_SCOPES.all, day: 0, name: "devices", n: 1 }]),
      ...recordAuditEvent(db, actor, now, {
        event: "device.create",
        action: "C",
        role,
        hospitalId,
        entity: { type: "device", id },
      }),
    ]);
    return toDevice(row, null);
  } catch (error) {
    if (isUniqueViolation(error, "devices."))
      throw new ApiError("already_exists", "The hospital already has a device with this serial number.");
    if (isConditionFailed(error, "devices.hospital_id")) throw new ApiError("not_found");
    throw toLimitError(error, ROW_LIMITS.devices);
  }
}

/** Condition for assignments whose patient the caller may see: doctors see devices, but only patients of their care teams. */
export function isPatientVisible(effectiveRole: EffectiveRole, actor: UserActor) {
  const scope = patientVisibility(effectiveRole, actor, patients.id, patients.hospitalId);
  return sql`${deviceAssignments.patientId} IN (SELECT id FROM patients WHERE ${patients.id} = ${deviceAssignments.patientId} AND ${scope})`;
}

/**
 * Condition for devices: patients see their own, staff those of their hospital and those of patients whom they may see.
 * @param hospitalId the column, or an expression of it that keeps SQLite from its index
 */
export function isDeviceVisible(
  effectiveRole: EffectiveRole,
  actor: UserActor,
  hospitalId: SQLWrapper = devices.hospitalId,
): SQL {
  if (effectiveRole.role === "patient")
    return sql`${devices.id} IN (SELECT o.id FROM patient_links l JOIN devices o ON o.owner_patient_id = l.patient_id
      WHERE l.user_id = ${actor.userId})`;
  const isVisibleOwner = patientVisibility(effectiveRole, actor, devices.ownerPatientId, devices.hospitalId);
  return sql`${isInCallerHospital(effectiveRole, hospitalId)} AND (${devices.ownerPatientId} IS NULL OR (${isVisibleOwner}))`;
}

/** Loads a device that the caller may see with its current assignment. @throws ApiError not_found (audited) */
export async function requireDevice(anyCall: Call, id: string, permission: Permission) {
  const { more: _, ...found } = await selectDeviceWith(anyCall, id, permission, () => []);
  return found;
}

/** `requireDevice`, with more statements in its round trip. */
export async function selectDeviceWith<const T extends readonly Statement[]>(
  anyCall: Call,
  id: string,
  permission: Permission,
  build: () => T,
) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db, actor }) => [
    db
      .select()
      .from(devices)
      .where(and(eq(devices.id, id), isDeviceVisible(effectiveRole, actor))),
    db
      .select({ id: deviceAssignments.id, patientId: deviceAssignments.patientId })
      .from(deviceAssignments)
      .where(and(eq(deviceAssignments.deviceId, id), isNull(deviceAssignments.endedAt), isPatientVisible(effectiveRole, actor))),
    ...build(),
  ]);
  const [[device], [assignment], ...more] = results;
  const { role, hospitalId } = effectiveRole;
  if (!device) return denyAccess(call, permission, "not_found", { role, hospitalId, target: { device: id } });
  return { call, effectiveRole, device, assignment: assignment ?? null, more: more as BatchResponse<T> };
}

/** A device of a patient is the patient's alone to connect. @throws ApiError forbidden (audited), for staff and a patient's own device */
export async function denyStaffOnOwnDevice(
  call: Call,
  { role, hospitalId }: EffectiveRole,
  { id, ownerPatientId }: OwnedDevice,
  permission: Permission,
): Promise<void> {
  if (ownerPatientId === null || role === "patient") return;
  await denyAccess(call, permission, "forbidden", { role, hospitalId, target: { device: id }, patientId: ownerPatientId });
}

type OwnedDevice = Pick<typeof devices.$inferSelect, "id" | "hospitalId" | "ownerPatientId">;

/** Concerns the patient whose own device it is, and those who are given. */
export function deviceEvent(
  effectiveRole: EffectiveRole,
  device: OwnedDevice,
  event: string,
  action: "C" | "U" | "D" | "R",
  patientIds: readonly string[] = [],
) {
  return {
    event,
    action,
    role: effectiveRole.role,
    hospitalId: device.hospitalId,
    entity: { type: "device", id: device.id },
    subjects: [...(device.ownerPatientId === null ? [] : [device.ownerPatientId]), ...patientIds],
  } as const;
}

export async function getDevice(anyCall: Call, id: string) {
  const { call, effectiveRole, device, assignment } = await requireDevice(anyCall, id, "device:read");
  const patientIds = assignment ? [assignment.patientId] : [];
  await appendAuditEvent(call, deviceEvent(effectiveRole, device, "device.read", "R", patientIds));
  return toDevice(device, assignment?.patientId ?? null);
}

export type DeviceListQuery = PageQuery & {
  kind?: NewDevice["kind"] | undefined;
  active?: boolean | undefined;
  serial_number?: string | undefined;
  patient_id?: string | undefined;
  hospital_id?: string | undefined;
};

function buildDeviceFilter(query: DeviceListQuery, effectiveRole: EffectiveRole, actor: UserActor): SQL | undefined {
  return and(
    query.kind ? eq(devices.kind, query.kind) : undefined,
    query.active === undefined ? undefined : eq(devices.active, Number(query.active)),
    query.serial_number ? eq(devices.serialNumber, query.serial_number) : undefined,
    query.hospital_id ? eq(devices.hospitalId, query.hospital_id) : undefined,
    query.patient_id
      ? sql`${devices.id} IN (SELECT device_id FROM device_assignments
          WHERE patient_id = ${query.patient_id} AND ended_at IS NULL AND ${isPatientVisible(effectiveRole, actor)})`
      : undefined,
  );
}

/** Lists devices, each with its current patient if the caller may see that patient. */
export async function listDevices(anyCall: Call, query: DeviceListQuery) {
  const start = await resolvePageStart(anyCall, "devices", query);
  // `+` keeps SQLite on the index of the serial number, which finds a few devices, and off the one in the order of the list.
  const createdAt = query.serial_number ? sql`+${devices.createdAt}` : devices.createdAt;
  const { where, orderBy } = keysetClauses(start, createdAt, devices.id);
  const { call, effectiveRole, results } = await withUser(anyCall, "device:read", (effectiveRole, { db, actor }) => {
    // `+` makes SQLite start from the patient's few devices instead of the hospital's in the order of the list.
    const hospitalId = query.patient_id ? sql`+${devices.hospitalId}` : devices.hospitalId;
    const filter = and(isDeviceVisible(effectiveRole, actor, hospitalId), buildDeviceFilter(query, effectiveRole, actor));
    const patientId = sql<string | null>`(SELECT patient_id FROM device_assignments
      WHERE device_id = devices.id AND ended_at IS NULL AND ${isPatientVisible(effectiveRole, actor)})`.as("current_patient");
    return [
      db
        .select({ ...getTableColumns(devices), patientId })
        .from(devices)
        .where(and(filter, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM devices WHERE ${filter} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const [rows, [counted]] = results;
  const { rows: pageRows, pagination } = await buildPage(start, rows, (row) => ({ value: row.createdAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const items = pageRows.map((row) => toDevice(row, row.patientId));
  const { role, hospitalId } = effectiveRole;
  const events = toListEvents(
    pageRows,
    (row) => row.hospitalId,
    hospitalId,
    (ofHospital) => ({
      ...({ event: "device.list", action: "R", role } as const),
      subjects: ofHospital.flatMap(({ patientId, ownerPatientId }) => [patientId, ownerPatientId].filter((id) => id !== null)),
      detail: { count: ofHospital.length },
    }),
  );
  await appendAuditEvent(call, events);
  return { items, pagination };
}
