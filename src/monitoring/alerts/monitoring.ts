// What the alarm rules and the score need to know of a patient beyond age and limits.
import { and, eq, sql } from "drizzle-orm";
import { type Access, requirePatient } from "../../access/access.ts";
import { type Call, idOf } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { fail } from "../../access/refusals.ts";
import { batch } from "../../platform/db/client.ts";
import { monitoringSettings } from "../../platform/db/schema.ts";
import { patientEvent } from "./rules-api.ts";

type Row = typeof monitoringSettings.$inferSelect;
export type MonitoringChange = { spo2_scale?: 1 | 2 | undefined; pregnant?: boolean | undefined };

/** What holds until somebody says otherwise is version 1; the first row is version 2. */
const UNSAID = { spo2Scale: 1, pregnant: 0, version: 1, updatedBy: null, updatedAt: null };

function toMonitoring({ patient }: Access, row: Row | typeof UNSAID) {
  return {
    patient_id: patient.id,
    monitoring: patient.monitoring,
    spo2_scale: row.spo2Scale,
    pregnant: row.pregnant === 1,
    version: row.version,
    updated_by: row.updatedBy,
    updated_at: row.updatedAt === null ? null : new Date(row.updatedAt).toISOString(),
  };
}

const rowOf = ({ db }: Call, { patient }: Access) =>
  db.select().from(monitoringSettings).where(eq(monitoringSettings.patientId, patient.id));

export async function getMonitoring(call: Call, ref: string) {
  const access = await requirePatient(call, { patient: ref }, "alert_rule:read");
  const { db, actor, now } = call;
  const [[row]] = await batch(db, [rowOf(call, access), ...audit(db, actor, now, patientEvent(access, "monitoring.read", "R"))]);
  return toMonitoring(access, row ?? UNSAID);
}

/** @param seen the version that the caller has seen @throws ApiError not_found, precondition_failed */
export async function changeMonitoring(call: Call, ref: string, seen: number, change: MonitoringChange) {
  const access = await requirePatient(call, { patient: ref }, "alert_rule:manage");
  const { db, actor, now } = call;
  const [row] = await rowOf(call, access);
  const before = row ?? UNSAID;
  const event = patientEvent(access, "monitoring.update", "U");
  if (before.version !== seen) return fail(call, "precondition_failed", event);
  const after = {
    spo2Scale: change.spo2_scale ?? before.spo2Scale,
    pregnant: change.pregnant === undefined ? before.pregnant : Number(change.pregnant),
    version: seen + 1,
    updatedBy: idOf(actor),
    updatedAt: now,
  };
  const write = row
    ? db
        .update(monitoringSettings)
        .set(after)
        .where(and(eq(monitoringSettings.patientId, access.patient.id), eq(monitoringSettings.version, seen)))
        .returning()
    : db
        .insert(monitoringSettings)
        .values({ ...after, patientId: access.patient.id })
        .onConflictDoNothing()
        .returning();
  const numbers = ({ spo2Scale: spo2_scale, pregnant }: typeof before | typeof after) => ({ spo2_scale, pregnant });
  const detail = { before: numbers(before), after: numbers(after) };
  const [[changed]] = await batch(db, [write, ...audit(db, actor, now, { ...event, detail, when: sql`changes() > 0` })]);
  return changed ? toMonitoring(access, changed) : fail(call, "precondition_failed", event);
}
