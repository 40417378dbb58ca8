// Logins that are linked to a record: who claimed it, when and by which proof; and their end.
import { and, count, eq, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { revokeOwnDeviceCredentials } from "../../access/credentials.ts";
import { denyAccess } from "../../access/deny.ts";
import { authorizePatient, withPatient } from "../../access/patient-access.ts";
import { unsealProfile } from "../../access/profile.ts";
import { buildPage, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { batch } from "../../platform/db/client.ts";
import { patientLinks, users } from "../../platform/db/schema.ts";
import { toIso } from "../../platform/time.ts";
import { patientEvent } from "../patients.ts";

/** Lists the logins linked to a record, oldest first. @throws ApiError not_found */
export async function listPatientLinks(call: Call, ref: string, query: PageQuery) {
  const start = await resolvePageStart(call, `patient_links:${ref}`, query);
  const { where, orderBy } = keysetClauses(start, patientLinks.createdAt, patientLinks.userId, true);
  const { db, keys } = call;
  const { access, results } = await withPatient(call, { patient: ref }, "claim_code:create", (patientId) => [
    db
      .select({ link: patientLinks, profileSealed: users.profileSealed })
      .from(patientLinks)
      .innerJoin(users, eq(users.id, patientLinks.userId))
      .where(and(eq(patientLinks.patientId, patientId), where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.select({ n: count() }).from(patientLinks).where(eq(patientLinks.patientId, patientId)),
  ]);
  const [rows, [counted]] = results;
  const key = ({ link }: (typeof rows)[number]) => ({ value: link.createdAt, id: link.userId });
  const { rows: pageRows, pagination } = await buildPage(start, rows, key, { n: counted?.n ?? 0, exact: true });
  const items = Promise.all(
    pageRows.map(async ({ link, profileSealed }) => ({
      user_id: link.userId,
      full_name: (await unsealProfile(keys, { id: link.userId, profileSealed })).full_name,
      method: link.method,
      proof: link.proof,
      verified_by: link.verifiedBy,
      created_at: toIso(link.createdAt),
    })),
  );
  return { items: await afterAudit(appendAuditEvent(call, patientEvent(access, "patient.links", "R")), items), pagination };
}

/** Unlinks a login from the record, effective at once, also for the credentials that it issued for own devices. @throws ApiError not_found */
export async function removePatientLink(call: Call, ref: string, userId: string): Promise<string> {
  const { db, actor, now } = call;
  const access = await authorizePatient(call, { patient: ref }, "claim_code:create");
  const { patient, role, hospitalId } = access;
  const event = { ...patientEvent(access, "patient.unlink", "D"), detail: { user_id: userId }, when: sql`changes() > 0` };
  const isUnlinked = sql`NOT EXISTS (SELECT 1 FROM patient_links WHERE patient_id = ${patient.id} AND user_id = ${userId})`;
  const [removed] = await batch(db, [
    db
      .delete(patientLinks)
      .where(and(eq(patientLinks.patientId, patient.id), eq(patientLinks.userId, userId)))
      .returning({ userId: patientLinks.userId }),
    ...recordAuditEvent(db, actor, now, event),
    revokeOwnDeviceCredentials(db, userId, patient.id, now, isUnlinked),
  ]);
  if (removed.length > 0) return patient.id;
  return denyAccess(call, "claim_code:create", "not_found", {
    role,
    hospitalId,
    target: { user: userId },
    patientId: patient.id,
  });
}
