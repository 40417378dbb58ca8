// Device assignments: which patient a device is bound to, and when.

import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import { type Call, getActorId } from "../access/actor.ts";
import { appendAuditEvent, recordAuditEvent } from "../access/audit.ts";
import { denyAccess, failWithAudit } from "../access/deny.ts";
import { authorizePatient } from "../access/patient-access.ts";
import type { KeyStatements } from "../http/idempotency.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../http/pagination.ts";
import { batch, isConditionFailed } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../platform/db/row-limits.ts";
import { deviceAssignments, devices } from "../platform/db/schema.ts";
import { MAX_BINDING_LATENESS_MS, MAX_SAMPLE_AGE_MS } from "../platform/device-times.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { toIso, toIsoOrNull } from "../platform/time.ts";
import { denyStaffOnOwnDevice, deviceEvent, isDeviceVisible, isPatientVisible, requireDevice } from "./devices.ts";

/**
 * Assigns a device to a patient of its hospital. Without `startedAt` it ends the current assignment in the same batch.
 * @param startedAt epoch milliseconds in the past, of a device that was assigned to nobody from then until now
 * @throws ApiError not_found, limit_reached, conflict (the device was assigned meanwhile), invalid_request (`startedAt`)
 */
export async function assignDevice(
  call: Call,
  deviceId: string,
  patientRef: string,
  startedAt: number | null,
  keyStatements: KeyStatements,
) {
  const { now } = call;
  if (startedAt !== null && !(startedAt <= now && startedAt >= now - MAX_SAMPLE_AGE_MS)) throw startError();
  const { patient, role, hospitalId } = await authorizePatient(call, { patient: patientRef }, "device:assign");
  const { db, actor } = call;
  const id = uuidv7();
  const actorId = getActorId(actor);
  // A patient's own device sends for nobody else.
  const device = sql`SELECT id FROM devices WHERE id = ${deviceId} AND hospital_id = ${hospitalId} AND active = 1
    AND (owner_patient_id IS NULL OR owner_patient_id = ${patient.id})`;
  const entity = { type: "device", id: deviceId };
  const subjects = [patient.id];
  // The event also concerns the patient whose assignment has just ended.
  const subjectsQuery = startedAt === null ? { subjectsQuery: selectFormerPatients(deviceId, now) } : {};
  const event = { event: "device.assign" as const, action: "U" as const, role, hospitalId, entity, subjects };
  const values = { id, deviceId: sql`(${device})`, ...unlessTooMany(patient.id, deviceId, actorId, now) };
  try {
    await batch(db, [
      ...keyStatements(id),
      ...(startedAt === null ? [endOpenAssignment(call, deviceId, sql`EXISTS (${device})`)] : []),
      // For a device of another hospital or out of service, device_id is NULL and the whole batch fails.
      db
        .insert(deviceAssignments)
        .values({ ...values, startedAt: startedAt === null ? now : unlessAssignedSince(deviceId, startedAt) }),
      ...recordAuditEvent(db, actor, now, { ...event, ...subjectsQuery }),
    ]);
  } catch (error) {
    if (isConditionFailed(error, "device_assignments.started_at")) return failWithAudit(call, "conflict", event);
    if (!isConditionFailed(error, "device_assignments.device_id"))
      throw toLimitError(error, ROW_LIMITS.deviceAssignments, ROW_LIMITS.recentPatientAssignments);
    return denyAccess(call, "device:assign", "not_found", { role, hospitalId, target: { device: deviceId } });
  }
  return {
    assignment_id: id,
    device_id: deviceId,
    patient_id: patient.id,
    started_at: toIso(startedAt ?? now),
    ended_at: null,
  };
}

const startError = () =>
  new ApiError("invalid_request", "started_at must be in the past 30 days.", {
    errors: [{ path: "started_at", message: "Must be in the past 30 days", code: "custom" }],
  });

/** NULL, which fails the batch, if the device was assigned after that time: what it measured then may be somebody else's. */
function unlessAssignedSince(deviceId: string, startedAt: number) {
  return sql`CASE WHEN EXISTS (SELECT 1 FROM device_assignments
    WHERE device_id = ${deviceId} AND (ended_at IS NULL OR ended_at > ${startedAt})) THEN NULL ELSE ${startedAt} END`;
}

/** The patient's object keeps assignments for as long as late samples may belong to them. */
export function unlessTooMany(patientId: string, deviceId: string, actorId: string, now: number) {
  const recent = sql`device_assignments
    WHERE patient_id = ${patientId} AND (ended_at IS NULL OR ended_at > ${now - MAX_BINDING_LATENESS_MS})`;
  return {
    patientId: unlessFull(patientId, ROW_LIMITS.recentPatientAssignments, recent),
    createdBy: unlessFull(actorId, ROW_LIMITS.deviceAssignments, sql`device_assignments WHERE device_id = ${deviceId}`),
  };
}

const selectFormerPatients = (deviceId: string, endedAt: number): SQL =>
  sql`SELECT patient_id FROM device_assignments WHERE device_id = ${deviceId} AND ended_at = ${endedAt}`;

export function endOpenAssignment({ db, now }: Call, deviceId: string, when?: SQL) {
  return db
    .update(deviceAssignments)
    .set({ endedAt: now })
    .where(and(eq(deviceAssignments.deviceId, deviceId), isNull(deviceAssignments.endedAt), when));
}

/** Ends the current assignment: later uploads of the device go to quarantine. @throws ApiError not_found without an assignment */
export async function unassignDevice(anyCall: Call, deviceId: string): Promise<void> {
  const { call, effectiveRole, device, assignment } = await requireDevice(anyCall, deviceId, "device:assign");
  const { db, actor, now } = call;
  const { role, hospitalId } = effectiveRole;
  await denyStaffOnOwnDevice(call, effectiveRole, device, "device:assign");
  if (!assignment) return denyAccess(call, "device:assign", "not_found", { role, hospitalId, target: { device: deviceId } });
  const event = deviceEvent(effectiveRole, device, "device.unassign", "U", [assignment.patientId]);
  await batch(db, [
    endOpenAssignment(call, deviceId),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
}

/** The current state of an assignment, for the replay of an idempotency key. */
export async function getAssignment(anyCall: Call, deviceId: string, assignmentId: string) {
  const { call, effectiveRole, device } = await requireDevice(anyCall, deviceId, "device:assign");
  const { db, actor, now } = call;
  const isRequested = and(eq(deviceAssignments.id, assignmentId), eq(deviceAssignments.deviceId, device.id));
  const [row] = await db.select().from(deviceAssignments).where(isRequested);
  if (!row) throw new ApiError("not_found");
  const event = deviceEvent(effectiveRole, device, "device.assignment.read", "R", [row.patientId]);
  await batch(db, recordAuditEvent(db, actor, now, event));
  return toAssignment(row);
}

function toAssignment(row: typeof deviceAssignments.$inferSelect) {
  return {
    assignment_id: row.id,
    device_id: row.deviceId,
    patient_id: row.patientId,
    started_at: toIso(row.startedAt),
    ended_at: toIsoOrNull(row.endedAt),
  };
}

/** Lists the assignments of a device to patients that the caller may see, newest first. @throws ApiError not_found */
export async function listAssignments(anyCall: Call, deviceId: string, query: PageQuery) {
  const start = await resolvePageStart(anyCall, `device_assignments:${deviceId}`, query);
  const { where, orderBy } = keysetClauses(start, deviceAssignments.startedAt, deviceAssignments.id);
  const { call, effectiveRole, results } = await withUser(anyCall, "device:read", (effectiveRole, { db, actor }) => {
    const filter = and(eq(deviceAssignments.deviceId, deviceId), isPatientVisible(effectiveRole, actor));
    return [
      db
        .select({ id: devices.id, hospitalId: devices.hospitalId, ownerPatientId: devices.ownerPatientId })
        .from(devices)
        .where(and(eq(devices.id, deviceId), isDeviceVisible(effectiveRole, actor))),
      db
        .select()
        .from(deviceAssignments)
        .where(and(filter, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM device_assignments WHERE ${filter} LIMIT ${COUNT_LIMIT + 1})`,
      ),
    ];
  });
  const [[device], rows, [counted]] = results;
  const { role, hospitalId } = effectiveRole;
  if (!device) return denyAccess(call, "device:read", "not_found", { role, hospitalId, target: { device: deviceId } });
  const { rows: pageRows, pagination } = await buildPage(start, rows, (row) => ({ value: row.startedAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const patientIds = pageRows.map((row) => row.patientId);
  const event = deviceEvent(effectiveRole, device, "device.assignment.list", "R", patientIds);
  await appendAuditEvent(call, event);
  return { items: pageRows.map(toAssignment), pagination };
}
