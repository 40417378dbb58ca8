// Certificates of erasures in the order of their end, to be kept outside of backups.
import { sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { appendAuditEvent, toListEvents } from "../../access/audit.ts";
import { Certificate } from "../run/certificate.ts";

/** The last certificate that the caller has; without it the list begins with the oldest. Both or neither. */
export type CertificateQuery = { erased_after?: string | undefined; after_id?: string | undefined; limit: number };

type CertifiedRow = { patientId: string; hospitalId: string; certificate: string };

/** Requires `admin:read`. Of erasures that ended in the same millisecond, the id decides. */
export async function listCertificates(anyCall: Call, { erased_after, after_id, limit }: CertificateQuery) {
  const after = erased_after === undefined ? -1 : Date.parse(erased_after);
  const { call, effectiveRole, results } = await withUser(anyCall, "admin:read", (_, { db }) => [
    db.all<CertifiedRow>(sql`SELECT patient_id AS patientId, hospital_id AS hospitalId, certificate
      FROM erasures INDEXED BY erasures_ended WHERE state = 'erased' AND (erased_at, id) > (${after}, ${after_id ?? ""})
      ORDER BY erased_at, id LIMIT ${limit + 1}`),
  ]);
  const [found] = results;
  const rows = found.slice(0, limit);
  const events = toListEvents(
    rows,
    ({ hospitalId }) => hospitalId,
    null,
    (ofHospital) => ({
      event: "erasure.list",
      action: "R",
      role: effectiveRole.role,
      subjects: ofHospital.map(({ patientId }) => patientId),
    }),
  );
  const certificates = rows.map(({ certificate }) => Certificate.parse(JSON.parse(certificate)));
  await appendAuditEvent(call, events);
  return { certificates, has_more: found.length > limit };
}
