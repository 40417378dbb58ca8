// Audit events as statements for the caller's own batch, so that a change and its audit event commit together or not at all.

import { type SQL, sql } from "drizzle-orm";
import type { Db, Statement } from "../platform/db/client.ts";
import { attachCharge } from "../platform/storage-quotas.ts";
import { HOUR_MS } from "../platform/time.ts";
import { type Actor, getActorId } from "./actor.ts";
import type { AuditEvent } from "./audit-event.ts";
import { limitRows } from "./row-allowance.ts";
import { toStorageCharge } from "./storage-charges.ts";

export type { AuditAction, AuditEvent } from "./audit-event.ts";

/**
 * The statements for one event and its subjects; add them to the batch that performs the action. A success counts the batch
 * against the storage quotas of actor and hospital (storage-charges.ts). Refusals and events that count against no quota have a
 * row up to a number per day (row-allowance.ts); beyond it the statement of the row changes nothing.
 */
export function recordAuditEvent(db: Db, actor: Actor, now: number, event: AuditEvent): Statement[] {
  const workplaceId = event.actorHospitalId ?? null;
  const atOtherHospital = workplaceId === (event.hospitalId ?? null) ? null : workplaceId;
  const charge = toStorageCharge(actor, now, event);
  const { count, isRowKept } = limitRows(db, actor, now, event, charge !== null);
  const insertEvent = db.run(sql`INSERT INTO audit_events (recorded_at, action, event, outcome, reason, actor_kind, actor_id,
      actor_role, hospital_id, actor_hospital_id, basis, purpose, entity_type, entity_id, request_id, ip, detail)
    SELECT CAST(${now} AS INTEGER), ${event.action}, ${event.event}, ${event.outcome ?? "success"}, ${event.reason ?? null},
      ${actor.kind}, ${actor.kind === "anonymous" ? null : getActorId(actor)}, ${event.role ?? null}, ${event.hospitalId ?? null},
      ${atOtherHospital}, ${event.basis ?? null}, ${event.purpose ?? null}, ${event.entity?.type ?? null}, ${event.entity?.id ?? null}, ${actor.via.requestId},
      ${actor.via.ip}, ${event.detail ? JSON.stringify(event.detail) : null}
    WHERE ${isRowKept}`);
  if (charge) attachCharge(insertEvent, charge);
  const subjects = [...new Set(event.subjects ?? [])];
  const hasSubjects = subjects.length > 0 || event.subjectsQuery !== undefined;
  return [...count, insertEvent, ...(hasSubjects ? [insertSubjectsOfLastEvent(db, subjects, event.subjectsQuery)] : [])];
}

/**
 * Returns the result of `work` once the audit event is stored. Reading a sealed record may start in parallel with the audit
 * write, but is never returned before it.
 */
export async function afterAudit<T>(stored: Promise<unknown>, work: Promise<T>): Promise<T> {
  // Awaited below; prevents an unhandled rejection in the meantime.
  work.catch(() => undefined);
  await stored;
  return work;
}

/** Maximum age difference to an earlier event: events carry the time the request began, and bodies take minutes. */
const MAX_DISORDER_MS = HOUR_MS;

/** Every event recorded at `time` (epoch ms) or later has a higher `seq`. Returns 0 when the bound may be the first event. */
export const seqLowerBound = (time: number): SQL => searchSeqByTime(time - MAX_DISORDER_MS);

/** No event recorded before `time` has a higher `seq`. */
export const seqUpperBound = (time: number): SQL => searchSeqByTime(time + MAX_DISORDER_MS);

/**
 * Events are stored nearly in order of time: a binary search finds a time in about thirty row reads, whatever the log's size,
 * and saves an index that every insert would maintain. Events at or below `low` are older than the time.
 */
function searchSeqByTime(time: number): SQL {
  return sql`(WITH RECURSIVE half (low, step) AS (
      SELECT 0, 1 << 40
      UNION ALL
      SELECT low + iif((SELECT recorded_at FROM audit_events WHERE seq >= low + step ORDER BY seq LIMIT 1) < ${time}, step, 0), step / 2
      FROM half WHERE step > 0)
    SELECT low FROM half WHERE step = 0)`;
}

/** The event just inserted has the highest seq, as D1 has one writer; if its `when` was false, changes() is 0. */
function insertSubjectsOfLastEvent(db: Db, patientIds: readonly string[], query: SQL | undefined): Statement {
  const listed = sql`json_each(${JSON.stringify(patientIds)})`;
  return db.run(sql`INSERT INTO audit_subjects (patient_id, seq) SELECT value, (SELECT max(seq) FROM audit_events)
    FROM ${query ? sql`(SELECT value FROM ${listed} UNION ${query})` : listed} WHERE changes() > 0`);
}
