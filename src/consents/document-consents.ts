// Consents of document requests: of the records of one hospital, which is notified, and ended with the request.
import { type SQL, sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { failsUnless } from "../access/sign-in.ts";
import type { NotificationKind } from "../notifications/kinds.ts";
import { notify } from "../notifications/notify.ts";
import type { Db, Statement } from "../platform/db/client.ts";
import { type ConsentRow, keepVersion } from "./consent-rows.ts";

type OfRequest = Pick<ConsentRow, "id" | "documentRequestId">;

/**
 * For a grant: the records must be of the hospital that is asked; where none is named, they are of one, which is asked from then on. Fails
 * its batch (`isRoleChanged`) otherwise. @param patientIds JSON array of the shared records' ids
 */
export function chooseHospital(db: Db, { id, documentRequestId }: OfRequest, patientIds: string): Statement[] {
  if (documentRequestId === null) return [];
  const hospitals = sql`SELECT p.hospital_id FROM json_each(${patientIds}) j JOIN patients p ON p.id = j.value`;
  return [
    db.run(sql`UPDATE document_requests SET asked_hospital_id = (${hospitals} LIMIT 1)
      WHERE consent_id = ${id} AND asked_hospital_id IS NULL`),
    failsUnless(
      db,
      sql`NOT EXISTS (SELECT 1 FROM document_requests q WHERE q.consent_id = ${id}
        AND EXISTS (SELECT 1 FROM (${hospitals}) h WHERE h.hospital_id <> q.asked_hospital_id))`,
    ),
  ];
}

/** Notifies administrators of the asked hospital and the care teams of the shared records of a request that is not yet ended. */
export function tellAskedHospital(
  { db, actor, now }: Pick<Call, "db" | "actor" | "now">,
  { id, documentRequestId }: OfRequest,
  hospitalId: string | null,
  kind: NotificationKind,
  when: SQL = sql`1`,
): Statement[] {
  if (documentRequestId === null) return [];
  return notify(db, actor, now, {
    kind,
    hospitalId,
    refs: { document_request_id: documentRequestId },
    recipients: sql`SELECT m.user_id FROM document_requests q JOIN memberships m ON m.hospital_id = q.asked_hospital_id
      WHERE q.consent_id = ${id} AND q.status IN ('requested', 'approved') AND m.ended_at IS NULL
        AND EXISTS (SELECT 1 FROM consent_records r WHERE r.consent_id = ${id} AND (m.role = 'hospital_admin' OR EXISTS (SELECT 1
          FROM care_team t WHERE t.patient_id = r.patient_id AND t.user_id = m.user_id AND t.ended_at IS NULL)))`,
    when,
  });
}

/** Ends the consent of a request that ended without documents, with its version. @param when whether the request has ended */
export const endConsent = (db: Db, id: string, changedBy: string | null, now: number, when: SQL): Statement[] => [
  db.run(sql`UPDATE consents SET status = 'expired', ended_at = CAST(${now} AS INTEGER), updated_at = CAST(${now} AS INTEGER),
    version = version + 1 WHERE id = ${id} AND status IN ('requested', 'granted') AND ${when}`),
  keepVersion(db, id, changedBy, now, when),
];
