// Tells somebody who has claimed a record, or was confirmed as a guardian, of the requests for consent that wait for its person: nobody could be told when they were made.
import { type SQL, sql } from "drizzle-orm";
import type { UserCall } from "../../access/actor.ts";
import { ruleOf } from "../../notifications/kinds.ts";
import { insertNotices, isRowsChannelOn } from "../../notifications/notify.ts";
import type { Statement } from "../../platform/db/client.ts";

/** As many of one hospital wait for one person at most (`ROW_LIMITS.openConsentRequests`). */
const MAX_TOLD = 20;
const KIND = "consent.requested";

/** Statements for the batch that links the record, behind the link. Cron hands the deliveries over. */
export const tellOfWaitingRequests = (call: UserCall, patientId: string): Statement[] =>
  tell(
    call,
    sql`SELECT l.user_id, l.patient_id FROM patient_links l
      WHERE l.user_id = ${call.actor.userId} AND l.patient_id = ${patientId} AND l.created_at = ${call.now}`,
  );

/** Statements for the batch that confirms a guardianship, behind the change. A guardian who has claimed the record knows the requests. */
export const tellGuardianOfWaitingRequests = (call: UserCall, guardianshipId: string): Statement[] =>
  tell(
    call,
    sql`SELECT g.guardian_id AS user_id, g.patient_id FROM guardianships g
      WHERE g.id = ${guardianshipId} AND g.confirmed_by = ${call.actor.userId} AND g.confirmed_at = ${call.now}
        AND NOT EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = g.guardian_id AND l.patient_id = g.patient_id)`,
  );

/** @param told `user_id` and `patient_id` of who is told, and of which record */
function tell({ db, now }: UserCall, told: SQL): Statement[] {
  const rule = ruleOf(KIND);
  const rows = sql`SELECT t.user_id AS id, c.id AS event_id, c.hospital_id AS hospital_id, ${KIND} AS kind, ${rule.priority} AS priority,
      json_object('consent_id', c.id) AS refs, ${now} AS at
    FROM (${told}) t JOIN consents c ON c.patient_id = t.patient_id AND c.status = 'requested' AND c.answer_until > ${now}
    LIMIT ${MAX_TOLD}`;
  return insertNotices(db, rows, (channel) => isRowsChannelOn(rule, channel));
}
