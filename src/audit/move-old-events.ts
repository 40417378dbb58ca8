// Moves the audit events of D1's tables audit_events and audit_subjects into the objects of their logs. Run by cron.
import { sql } from "drizzle-orm";
import { chunk } from "es-toolkit";
import { purposeOf } from "../access/purposes.ts";
import { isContentRefused } from "../audit-log/audit-logs.ts";
import { type AuditLogEvent, auditLogOf, logsOf, MAX_SUBJECTS, type MovedEvent } from "../audit-log/contract.ts";
import { stageEvent } from "../audit-log/staged-events.ts";
import { batch, type Db, getDb } from "../platform/db/client.ts";
import { auditEvents } from "../platform/db/schema.ts";
import { log } from "../platform/log.ts";
import { HOUR_MS } from "../platform/time.ts";

type OldRow = typeof auditEvents.$inferSelect;
/** `rest`: further events with the other patients of a row that names more than one event may. */
type OldEvent = MovedEvent & { rest: AuditLogEvent[] };

/** Rows that are read, moved and deleted together. */
export const ROWS_PER_ROUND = 500;
/** Events per call of an object. */
const EVENTS_PER_CALL = 200;
/** A run ends after this time; the next one begins a minute after it began. */
const MAX_RUN_MS = 25_000;
/**
 * The last row stays this long: without rows SQLite would number from 1 again, and a log would skip the events that an older
 * version of the Worker may still write while it is being replaced.
 */
const LAST_ROW_KEPT_MS = HOUR_MS;

/**
 * Moves rows in the order of `seq`: first into every log of the event, then out of D1. A run that ends anywhere is repeated by the
 * next; logs skip the rows that they have. A row that a log refuses for its content is staged instead: it waits in D1 like any other
 * event that was refused (audit-log/hand-over.ts). Costs one read of no row when the table is empty.
 * @returns how many rows were deleted  @throws what D1 or an object throws
 */
export async function moveOldEvents(env: Env, now: number): Promise<number> {
  const db = getDb(env.DB);
  const endsAt = Date.now() + MAX_RUN_MS;
  let deleted = 0;
  while (Date.now() < endsAt) {
    const rows = await db.select().from(auditEvents).orderBy(auditEvents.seq).limit(ROWS_PER_ROUND);
    const last = rows.at(-1);
    if (!last) break;
    await appendToLogs(env, db, await toOldEvents(db, rows));
    const lastDeletable = last.recordedAt > now - LAST_ROW_KEPT_MS && rows.length < ROWS_PER_ROUND ? rows.at(-2)?.seq : last.seq;
    if (lastDeletable === undefined) break;
    deleted += await deleteRows(db, lastDeletable);
    if (rows.length < ROWS_PER_ROUND) break;
  }
  if (deleted > 0) log(env, "INFO", "audit events moved out of D1", { count: deleted });
  return deleted;
}

async function appendToLogs(env: Env, db: Db, events: readonly OldEvent[]): Promise<void> {
  const byLog = Map.groupBy(
    events.flatMap((old) => logsOf(old.event).map((logId) => ({ logId, old }))),
    ({ logId }) => logId,
  );
  await Promise.all(
    [...byLog].map(async ([logId, ofLog]) => {
      const olds = ofLog.map(({ old }) => old);
      for (const old of olds.filter(({ rest }) => rest.length > 0)) await appendRest(env, db, logId, old);
      for (const call of chunk(olds, EVENTS_PER_CALL)) await moveOrDivide(env, db, logId, call);
    }),
  );
}

async function appendRest(env: Env, db: Db, logId: string, old: OldEvent): Promise<void> {
  try {
    await auditLogOf(env, logId).append(old.rest);
  } catch (error) {
    if (!isContentRefused(error)) throw error;
    await setAside(env, db, logId, old.seq, old.rest);
  }
}

/**
 * Finds the rows that a log refuses by halving the list. Each is staged before a later row is moved: the log takes the rows up to the
 * last one for moved.
 */
async function moveOrDivide(env: Env, db: Db, logId: string, olds: readonly OldEvent[]): Promise<void> {
  try {
    await auditLogOf(env, logId).moveIn(olds.map(({ seq, event }) => ({ seq, event })));
  } catch (error) {
    if (!isContentRefused(error)) throw error;
    const [first] = olds;
    if (first && olds.length === 1) return setAside(env, db, logId, first.seq, [first.event]);
    const half = Math.ceil(olds.length / 2);
    await moveOrDivide(env, db, logId, olds.slice(0, half));
    await moveOrDivide(env, db, logId, olds.slice(half));
  }
}

async function setAside(env: Env, db: Db, logId: string, seq: number, events: readonly AuditLogEvent[]): Promise<void> {
  await batch(
    db,
    events.map((event) => stageEvent(db, event)),
  );
  log(env, "ERROR", "old audit event set aside", { object_id: logId, code: String(seq), count: events.length });
}

/**
 * The events of rows, with their patients. audit_subjects has no index by `seq`: the query seeks the rows of each patient, because
 * an index over a table of this size would take too long to build.
 */
async function toOldEvents(db: Db, rows: readonly OldRow[]): Promise<OldEvent[]> {
  const found = await db.all<{ seq: number; patient_id: string }>(selectSubjects(rows[0]?.seq ?? 0, rows.at(-1)?.seq ?? 0));
  const patientIds = Map.groupBy(found, ({ seq }) => seq);
  return rows.map((row) => toOldEvent(row, (patientIds.get(row.seq) ?? []).map(({ patient_id }) => patient_id).sort()));
}

const PATIENTS = sql`RECURSIVE patient (id) AS (
    SELECT min(patient_id) FROM audit_subjects
    UNION ALL
    SELECT (SELECT min(patient_id) FROM audit_subjects WHERE patient_id > patient.id) FROM patient WHERE patient.id IS NOT NULL)`;

const selectSubjects = (first: number, last: number) => sql`WITH ${PATIENTS}
  SELECT s.seq, s.patient_id FROM patient CROSS JOIN audit_subjects s ON s.patient_id = patient.id AND s.seq BETWEEN ${first} AND ${last}`;

function toOldEvent(row: OldRow, patientIds: readonly string[]): OldEvent {
  const [first = [], ...others] = chunk(patientIds, MAX_SUBJECTS);
  const rest = others.map((subjects, i) => toLogEvent(row, i + 1, subjects));
  return { seq: row.seq, event: toLogEvent(row, 0, first), rest };
}

function toLogEvent(row: OldRow, part: number, subjects: string[]): AuditLogEvent {
  const event = {
    id: toEventId(row.recordedAt, row.seq, part),
    recorded: row.recordedAt,
    event: row.event,
    action: row.action,
    outcome: row.outcome,
    reason: row.reason,
    actor: { kind: row.actorKind, id: row.actorId, role: row.actorRole },
    hospital_id: row.hospitalId,
    actor_hospital_id: row.actorHospitalId,
    basis: row.basis,
    entity: row.entityType && row.entityId ? { type: row.entityType, id: row.entityId } : null,
    request_id: row.requestId,
    ip: row.ip,
    detail: row.detail ? parseDetail(row.detail) : null,
    subjects,
  };
  const { basis, actorRole: role } = row;
  const facts = { event: row.event, ...(basis !== null && { basis }), ...(role !== null && { role }) };
  const purpose = row.purpose ?? purposeOf(event.actor, event.detail ? { ...facts, detail: event.detail } : facts);
  return { ...event, purpose };
}

/** A text that is no JSON is kept as it is. */
function parseDetail(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { damaged: text };
  }
}

/**
 * The layout of a UUIDv7 (RFC 9562, section 5.7) from what a row says, so that a repeated run makes the same id. Events of one
 * millisecond sort by `seq`.
 * @param part less than 4,096
 */
export function toEventId(recordedAt: number, seq: number, part: number): string {
  const time = Math.max(0, recordedAt).toString(16).padStart(12, "0");
  const tail = (BigInt(seq) | (2n << 62n)).toString(16).padStart(16, "0");
  const random = part.toString(16).padStart(3, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

async function deleteRows(db: Db, last: number): Promise<number> {
  const [, , count] = await batch(db, [
    db.run(sql`WITH ${PATIENTS} DELETE FROM audit_subjects WHERE (patient_id, seq) IN (
      SELECT s.patient_id, s.seq FROM patient CROSS JOIN audit_subjects s ON s.patient_id = patient.id AND s.seq <= ${last})`),
    db.run(sql`DELETE FROM audit_events WHERE seq <= ${last}`),
    db.all<{ n: number }>(sql`SELECT changes() AS n`),
  ]);
  return count[0]?.n ?? 0;
}
