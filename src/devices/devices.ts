// Devices: the registry, whom they are bound to, and the credentials that name them.
import { and, desc, eq, isNull, sql } from "drizzle-orm";
import { asCaller, refuse, requirePatient } from "../access.ts";
import type { Call, Standing } from "../actor.ts";
import { audit } from "../audit.ts";
import { count, scopes } from "../counters.ts";
import { sha256Hex, toBase64Url } from "../crypto.ts";
import { batch, isConflict, isMissingReference } from "../db/client.ts";
import { credentials, type DEVICE_KINDS, deviceAssignments, devices } from "../db/schema.ts";
import { ApiError } from "../errors.ts";
import type { Taking } from "../idempotency.ts";
import { uuidv7 } from "../ids.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../pagination.ts";
import type { Action } from "../roles.ts";

export type NewDevice = {
  kind: (typeof DEVICE_KINDS)[number];
  name: string;
  manufacturer: string | null;
  model: string | null;
  serial_number: string | null;
  hospital_id?: string | undefined;
};

const iso = (time: number) => new Date(time).toISOString();
const isoOrNull = (time: number | null) => (time === null ? null : iso(time));

/** Devices of the hospital that the caller works for; all of them for administrators. */
function ours(standing: Standing) {
  return standing.role === "admin" ? sql`1` : eq(devices.hospitalId, standing.hospitalId ?? "");
}

function toDevice(row: typeof devices.$inferSelect, patientId: string | null) {
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
  };
}

/** @throws ApiError already_exists for a serial number that the hospital has already */
export async function createDevice(anyCall: Call, input: NewDevice, taking: Taking) {
  const { call, standing } = await asCaller(anyCall, "device:manage", () => []);
  const { db, actor, now } = call;
  const { role } = standing;
  const hospitalId = role === "admin" ? input.hospital_id : standing.hospitalId;
  if (!hospitalId) throw new ApiError("invalid_request", "Name hospital_id.");
  if (input.hospital_id && input.hospital_id !== hospitalId) {
    return refuse(call, "device:manage", "not_found", { role, hospitalId, target: { hospital: input.hospital_id } });
  }
  const id = uuidv7();
  const { kind, name, manufacturer, model, serial_number: serialNumber } = input;
  const insert = db.insert(devices).values({
    id,
    hospitalId,
    kind,
    name,
    manufacturer,
    model,
    serialNumber,
    createdBy: actor.userId,
    createdAt: now,
    updatedAt: now,
  });
  try {
    const [[row]] = await batch(db, [
      insert.returning(),
      ...taking(id),
      count(db, [{ scope: scopes.all, day: 0, name: "devices", n: 1 }]),
      ...audit(db, actor, now, { event: "device.create", action: "C", role, hospitalId, entity: { type: "device", id } }),
    ]);
    if (!row) throw new ApiError("unavailable");
    return toDevice(row, null);
  } catch (error) {
    if (isConflict(error, "devices.")) throw new ApiError("already_exists", "The hospital has a device of that serial number.");
    if (isMissingReference(error)) throw new ApiError("not_found");
    throw error;
  }
}

/** A device of the caller's hospital, with its present patient, or the audited 404. */
async function ownDevice(anyCall: Call, id: string, action: Action) {
  const { call, standing, results } = await asCaller(anyCall, action, (standing, { db }) => [
    db
      .select()
      .from(devices)
      .where(and(eq(devices.id, id), ours(standing))),
    db
      .select({ id: deviceAssignments.id, patientId: deviceAssignments.patientId })
      .from(deviceAssignments)
      .where(and(eq(deviceAssignments.deviceId, id), isNull(deviceAssignments.endedAt))),
  ]);
  const [[device], [assignment]] = results;
  const { role, hospitalId } = standing;
  if (!device) return refuse(call, action, "not_found", { role, hospitalId, target: { device: id } });
  return { call, standing, device, assignment: assignment ?? null };
}

function deviceEvent(
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

export async function listDevices(anyCall: Call, query: PageQuery & { kind?: NewDevice["kind"] | undefined }) {
  const callerId = anyCall.actor.kind === "user" ? anyCall.actor.userId : "";
  const start = await startOf(anyCall.keys, callerId, "devices", query);
  const { where, orderBy } = keyset(start, devices.createdAt, devices.id);
  const kind = query.kind ? eq(devices.kind, query.kind) : undefined;
  const { call, standing, results } = await asCaller(anyCall, "device:read", (standing, { db }) => [
    db
      .select()
      .from(devices)
      .where(and(ours(standing), kind, where))
      .orderBy(...orderBy)
      .limit(query.limit + 1)
      .offset(start.after ? 0 : start.offset),
    db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM (SELECT 1 FROM devices WHERE ${and(ours(standing), kind)} LIMIT ${COUNT_LIMIT + 1})`,
    ),
  ]);
  const { db, keys, actor, now } = call;
  const [rows, [counted]] = results;
  const { rows: kept, pagination } = await toPage(
    keys,
    callerId,
    "devices",
    query,
    start,
    rows,
    (r) => ({ value: r.createdAt, id: r.id }),
    {
      n: counted?.n ?? 0,
      exact: false,
    },
  );
  const { role, hospitalId } = standing;
  await batch(db, audit(db, actor, now, { event: "device.list", action: "R", role, hospitalId, detail: { count: kept.length } }));
  return { items: kept.map((row) => toDevice(row, null)), pagination };
}

/** A new secret of a device: shown once, kept as SHA-256. */
export async function issueCredential(anyCall: Call, deviceId: string, name: string, expiresAt: number | null) {
  const { call, standing, device } = await ownDevice(anyCall, deviceId, "device:manage");
  const { db, actor, now } = call;
  if (expiresAt !== null && expiresAt <= now) throw new ApiError("invalid_request", "expires_at lies in the past.");
  const id = uuidv7();
  const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  const event = { ...deviceEvent(standing, device, "credential.issue", "C"), detail: { credential_id: id } };
  await batch(db, [
    db.insert(credentials).values({
      id,
      kind: "device",
      deviceId,
      hospitalId: device.hospitalId,
      name,
      secretHash: await sha256Hex(secret),
      scopes: "report:create",
      createdBy: actor.userId,
      createdAt: now,
      expiresAt,
    }),
    ...audit(db, actor, now, event),
  ]);
  return {
    credential_id: id,
    device_id: deviceId,
    name,
    token: `ecd_${id}_${secret}`,
    created_at: iso(now),
    expires_at: isoOrNull(expiresAt),
  };
}

/** Every credential a device ever had, newest first, at most 100. */
export async function listCredentials(anyCall: Call, deviceId: string) {
  const { call, standing, device } = await ownDevice(anyCall, deviceId, "device:manage");
  const { db, actor, now } = call;
  const [rows] = await batch(db, [
    db.select().from(credentials).where(eq(credentials.deviceId, deviceId)).orderBy(desc(credentials.createdAt)).limit(100),
    ...audit(db, actor, now, deviceEvent(standing, device, "credential.list", "R")),
  ]);
  return rows.map((row) => ({
    credential_id: row.id,
    device_id: deviceId,
    name: row.name,
    created_at: iso(row.createdAt),
    expires_at: isoOrNull(row.expiresAt),
    revoked_at: isoOrNull(row.revokedAt),
  }));
}

/** Ends a credential: its next request is refused. @throws ApiError not_found */
export async function revokeCredential(anyCall: Call, deviceId: string, credentialId: string): Promise<void> {
  const { call, standing, device } = await ownDevice(anyCall, deviceId, "device:manage");
  const { db, actor, now } = call;
  const [rows] = await batch(db, [
    db
      .update(credentials)
      .set({ revokedAt: now })
      .where(and(eq(credentials.id, credentialId), eq(credentials.deviceId, deviceId), isNull(credentials.revokedAt)))
      .returning({ id: credentials.id }),
    ...audit(db, actor, now, {
      ...deviceEvent(standing, device, "credential.revoke", "D"),
      detail: { credential_id: credentialId },
      when: sql`changes() > 0`,
    }),
  ]);
  if (rows.length > 0) return;
  const { role, hospitalId } = standing;
  await refuse(call, "device:manage", "not_found", { role, hospitalId, target: { credential: credentialId } });
}

/** Binds a device to a patient of its hospital from now on; a present binding ends in the same moment. */
export async function assignDevice(anyCall: Call, deviceId: string, patientRef: string) {
  const { call, standing, device } = await ownDevice(anyCall, deviceId, "device:manage");
  const { patient } = await requirePatient(call, { patient: patientRef }, "device:manage");
  const { db, actor, now } = call;
  if (patient.hospital_id !== device.hospitalId) {
    const { role, hospitalId } = standing;
    return refuse(call, "device:manage", "not_found", { role, hospitalId, target: { patient: patient.id } });
  }
  const id = uuidv7();
  await batch(db, [
    endOpenAssignment(call, deviceId),
    db.insert(deviceAssignments).values({ id, deviceId, patientId: patient.id, startedAt: now, createdBy: actor.userId }),
    ...audit(db, actor, now, { ...deviceEvent(standing, device, "device.assign", "U"), subjects: [patient.id] }),
  ]);
  return { assignment_id: id, device_id: deviceId, patient_id: patient.id, started_at: iso(now), ended_at: null };
}

function endOpenAssignment({ db, now }: Call, deviceId: string) {
  return db
    .update(deviceAssignments)
    .set({ endedAt: now })
    .where(and(eq(deviceAssignments.deviceId, deviceId), isNull(deviceAssignments.endedAt)));
}

/** Ends the present binding; what the device sends next goes to quarantine. @throws ApiError not_found when there is none */
export async function unassignDevice(anyCall: Call, deviceId: string): Promise<void> {
  const { call, standing, device, assignment } = await ownDevice(anyCall, deviceId, "device:manage");
  const { db, actor, now } = call;
  const { role, hospitalId } = standing;
  if (!assignment) return refuse(call, "device:manage", "not_found", { role, hospitalId, target: { device: deviceId } });
  const event = deviceEvent(standing, device, "device.unassign", "U");
  await batch(db, [endOpenAssignment(call, deviceId), ...audit(db, actor, now, { ...event, subjects: [assignment.patientId] })]);
}
