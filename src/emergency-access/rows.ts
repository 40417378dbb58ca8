// Rows of emergency accesses as the API shows them.
import { sql } from "drizzle-orm";
import type { Keys } from "../platform/config.ts";
import { sealValue, unsealValue } from "../platform/crypto.ts";
import type { emergencyAccesses } from "../platform/db/schema.ts";
import { toIso, toIsoOrNull } from "../platform/time.ts";

export type EmergencyRow = typeof emergencyAccesses.$inferSelect;

export const EMERGENCY_COLUMNS = sql`e.id AS id, e.hospital_id AS hospitalId, e.user_id AS userId, e.patient_id AS patientId,
  e.record_hospital_id AS recordHospitalId, e.own_patient_id AS ownPatientId, e.reason_sealed AS reasonSealed,
  e.stepped_up AS steppedUp, e.started_at AS startedAt, e.ends_at AS endsAt, e.ended_at AS endedAt,
  e.patient_notified_at AS patientNotifiedAt`;

const reasonContext = (id: string) => ({ table: "emergency_accesses", column: "reason", id });
export const sealReason = ({ fields }: Keys, id: string, reason: string): Promise<string> =>
  sealValue(fields, reasonContext(id), reason);
export const unsealReason = async ({ fields }: Keys, { id, reasonSealed }: Pick<EmergencyRow, "id" | "reasonSealed">) =>
  String(await unsealValue(fields, reasonContext(id), reasonSealed));

/** @param isOfficer privacy officers see when the patient was notified: a delay is theirs to know */
export async function toEmergencyAccess(keys: Keys, row: EmergencyRow, now: number, isOfficer: boolean) {
  const isActive = row.endedAt === null && row.endsAt > now;
  return {
    emergency_access_id: row.id,
    status: isActive ? ("active" as const) : ("ended" as const),
    hospital_id: row.hospitalId,
    user_id: row.userId,
    patient_id: row.patientId,
    record_hospital_id: row.recordHospitalId,
    purpose: "BTG" as const,
    reason: await unsealReason(keys, row),
    second_step: row.steppedUp === 1,
    started_at: toIso(row.startedAt),
    ends_at: toIso(row.endsAt),
    ended_at: toIsoOrNull(row.endedAt ?? (isActive ? null : row.endsAt)),
    patient_notified_at: isOfficer ? toIsoOrNull(row.patientNotifiedAt) : null,
  };
}

export type EmergencyAccess = Awaited<ReturnType<typeof toEmergencyAccess>>;
