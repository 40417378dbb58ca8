// Registration of a patient by staff or an app, unless a record of the hospital may be of the same person.
import { z } from "zod";
import { withWriter } from "../access/access.ts";
import { type Call, type EffectiveRole, getActorId, type Principal, type PrincipalCall } from "../access/actor.ts";
import { type Denial, failWithAudit, requiredFieldError } from "../access/deny.ts";
import { resolveHospitalId } from "../access/effective-role.ts";
import type { KeyStatements } from "../http/idempotency.ts";
import { batch, isConditionFailed, isForeignKeyViolation, type Statement } from "../platform/db/client.ts";
import { SELF_CARE_HOSPITAL_ID } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { denyDuplicate } from "./duplicates.ts";
import { OTHER_PERSON_DETAIL } from "./identity/person.ts";
import { pickClinical } from "./identity/sealed-fields.ts";
import { type NewPatient, preparePatient } from "./new-patient.ts";
import { toPatientSummary, UidColumns, UNKNOWN_REFERENCE_DETAIL } from "./patients.ts";
import { recordChange } from "./record/changes.ts";

const InsertedRow = z.tuple([UidColumns.extend({ number: z.number() })]);

/**
 * Creates a patient at the caller's hospital; a creating doctor and the assigned doctor join the care team.
 * @param following statements of the caller, last in the batch
 * @throws ApiError forbidden, not_found (another hospital), invalid_request (unknown doctor or ward), possible_duplicate, conflict
 *   (numbers of two persons)
 */
export function createPatient(
  call: Call,
  input: CreatePatientInput,
  keyStatements: KeyStatements,
  following: (patientId: string) => readonly Statement[] = () => [],
) {
  return withWriter(
    call,
    "patient:create",
    (effectiveRole, { actor }) => findCreateDenial(effectiveRole, actor, input),
    (effectiveRole, writerCall, checkStatements) =>
      insertPatient(writerCall, effectiveRole, input, (id) => [...checkStatements, ...keyStatements(id)], following),
  );
}

type CreatePatientInput = NewPatient & {
  hospital_id?: string | undefined;
  /** The id of the new record, where the caller's statements need it. */
  id?: string;
  /** Why the person is another one than those of the similar records. */
  duplicate_reason?: string | undefined;
};

function findCreateDenial(effectiveRole: EffectiveRole, actor: Principal, input: CreatePatientInput): Denial | null {
  const { role } = effectiveRole;
  const hospitalId = resolveHospitalId(effectiveRole, input.hospital_id);
  if (!hospitalId) return requiredFieldError("hospital_id");
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE_HOSPITAL_ID) {
    return { error: "not_found", facts: { hospitalId } };
  }
  const doctor = input.assigned_doctor_id;
  const assignsOther = doctor && (role === "app" || (role === "doctor" && doctor !== getActorId(actor)));
  return assignsOther ? { error: "forbidden", facts: { hospitalId, target: { user: doctor } } } : null;
}

async function insertPatient(
  call: PrincipalCall,
  effectiveRole: EffectiveRole,
  input: CreatePatientInput,
  leadingStatements: KeyStatements,
  following: (patientId: string) => readonly Statement[],
) {
  const { db, now } = call;
  const hospitalId = resolveHospitalId(effectiveRole, input.hospital_id) ?? "";
  const { role } = effectiveRole;
  const reason = input.duplicate_reason ?? null;
  const { id, identity, person, statements, insertIndex } = await preparePatient(call, input, hospitalId, role, {
    unlessSimilar: reason === null,
    id: input.id,
  });
  const leading = leadingStatements(id);
  const history = await recordChange(call, { patient: { id }, role }, { reason, fields: [] });
  const results = await batch(db, [...leading, ...statements, ...history, ...following(id)]).catch(async (error: unknown) => {
    if (isConditionFailed(error, "patients.hospital_id")) throw new ApiError("not_found");
    if (isConditionFailed(error, "patients.created_by"))
      return denyDuplicate(call, effectiveRole, hospitalId, { identity, person });
    if (isConditionFailed(error, "person_identifiers.patient_uid")) {
      const event = { event: "patient.create", action: "C", role, hospitalId } as const;
      return failWithAudit(call, "conflict", event, OTHER_PERSON_DETAIL);
    }
    throw isForeignKeyViolation(error) ? new ApiError("invalid_request", UNKNOWN_REFERENCE_DETAIL) : error;
  });
  const [{ number, uid, basis }] = InsertedRow.parse(results[leading.length + insertIndex]);
  const row = {
    id,
    patient_number: number,
    hospital_id: hospitalId,
    ward_id: input.ward_id,
    patient_uid: uid,
    uid_basis: basis,
    monitoring: input.monitoring,
    assigned_doctor_id: input.assigned_doctor_id,
    active: 1,
    restricted_at: null,
    merged_into: null,
    created_at: now,
    updated_at: now,
    version: 1,
  };
  return { ...toPatientSummary(row, identity), ...pickClinical(input) };
}
