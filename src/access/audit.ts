// The audit trail: statements for the caller's own batch, so that state and trace commit together or not at all.
import { type SQL, sql } from "drizzle-orm";
import type { Db, Statement } from "../platform/db/client.ts";
import { type Actor, getActorId, type Role } from "./actor.ts";

export type AuditAction = "C" | "R" | "U" | "D" | "E";
export type AuditEvent = {
  /** `<thing>.<what happened>`, e.g. `report.read`, `login.failed`. */
  event: string;
  action: AuditAction;
  outcome?: "success" | "denied" | "failed";
  reason?: string;
  role?: Role | "device" | "app";
  basis?: string;
  purpose?: string;
  /** Whose data it is about. */
  hospitalId?: string | null;
  /** Where the actor works; kept when that is another hospital. */
  actorHospitalId?: string | null;
  entity?: { type: string; id: string };
  /** Patients whose data the event touched. */
  subjects?: readonly string[];
  /** Ids, counts and keyed hashes only. */
  detail?: Record<string, unknown>;
  /** For writes that decide in SQL: the event is written only if this holds. `changes() > 0`: the statement before did something. */
  when?: SQL;
};

/** One event and its subjects, to be put together in the batch that does what the event says. */
export function recordAuditEvent(db: Db, actor: Actor, now: number, event: AuditEvent): Statement[] {
  const workplaceId = event.actorHospitalId ?? null;
  const atOtherHospital = workplaceId === (event.hospitalId ?? null) ? null : workplaceId;
  const insertEvent = db.run(sql`INSERT INTO audit_events (recorded_at, action, event, outcome, reason, actor_kind, actor_id,
      actor_role, hospital_id, actor_hospital_id, basis, purpose, entity_type, entity_id, request_id, ip, detail)
    SELECT CAST(${now} AS INTEGER), ${event.action}, ${event.event}, ${event.outcome ?? "success"}, ${event.reason ?? null},
      ${actor.kind}, ${actor.kind === "anonymous" ? null : getActorId(actor)}, ${event.role ?? null}, ${event.hospitalId ?? null},
      ${atOtherHospital}, ${event.basis ?? null}, ${event.purpose ?? null}, ${event.entity?.type ?? null}, ${event.entity?.id ?? null}, ${actor.via.requestId},
      ${actor.via.ip}, ${event.detail ? JSON.stringify(event.detail) : null}
    WHERE ${event.when ?? sql`1`}`);
  const subjects = [...new Set(event.subjects ?? [])];
  return subjects.length > 0 ? [insertEvent, insertSubjectsOfLastEvent(db, JSON.stringify(subjects))] : [insertEvent];
}

/**
 * What `work` gives, once the audit event is stored: reading a sealed record may begin beside the write, and is never answered
 * before it.
 */
export async function afterAudit<T>(stored: Promise<unknown>, work: Promise<T>): Promise<T> {
  // Awaited below; a failure meanwhile must not count as unhandled.
  work.catch(() => undefined);
  await stored;
  return work;
}

/** How much older than an event before it one can be: its time is the request's beginning, and bodies take minutes. */
const MAX_DISORDER_MS = 3_600_000;

/** All events recorded at `time` (epoch ms) or later have a higher `seq`. 0 when that may be all. */
export const seqLowerBound = (time: number): SQL => searchSeqByTime(time - MAX_DISORDER_MS);

/** No event recorded before `time` has a higher `seq`. */
export const seqUpperBound = (time: number): SQL => searchSeqByTime(time + MAX_DISORDER_MS);

/**
 * The trail is written in the order of time, nearly: steps that halve find a time within some thirty rows, however long it is, and
 * save an index that every event would pay for. What is at or below `low` is older than the time.
 */
function searchSeqByTime(time: number): SQL {
  return sql`(WITH RECURSIVE half (low, step) AS (
      SELECT 0, 1 << 40
      UNION ALL
      SELECT low + iif((SELECT recorded_at FROM audit_events WHERE seq >= low + step ORDER BY seq LIMIT 1) < ${time}, step, 0), step / 2
      FROM half WHERE step > 0)
    SELECT low FROM half WHERE step = 0)`;
}

/** The event just inserted has the highest seq, D1 having one writer; if its `when` kept it out, changes() is 0. */
function insertSubjectsOfLastEvent(db: Db, patientIds: string): Statement {
  return db.run(sql`INSERT INTO audit_subjects (patient_id, seq)
    SELECT value, (SELECT max(seq) FROM audit_events) FROM json_each(${patientIds}) WHERE changes() > 0`);
}
