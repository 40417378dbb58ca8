// Which patient a device belongs to, by time.
import { and, eq, isNull, sql } from "drizzle-orm";
import { refuse, requirePatient } from "../access.ts";
import type { Call } from "../actor.ts";
import { audit } from "../audit.ts";
import { batch } from "../db/client.ts";
import { deviceAssignments } from "../db/schema.ts";
import { ApiError } from "../errors.ts";
import type { Taking } from "../idempotency.ts";
import { uuidv7 } from "../ids.ts";
import { deviceEvent, ownDevice } from "./devices.ts";

const iso = (time: number) => new Date(time).toISOString();

/** Binds a device to a patient of its hospital from now on; a present binding ends in the same moment. */
export async function assignDevice(anyCall: Call, deviceId: string, patientRef: string, taking: Taking) {
  const { call, standing, device, assignment } = await ownDevice(anyCall, deviceId, "device:manage");
  const { patient } = await requirePatient(call, { patient: patientRef }, "device:manage");
  const { db, actor, now } = call;
  if (patient.hospital_id !== device.hospitalId) {
    const { role, hospitalId } = standing;
    return refuse(call, "device:manage", "not_found", { role, hospitalId, target: { patient: patient.id } });
  }
  const id = uuidv7();
  // Whose device it was is concerned as much as whose it becomes.
  const subjects = [patient.id, ...(assignment ? [assignment.patientId] : [])];
  await batch(db, [
    ...taking(id),
    endOpenAssignment(call, deviceId),
    db.insert(deviceAssignments).values({ id, deviceId, patientId: patient.id, startedAt: now, createdBy: actor.userId }),
    ...audit(db, actor, now, { ...deviceEvent(standing, device, "device.assign", "U"), subjects }),
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
  return {
    assignment_id: row.id,
    device_id: row.deviceId,
    patient_id: row.patientId,
    started_at: iso(row.startedAt),
    ended_at: row.endedAt === null ? null : iso(row.endedAt),
  };
}
