// Records with their hospitals, and the events of a consent in the log of each hospital that it concerns.
import { sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../access/audit.ts";
import type { Db, Statement } from "../platform/db/client.ts";

/** A record with its hospital. */
export type Place = { id: string; hospitalId: string };

/** The records of these ids, and those that a consent shares. */
export const selectPlaces = (db: Db, ids: readonly string[], consentId = "") =>
  db.all<Place>(sql`SELECT id, hospital_id AS hospitalId FROM patients WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)})
    UNION SELECT patient_id FROM consent_records WHERE consent_id = ${consentId})`);

/** One event per hospital: in the log of the one that reads, and of each one whose record is shared. */
export function recordInLogs(
  { db, actor, now }: Pick<Call, "db" | "actor" | "now">,
  event: Omit<AuditEvent, "hospitalId" | "subjects">,
  places: readonly Place[],
): Statement[] {
  return [...Map.groupBy(places, ({ hospitalId }) => hospitalId)].flatMap(([hospitalId, records]) =>
    recordAuditEvent(db, actor, now, { ...event, hospitalId, subjects: records.map(({ id }) => id) }),
  );
}
