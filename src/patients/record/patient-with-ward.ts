// A patient as the record's pages show it: with the name of the ward, and whether an emergency opened it.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { withPatient } from "../../access/patient-access.ts";
import { patientEvent, toPatientDetail } from "../patients.ts";

/** @param ref id or patient_number  @throws ApiError not_found */
export async function getPatientWithWard(call: Call, ref: string) {
  const { access, results } = await withPatient(call, { patient: ref }, "patient:read", (patientId) => [
    call.db.all<{ name: string }>(sql`SELECT name FROM wards WHERE id = (SELECT ward_id FROM patients WHERE id = ${patientId})`),
  ]);
  const [[ward]] = results;
  const stored = appendAuditEvent(call, patientEvent(access, "patient.read", "R"));
  const detail = await afterAudit(stored, toPatientDetail(call, access.patient));
  return { ...detail, ward_name: ward?.name ?? null, emergency_access_id: access.emergencyId ?? null };
}
