// A patient as the record's pages show it: with the name of the ward.
import { eq } from "drizzle-orm";
import { authorizePatient } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { batch } from "../../platform/db/client.ts";
import { wards } from "../../platform/db/schema.ts";
import { patientEvent, toPatientDetail } from "../patients.ts";

/** @param ref id or patient_number  @throws ApiError not_found */
export async function getPatientWithWard(call: Call, ref: string) {
  const { db, actor, now } = call;
  const access = await authorizePatient(call, { patient: ref }, "patient:read");
  const { patient } = access;
  const [[ward]] = await batch(db, [
    db
      .select({ name: wards.name })
      .from(wards)
      .where(eq(wards.id, patient.ward_id ?? "")),
    ...recordAuditEvent(db, actor, now, patientEvent(access, "patient.read", "R")),
  ]);
  return { ...(await toPatientDetail(call, patient)), ward_name: ward?.name ?? null };
}
