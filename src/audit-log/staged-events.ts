// Audit events that wait in D1 until every log they belong to has them.
import { type SQL, sql } from "drizzle-orm";
import type { Db, Statement } from "../platform/db/client.ts";
import { HOUR_MS } from "../platform/time.ts";
import { type AuditLogEvent, NO_HOSPITAL_LOG } from "./contract.ts";

/** Events that a log refused for their content are tried again after this time, as a new version may accept them. */
const PARKED_RETRY_MS = 6 * HOUR_MS;

/**
 * The statement that stages an event. Staging the same id again changes nothing.
 * @param subjectsQuery further subjects: a query of one column of patient ids  @param when the condition for the row
 */
export function stageEvent(db: Db, event: AuditLogEvent, subjectsQuery?: SQL, when: SQL = sql`1`): Statement {
  const { id, subjects, ...rest } = event;
  const listed = JSON.stringify(subjects);
  const all = subjectsQuery
    ? sql`(SELECT json_group_array(value) FROM (SELECT value FROM json_each(${listed}) UNION ${subjectsQuery}))`
    : sql`${listed}`;
  return db.run(sql`INSERT INTO audit_staged (id, event, subjects)
    SELECT ${id}, ${JSON.stringify(rest)}, ${all} WHERE ${when} ON CONFLICT (id) DO NOTHING`);
}

/** A new UUIDv7 in SQL, for events that one statement makes of many rows. @param now epoch milliseconds */
export const newEventId = (
  now: number,
): SQL => sql`printf('%08x-%04x-7%s-%s%s-%s', CAST(${now} AS INTEGER) >> 16, CAST(${now} AS INTEGER) & 65535,
  substr(lower(hex(randomblob(2))), 2), substr('89ab', 1 + (random() & 3), 1), substr(lower(hex(randomblob(2))), 2), lower(hex(randomblob(6))))`;

export type StagedRow = { id: string; event: string; subjects: string };

/** Waiting rows with an id after `after`, by id, that belong to none of these logs. */
export function selectStaged(db: Db, after: string, withoutLogs: readonly string[], now: number, limit: number) {
  const skipped = sql`(SELECT value FROM json_each(${JSON.stringify(withoutLogs)}))`;
  return db.all<StagedRow>(sql`SELECT id, event, subjects FROM audit_staged
    WHERE id > ${after} AND coalesce(parked_at, 0) < ${now - PARKED_RETRY_MS}
      AND ${
        withoutLogs.length === 0
          ? sql`1`
          : sql`iif(json_valid(event), coalesce(event->>'hospital_id', ${NO_HOSPITAL_LOG}), '') NOT IN ${skipped}
        AND iif(json_valid(event), coalesce(event->>'actor_hospital_id', ''), '') NOT IN ${skipped}`
      }
    ORDER BY id LIMIT ${limit}`);
}

/** @throws SyntaxError for a damaged row */
export const parseStaged = ({ id, event, subjects }: StagedRow): AuditLogEvent => ({
  ...(JSON.parse(event) as Omit<AuditLogEvent, "id" | "subjects">),
  id,
  subjects: JSON.parse(subjects) as string[],
});

/** Deletes what every log has, and parks what a log refused. */
export const settleStaged = (db: Db, done: readonly string[], refused: readonly string[], now: number): Statement[] => [
  ...(done.length === 0
    ? []
    : [db.run(sql`DELETE FROM audit_staged WHERE id IN (SELECT value FROM json_each(${JSON.stringify(done)}))`)]),
  ...(refused.length === 0
    ? []
    : [
        db.run(sql`UPDATE audit_staged SET parked_at = CAST(${now} AS INTEGER)
          WHERE id IN (SELECT value FROM json_each(${JSON.stringify(refused)}))`),
      ]),
];
