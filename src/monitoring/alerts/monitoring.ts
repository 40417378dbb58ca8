// Monitoring settings of a patient: the SpO2 scale and pregnancy, which NEWS2 depends on, and how the patient is watched.

import { and, eq, type SQL, sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { type Access, authorizePatient, withPatient } from "../../access/patient-access.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { batch } from "../../platform/db/client.ts";
import { monitoringSettings } from "../../platform/db/schema.ts";
import { toIsoOrNull } from "../../platform/time.ts";
import type { ObservationMode } from "../vitals/freshness.ts";
import { toPatientAuditEvent } from "./alert-rules.ts";

type SettingsRow = typeof monitoringSettings.$inferSelect;
export type MonitoringChange = {
  spo2_scale?: 1 | 2 | undefined;
  pregnant?: boolean | undefined;
  observation_mode?: ObservationMode | null | undefined;
};

/** In effect without a row, as version 1; the first saved row is version 2. */
const DEFAULT_SETTINGS = { spo2Scale: 1, pregnant: 0, observationMode: null, version: 1, updatedBy: null, updatedAt: null };

function toMonitoring({ patient }: Access, row: SettingsRow | typeof DEFAULT_SETTINGS) {
  return {
    patient_id: patient.id,
    monitoring: patient.monitoring,
    spo2_scale: row.spo2Scale,
    pregnant: row.pregnant === 1,
    observation_mode: row.observationMode,
    version: row.version,
    updated_by: row.updatedBy,
    updated_at: toIsoOrNull(row.updatedAt),
  };
}

const selectSettings = ({ db }: Call, patientId: SQL) =>
  db.select().from(monitoringSettings).where(eq(monitoringSettings.patientId, patientId));

export async function getMonitoring(call: Call, ref: string) {
  const { access, results } = await withPatient(call, { patient: ref }, "alert_rule:read", (patientId) => [
    selectSettings(call, patientId),
  ]);
  const [[row]] = results;
  await appendAuditEvent(call, toPatientAuditEvent(access, "monitoring.read", "R"));
  return toMonitoring(access, row ?? DEFAULT_SETTINGS);
}

/**
 * Saves settings; the triggers changed_settings_insert and changed_settings_update (migrations/0004_changes.sql) queue the change for
 * the patient's object, and deliverAfterResponse (mounted in app.ts) sends it to PatientMonitor.configure.
 * @param expected the versions that the caller has read  @throws ApiError not_found, precondition_failed
 */
export async function updateMonitoring(call: Call, ref: string, expected: ExpectedVersion, change: MonitoringChange) {
  const access = await authorizePatient(call, { patient: ref }, "alert_rule:manage");
  const { db, actor, now } = call;
  const [row] = await selectSettings(call, sql`${access.patient.id}`);
  const before = row ?? DEFAULT_SETTINGS;
  const event = toPatientAuditEvent(access, "monitoring.update", "U");
  const version = matchVersion(expected, before.version);
  if (before.version !== version) return failWithAudit(call, "precondition_failed", event);
  const after = {
    spo2Scale: change.spo2_scale ?? before.spo2Scale,
    pregnant: change.pregnant === undefined ? before.pregnant : Number(change.pregnant),
    observationMode: change.observation_mode === undefined ? before.observationMode : change.observation_mode,
    version: version + 1,
    updatedBy: getActorId(actor),
    updatedAt: now,
  };
  const write = row
    ? db
        .update(monitoringSettings)
        .set(after)
        .where(and(eq(monitoringSettings.patientId, access.patient.id), eq(monitoringSettings.version, version)))
        .returning()
    : db
        .insert(monitoringSettings)
        .values({ ...after, patientId: access.patient.id })
        .onConflictDoNothing()
        .returning();
  const toAuditDetail = ({
    spo2Scale: spo2_scale,
    pregnant,
    observationMode: observation_mode,
  }: typeof before | typeof after) => ({
    spo2_scale,
    pregnant,
    observation_mode,
  });
  const detail = { before: toAuditDetail(before), after: toAuditDetail(after) };
  const [[changed]] = await batch(db, [
    write,
    ...recordAuditEvent(db, actor, now, { ...event, detail, when: sql`changes() > 0` }),
  ]);
  return changed ? toMonitoring(access, changed) : failWithAudit(call, "precondition_failed", event);
}
