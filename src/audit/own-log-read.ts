// The event of a patient's read of the own access log: one per person and UTC day, however often the page is opened.
import { sql } from "drizzle-orm";
import type { UserActor, UserCall } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import { batch, type Db } from "../platform/db/client.ts";
import { utcDayOf } from "../platform/time.ts";

/** Records of one account; ROW_LIMITS.accountRecords. */
const MAX_RECORDS = 100;

/** Selects the own records, each with whether the day's event exists. */
export const selectOwnRead = (db: Db, { userId }: UserActor, now: number) =>
  db.all<OwnRead>(sql`SELECT l.patient_id AS patient,
      EXISTS (SELECT 1 FROM access_log_reads r WHERE r.user_id = ${userId} AND r.day >= ${utcDayOf(now)}) AS is_recorded
    FROM patient_links l WHERE l.user_id = ${userId} ORDER BY l.patient_id LIMIT ${MAX_RECORDS}`);
export type OwnRead = { patient: string; is_recorded: number };

/** Records the first read of the day, in the logs of all own records; of two at once one. */
export async function recordOwnRead({ db, actor, now }: UserCall, rows: readonly OwnRead[]): Promise<void> {
  if (rows.length === 0 || rows[0]?.is_recorded) return;
  await batch(db, [
    db.run(sql`INSERT INTO access_log_reads (user_id, day) VALUES (${actor.userId}, CAST(${utcDayOf(now)} AS INTEGER))
      ON CONFLICT (user_id) DO UPDATE SET day = excluded.day WHERE day < excluded.day`),
    ...recordAuditEvent(db, actor, now, {
      event: "audit.read",
      action: "R",
      role: "patient",
      basis: "self",
      hospitalId: null,
      subjects: rows.map(({ patient }) => patient),
      when: sql`changes() > 0`,
    }),
  ]);
}
