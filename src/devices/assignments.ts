// Which patient a device belongs to, by time.
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { asCaller, requirePatient } from "../access/access.ts";
import { type Call, idOf } from "../access/actor.ts";
import { audit } from "../access/audit.ts";
import { refuse } from "../access/refusals.ts";
import type { Taking } from "../http/idempotency.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../http/pagination.ts";
import { batch, isUnmet } from "../platform/db/client.ts";
import { deviceAssignments, devices } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { deviceEvent, ours, ownDevice, visible } from "./devices.ts";

const iso = (time: number) => new Date(time).toISOString();

/** Binds a device to a patient of its hospital from now on; a present binding ends in the same moment. */
export async function assignDevice(call: Call, deviceId: string, patientRef: string, taking: Taking) {
  const { patient, role, hospitalId } = await requirePatient(call, { patient: patientRef }, "device:manage");
  const { db, actor, now } = call;
  const id = uuidv7();
  const by = idOf(actor);
  const device = sql`SELECT id FROM devices WHERE id = ${deviceId} AND hospital_id = ${hospitalId} AND active = 1`;
  const entity = { type: "device", id: deviceId };
  const subjects = [patient.id];
  try {
    await batch(db, [
      ...taking(id),
      endOpenAssignment(call, deviceId, sql`EXISTS (${device})`),
      // A device that is not this hospital's, or out of service, leaves the column without a value, and the batch fails as a whole.
      db
        .insert(deviceAssignments)
        .values({ id, deviceId: sql`(${device})`, patientId: patient.id, startedAt: now, createdBy: by }),
      ...audit(db, actor, now, { event: "device.assign", action: "U", role, hospitalId, entity, subjects }),
      formerPatientToo(call, deviceId, patient.id),
    ]);
  } catch (error) {
    if (!isUnmet(error, "device_assignments.device_id")) throw error;
    return refuse(call, "device:manage", "not_found", { role, hospitalId, target: { device: deviceId } });
  }
  return { assignment_id: id, device_id: deviceId, patient_id: patient.id, started_at: iso(now), ended_at: null };
}

/** Whose device it was until this moment is concerned by the event as much as whose it becomes. */
function formerPatientToo({ db, now }: Call, deviceId: string, patientId: string) {
  return db.run(sql`INSERT INTO audit_subjects (patient_id, seq)
    SELECT DISTINCT patient_id, (SELECT max(seq) FROM audit_events) FROM device_assignments
    WHERE device_id = ${deviceId} AND ended_at = ${now} AND patient_id <> ${patientId}`);
}

export function endOpenAssignment({ db, now }: Call, deviceId: string, when?: SQL) {
  return db
    .update(deviceAssignments)
    .set({ endedAt: now })
    .where(and(eq(deviceAssignments.deviceId, deviceId), isNull(deviceAssignments.endedAt), when));
}

/** Ends the present binding; what the device sends next goes to quarantine. @throws ApiError not_found when there is none */
export async function unassignDevice(anyCall: Call, deviceId: string): Promise<void> {
  const { call, standing, device, assignment } = await ownDevice(anyCall, deviceId, "device:manage");
  const { db, actor, now } = call;
  const { role, hospitalId } = standing;
  if (!assignment) return refuse(call, "device:manage", "not_found", { role, hospitalId, target: { device: deviceId } });
  const event = deviceEvent(standing, device, "device.unassign", "U");
  await batch(db, [
    endOpenAssignment(call, deviceId),
    ...audit(db, actor, now, { ...event, subjects: [assignment.patientId], when: sql`changes() > 0` }),
  ]);
}

/** A binding that an Idempotency-Key made before, as it is now. */
export async function readAssignment(anyCall: Call, deviceId: string, assignmentId: string) {
  const { call, standing, device } = await ownDevice(anyCall, deviceId, "device:manage");
  const { db, actor, now } = call;
  const own = and(eq(deviceAssignments.id, assignmentId), eq(deviceAssignments.deviceId, device.id));
  const [row] = await db.select().from(deviceAssignments).where(own);
  if (!row) throw new ApiError("not_found");
  const event = { ...deviceEvent(standing, device, "device.assignment.read", "R"), subjects: [row.patientId] };
  await batch(db, audit(db, actor, now, event));
  return toAssignment(row);
}

function toAssignment(row: typeof deviceAssignments.$inferSelect) {
  return {
    assignment_id: row.id,
    device_id: row.deviceId,
    patient_id: row.patientId,
    started_at: iso(row.startedAt),
    ended_at: row.endedAt === null ? null : iso(row.endedAt),
  };
}

/** Whose the device has been, newest first: of patients whom the caller may see. @throws ApiError not_found */
export async function listAssignments(anyCall: Call, deviceId: string, query: PageQuery) {
  const start = await startOf(anyCall, `device_assignments:${deviceId}`, query);
  const { where, orderBy } = keyset(start, deviceAssignments.startedAt, deviceAssignments.id);
  const { call, standing, results } = await asCaller(anyCall, "device:read", (standing, { db, actor }) => {
    const seen = and(eq(deviceAssignments.deviceId, deviceId), visible(standing, actor));
    return [
      db
        .select({ id: devices.id, hospitalId: devices.hospitalId })
        .from(devices)
        .where(and(eq(devices.id, deviceId), ours(standing))),
      db
        .select()
        .from(deviceAssignments)
        .where(and(seen, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM device_assignments WHERE ${seen} LIMIT ${COUNT_LIMIT + 1})`,
      ),
    ];
  });
  const [[device], rows, [counted]] = results;
  const { role, hospitalId } = standing;
  if (!device) return refuse(call, "device:read", "not_found", { role, hospitalId, target: { device: deviceId } });
  const { db, actor, now } = call;
  const { rows: kept, pagination } = await toPage(start, rows, (row) => ({ value: row.startedAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const subjects = kept.map((row) => row.patientId);
  await batch(db, audit(db, actor, now, { ...deviceEvent(standing, device, "device.assignment.list", "R"), subjects }));
  return { items: kept.map(toAssignment), pagination };
}
