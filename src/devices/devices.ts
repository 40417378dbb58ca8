// Devices: the registry.
import { and, eq, getTableColumns, isNull, type SQL, sql } from "drizzle-orm";
import { asCaller, patientScope } from "../access/access.ts";
import type { Call, Standing, UserActor } from "../access/actor.ts";
import { audit } from "../access/audit.ts";
import { refuse } from "../access/refusals.ts";
import type { Action } from "../access/roles.ts";
import { openHospital } from "../access/standing.ts";
import type { Taking } from "../http/idempotency.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../http/pagination.ts";
import { count, scopes } from "../platform/counters.ts";
import { batch, isConflict, isUnmet } from "../platform/db/client.ts";
import { deviceAssignments, devices, patients, SELF_CARE } from "../platform/db/schema.ts";
import type { DEVICE_KINDS } from "../platform/db/vocabulary.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";

export type NewDevice = {
  kind: (typeof DEVICE_KINDS)[number];
  name: string;
  manufacturer: string | null;
  model: string | null;
  serial_number: string | null;
  hospital_id?: string | undefined;
};

const iso = (time: number) => new Date(time).toISOString();

/** Devices of the hospital that the caller works for; all of them for administrators. */
export function ours(standing: Standing) {
  return standing.role === "admin" ? sql`1` : eq(devices.hospitalId, standing.hospitalId ?? "");
}

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
    patient_id: patientId,
    created_at: iso(row.createdAt),
    version: row.version,
  };
}

/** @throws ApiError already_exists for a serial number that the hospital has already */
export async function createDevice(anyCall: Call, input: NewDevice, taking: Taking) {
  const { call, standing } = await asCaller(anyCall, "device:manage", () => []);
  const { db, actor, now } = call;
  const { role } = standing;
  const hospitalId = role === "admin" ? input.hospital_id : standing.hospitalId;
  if (!hospitalId) throw new ApiError("invalid_request", "Name hospital_id.");
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE) {
    return refuse(call, "device:manage", "not_found", {
      role,
      hospitalId,
      target: { hospital: input.hospital_id ?? hospitalId },
    });
  }
  const id = uuidv7();
  const { kind, name, manufacturer, model, serial_number: serialNumber } = input;
  const made = { createdBy: actor.userId, createdAt: now, updatedAt: now, active: 1, clockSkewMs: null, version: 1 };
  const row = { id, hospitalId, kind, name, manufacturer, model, serialNumber, ...made };
  try {
    await batch(db, [
      // First, so that a second request of one key meets the key and not the serial number.
      ...taking(id),
      db.insert(devices).values({ ...row, hospitalId: openHospital(hospitalId) }),
      count(db, [{ scope: scopes.all, day: 0, name: "devices", n: 1 }]),
      ...audit(db, actor, now, { event: "device.create", action: "C", role, hospitalId, entity: { type: "device", id } }),
    ]);
    return toDevice(row, null);
  } catch (error) {
    if (isConflict(error, "devices.")) throw new ApiError("already_exists", "The hospital has a device of that serial number.");
    if (isUnmet(error, "devices.hospital_id")) throw new ApiError("not_found");
    throw error;
  }
}

/** A doctor of a care team sees the device, but whose it is only for a patient of theirs. */
export function visible(standing: Standing, actor: UserActor) {
  const scope = patientScope(standing, actor, patients.id, patients.hospitalId);
  return sql`${deviceAssignments.patientId} IN (SELECT id FROM patients WHERE ${patients.id} = ${deviceAssignments.patientId} AND ${scope})`;
}

/** A device of the caller's hospital, with its present patient, or the audited 404. */
export async function ownDevice(anyCall: Call, id: string, action: Action) {
  const { call, standing, results } = await asCaller(anyCall, action, (standing, { db, actor }) => [
    db
      .select()
      .from(devices)
      .where(and(eq(devices.id, id), ours(standing))),
    db
      .select({ id: deviceAssignments.id, patientId: deviceAssignments.patientId })
      .from(deviceAssignments)
      .where(and(eq(deviceAssignments.deviceId, id), isNull(deviceAssignments.endedAt), visible(standing, actor))),
  ]);
  const [[device], [assignment]] = results;
  const { role, hospitalId } = standing;
  if (!device) return refuse(call, action, "not_found", { role, hospitalId, target: { device: id } });
  return { call, standing, device, assignment: assignment ?? null };
}

export function deviceEvent(
  standing: Standing,
  device: { id: string; hospitalId: string },
  event: string,
  action: "C" | "U" | "D" | "R",
) {
  return {
    event,
    action,
    role: standing.role,
    hospitalId: device.hospitalId,
    entity: { type: "device", id: device.id },
  } as const;
}

export async function getDevice(anyCall: Call, id: string) {
  const { call, standing, device, assignment } = await ownDevice(anyCall, id, "device:read");
  const { db, actor, now } = call;
  const subjects = assignment ? [assignment.patientId] : [];
  await batch(db, audit(db, actor, now, { ...deviceEvent(standing, device, "device.read", "R"), subjects }));
  return toDevice(device, assignment?.patientId ?? null);
}

export type DeviceList = PageQuery & {
  kind?: NewDevice["kind"] | undefined;
  active?: boolean | undefined;
  serial_number?: string | undefined;
  patient_id?: string | undefined;
  hospital_id?: string | undefined;
};

function filterOf(query: DeviceList, standing: Standing, actor: UserActor): SQL | undefined {
  return and(
    query.kind ? eq(devices.kind, query.kind) : undefined,
    query.active === undefined ? undefined : eq(devices.active, Number(query.active)),
    query.serial_number ? eq(devices.serialNumber, query.serial_number) : undefined,
    query.hospital_id ? eq(devices.hospitalId, query.hospital_id) : undefined,
    query.patient_id
      ? sql`${devices.id} IN (SELECT device_id FROM device_assignments
          WHERE patient_id = ${query.patient_id} AND ended_at IS NULL AND ${visible(standing, actor)})`
      : undefined,
  );
}

/** Devices, each with its present patient if the caller may see them. */
export async function listDevices(anyCall: Call, query: DeviceList) {
  const start = await startOf(anyCall, "devices", query);
  const { where, orderBy } = keyset(start, devices.createdAt, devices.id);
  const { call, standing, results } = await asCaller(anyCall, "device:read", (standing, { db, actor }) => {
    const seen = and(ours(standing), filterOf(query, standing, actor));
    const patientId = sql<string | null>`(SELECT patient_id FROM device_assignments
      WHERE device_id = devices.id AND ended_at IS NULL AND ${visible(standing, actor)})`.as("present_patient");
    return [
      db
        .select({ ...getTableColumns(devices), patientId })
        .from(devices)
        .where(and(seen, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM devices WHERE ${seen} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const { db, actor, now } = call;
  const [rows, [counted]] = results;
  const { rows: kept, pagination } = await toPage(start, rows, (r) => ({ value: r.createdAt, id: r.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const items = kept.map((row) => toDevice(row, row.patientId));
  const subjects = items.flatMap(({ patient_id }) => patient_id ?? []);
  const { role, hospitalId } = standing;
  const told = { event: "device.list", action: "R", role, hospitalId, subjects, detail: { count: items.length } } as const;
  await batch(db, audit(db, actor, now, told));
  return { items, pagination };
}
