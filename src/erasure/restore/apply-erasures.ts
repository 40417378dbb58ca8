// Erasures that are repeated after a backup was restored that is older than they are. A certificate proves each of them.
import { type SQL, sql } from "drizzle-orm";
import { uniqBy } from "es-toolkit/array";
import { withUser } from "../../access/access.ts";
import { type Call, getActorId, type UserCall } from "../../access/actor.ts";
import { recordAuditEvent, toListEvents } from "../../access/audit.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { type CertifiedErasure, type SignedCertificate, verifyCertificate } from "../run/certificate.ts";

/** Certificates per request. */
export const MAX_APPLIED = 20;

/**
 * `absent`: nothing is left to erase. `erasing`: the patient was restored, and the job erases the record. `refused`: no certificate of
 * this deployment.
 */
export const APPLIED_STATES = ["absent", "erasing", "refused"] as const;
export type AppliedErasure = { erasure_id: string | null; state: (typeof APPLIED_STATES)[number] };

type StoredState = { id: string; isPatient: number; isErasing: number };

/**
 * Begins the erasure of each patient again who exists, and locks the record. May be repeated. Retention and holds are not asked, and
 * nobody decides again: the certificate shows that the erasure took place. Requires `erasure:apply`.
 */
export async function applyErasures(anyCall: Call, certificates: readonly SignedCertificate[]): Promise<AppliedErasure[]> {
  const verified = await Promise.all(certificates.map((certificate) => verifyCertificate(anyCall.keys, certificate)));
  const erasures = verified.filter((erasure) => erasure !== null);
  const { call, effectiveRole, results } = await withUser(anyCall, "erasure:apply", (_, { db }) => [
    db.all<StoredState>(sql`SELECT value->>0 AS id, EXISTS (SELECT 1 FROM patients WHERE id = value->>1) AS isPatient,
        ${isErasing(sql`value->>1`)} AS isErasing
      FROM json_each(${JSON.stringify(erasures.map(({ id, patientId }) => [id, patientId]))})`),
  ]);
  const [rows] = results;
  const states = new Map(rows.map((row) => [row.id, row]));
  const isRestored = ({ id }: CertifiedErasure) => states.get(id)?.isPatient === 1 && states.get(id)?.isErasing === 0;
  // A patient who was erased more than once has more than one certificate.
  const begun = uniqBy(erasures.filter(isRestored), ({ patientId }) => patientId);
  const events = toListEvents(
    begun,
    ({ hospitalId }) => hospitalId,
    null,
    (ofHospital) => ({
      event: "erasure.apply",
      action: "D",
      role: effectiveRole.role,
      subjects: ofHospital.map(({ patientId }) => patientId),
      detail: { certificates: certificates.length, refused: certificates.length - erasures.length },
    }),
  );
  await batch(call.db, [
    ...begun.flatMap((erasure) => beginAgain(call, erasure)),
    ...events.flatMap((event) => recordAuditEvent(call.db, call.actor, call.now, event)),
  ]);
  return verified.map((erasure) => ({ erasure_id: erasure?.id ?? null, state: toState(erasure, states) }));
}

function toState(erasure: CertifiedErasure | null, states: ReadonlyMap<string, StoredState>): AppliedErasure["state"] {
  if (!erasure) return "refused";
  const { isPatient, isErasing } = states.get(erasure.id) ?? { isPatient: 0, isErasing: 0 };
  return isPatient === 1 || isErasing === 1 ? "erasing" : "absent";
}

/** An erasure under way is never begun again, by whichever certificate: it has read whom it is about, and some of that is deleted. */
const isErasing = (patientId: SQL) => sql`EXISTS (SELECT 1 FROM erasures WHERE patient_id = ${patientId} AND state = 'erasing')`;

/** The restored row of the erasure may be in any state, or missing. */
function beginAgain({ db, actor, now }: UserCall, erasure: CertifiedErasure): Statement[] {
  const { id, patientId, hospitalId, requestedAt, approvedAt, erasedAt } = erasure;
  const isUnderWay = isErasing(sql`${patientId}`);
  return [
    db.run(sql`DELETE FROM erasures WHERE patient_id = ${patientId} AND id <> ${id} AND state IN ('requested', 'restricted')
      AND EXISTS (SELECT 1 FROM patients WHERE id = ${patientId}) AND NOT ${isUnderWay}`),
    db.run(sql`INSERT INTO erasures (id, patient_id, hospital_id, state, requested_by, requested_at, decided_at, erase_on, started_at)
      SELECT ${id}, id, ${hospitalId}, 'erasing', ${getActorId(actor)}, CAST(${requestedAt} AS INTEGER),
        CAST(${approvedAt} AS INTEGER), CAST(${erasedAt} AS INTEGER), CAST(${now} AS INTEGER) FROM patients
        WHERE id = ${patientId} AND NOT ${isUnderWay}
      ON CONFLICT (id) DO UPDATE SET state = 'erasing', progress = NULL, list_hash = '', certificate = NULL, erased_at = NULL,
        failures = 0, failure = NULL, retry_at = NULL, erase_on = excluded.erase_on, started_at = excluded.started_at
        WHERE state <> 'erasing'`),
    db.run(sql`UPDATE patients SET restricted_at = coalesce(restricted_at, CAST(${now} AS INTEGER)), active = 0, monitoring = 'off'
      WHERE id = ${patientId} AND ${isUnderWay}`),
  ];
}
