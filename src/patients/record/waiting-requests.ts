// Tells somebody who has claimed a record of the requests for consent that wait for its person: nobody could be told when they were made.
import { sql } from "drizzle-orm";
import type { UserCall } from "../../access/actor.ts";
import { ruleOf } from "../../notifications/kinds.ts";
import { insertNotices, isRowsChannelOn } from "../../notifications/notify.ts";
import type { Statement } from "../../platform/db/client.ts";

/** As many of one hospital wait for one person at most (`ROW_LIMITS.openConsentRequests`). */
const MAX_TOLD = 20;
const KIND = "consent.requested";

/** Statements for the batch that links the record, behind the link. Cron hands the deliveries over. */
export function tellOfWaitingRequests({ db, actor, now }: UserCall, patientId: string): Statement[] {
  const rule = ruleOf(KIND);
  const rows = sql`SELECT l.user_id AS id, c.id AS event_id, c.hospital_id AS hospital_id, ${KIND} AS kind, ${rule.priority} AS priority,
      json_object('consent_id', c.id) AS refs, ${now} AS at
    FROM patient_links l JOIN consents c ON c.patient_id = l.patient_id AND c.status = 'requested' AND c.answer_until > ${now}
    WHERE l.user_id = ${actor.userId} AND l.patient_id = ${patientId} AND l.created_at = ${now} LIMIT ${MAX_TOLD}`;
  return insertNotices(db, rows, (channel) => isRowsChannelOn(rule, channel));
}
