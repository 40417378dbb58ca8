// The answer to the registration of a person of whom the hospital may already have a record.
import { sql } from "drizzle-orm";
import type { EffectiveRole, PrincipalCall } from "../access/actor.ts";
import { appendAuditEvent } from "../access/audit.ts";
import { PATIENT_SUMMARY_COLUMNS, type PatientRow } from "../access/patient-row.ts";
import { roleAllows } from "../access/permissions.ts";
import { patientVisibility } from "../access/visibility.ts";
import { patients } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { findSimilar, type MatchedBy, matchIdentities } from "./identity/patient-tokens.ts";
import { type PersonRef, patientUidOf } from "./identity/person.ts";
import { type Identity, unsealIdentity } from "./identity/sealed-fields.ts";

/** Records that a response lists; a phone number may be that of a whole family. */
const MAX_LISTED = 20;

type SimilarRow = Omit<PatientRow, "clinical_sealed"> & { visible: number; same_person: number };

/**
 * Throws with the similar records that the caller may see, and the number of the others.
 * @throws ApiError possible_duplicate always
 */
export async function denyDuplicate(
  call: PrincipalCall,
  effectiveRole: EffectiveRole,
  hospitalId: string,
  { identity, person }: { identity: Identity; person: PersonRef | null },
): Promise<never> {
  const { db, keys, actor } = call;
  const isVisible = roleAllows(effectiveRole, "patient:read")
    ? patientVisibility(effectiveRole, actor, patients.id, patients.hospitalId)
    : sql`0`;
  const isSamePerson = person ? sql`coalesce(patients.patient_uid = ${patientUidOf(person)}, 0)` : sql`0`;
  const similar = await findSimilar(keys, hospitalId, identity, person, MAX_LISTED);
  const rows =
    await db.all<SimilarRow>(sql`SELECT ${PATIENT_SUMMARY_COLUMNS}, (${isVisible}) AS visible, ${isSamePerson} AS same_person
    FROM patients WHERE id IN (${similar}) ORDER BY patient_number LIMIT ${MAX_LISTED}`);
  const shown = rows.filter(({ visible }) => visible === 1);
  const subjects = shown.map(({ id }) => id);
  await appendAuditEvent(call, {
    event: "patient.duplicates",
    action: "R",
    role: effectiveRole.role,
    hospitalId,
    subjects,
    detail: { count: shown.length },
  });
  const duplicates = await Promise.all(
    shown.map(async (row) => {
      const found = await unsealIdentity(keys, row);
      const matchedBy: MatchedBy[] = [...(row.same_person ? ["patient_uid" as const] : []), ...matchIdentities(identity, found)];
      return {
        patient_id: row.id,
        patient_number: row.patient_number,
        first_name: found.first_name,
        last_name: found.last_name,
        date_of_birth: found.date_of_birth,
        is_active: row.active === 1,
        matched_by: matchedBy,
      };
    }),
  );
  throw new ApiError("possible_duplicate", "Look at the similar records, or say in duplicate_reason why it is another person.", {
    members: { duplicates, not_visible: rows.length - shown.length },
  });
}
