// Reading the trail: administrators all of it, hospital administrators their hospital's, patients what concerns them.
import { and, desc, eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { asCaller } from "../access.ts";
import type { Call, UserActor, UserStanding } from "../actor.ts";
import { audit, seqBefore, seqUntil } from "../audit.ts";
import { batch } from "../db/client.ts";
import { auditEvents } from "../db/schema.ts";
import { COUNT_LIMIT, type PageQuery, startOf, toPage } from "../pagination.ts";

export type AuditQuery = PageQuery & {
  patient_id?: string | undefined;
  actor_id?: string | undefined;
  event?: string | undefined;
  outcome?: "success" | "denied" | "failed" | undefined;
  from?: string | undefined;
  to?: string | undefined;
  abroad?: boolean | undefined;
};

/** The columns of D1 have their version by its migrations. */
const Detail = z.record(z.string(), z.unknown());
const SEQ = auditEvents.seq;

function visible(standing: UserStanding, actor: UserActor, abroad: boolean): SQL {
  if (standing.role === "admin") return abroad ? sql`${auditEvents.actorHospitalId} IS NOT NULL` : sql`1`;
  if (standing.role === "hospital_admin" && abroad) return eq(auditEvents.actorHospitalId, standing.hospitalId ?? "");
  if (standing.role === "hospital_admin") return eq(auditEvents.hospitalId, standing.hospitalId ?? "");
  return sql`${SEQ} IN (SELECT s.seq FROM audit_subjects s JOIN patient_links l ON l.patient_id = s.patient_id WHERE l.user_id = ${actor.userId})`;
}

function filterOf(query: AuditQuery): SQL | undefined {
  return and(
    query.patient_id ? sql`${SEQ} IN (SELECT seq FROM audit_subjects WHERE patient_id = ${query.patient_id})` : undefined,
    query.actor_id ? eq(auditEvents.actorId, query.actor_id) : undefined,
    query.event ? eq(auditEvents.event, query.event) : undefined,
    query.outcome ? eq(auditEvents.outcome, query.outcome) : undefined,
    // Said twice, for the partial index of what was refused or failed.
    query.outcome && query.outcome !== "success" ? sql`${auditEvents.outcome} <> 'success'` : undefined,
    query.from ? since(Date.parse(query.from)) : undefined,
    query.to ? before(Date.parse(query.to)) : undefined,
  );
}

// The time decides; the numbers keep the question from reading the trail before it or after it.
const since = (time: number) => sql`${auditEvents.recordedAt} >= ${time} AND ${SEQ} > ${seqBefore(time)}`;
const before = (time: number) => sql`${auditEvents.recordedAt} < ${time} AND ${SEQ} <= ${seqUntil(time)}`;

/** Events, the last written first. Reading the trail is itself an event. */
export async function listAuditEvents(anyCall: Call, query: AuditQuery) {
  const start = await startOf(anyCall, "audit-events", query);
  const after = start.after ? sql`${SEQ} < ${start.after.value}` : undefined;
  const { call, standing, results } = await asCaller(anyCall, "audit:read", (standing, { db, actor }) => {
    const filter = and(visible(standing, actor, query.abroad === true), filterOf(query));
    return [
      db
        .select()
        .from(auditEvents)
        .where(and(filter, after))
        .orderBy(desc(SEQ))
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM audit_events WHERE ${filter} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const { db, actor, now } = call;
  const [rows, [count]] = results;
  const key = ({ seq }: { seq: number }) => ({ value: seq, id: String(seq) });
  const total = { n: count?.n ?? 0, exact: false };
  const { rows: kept, pagination } = await toPage(start, rows, key, total);
  const { role, hospitalId } = standing;
  // A trail in which nothing was seen concerns nobody: else anybody could write into any patient's log.
  const subjects = query.patient_id && kept.length > 0 ? [query.patient_id] : [];
  await batch(
    db,
    audit(db, actor, now, { event: "audit.read", action: "R", role, hospitalId, subjects, detail: { count: kept.length } }),
  );
  return { items: kept.map((row) => toAuditEvent(row, standing)), pagination };
}

/**
 * A patient reads who saw their data; not what else that person saw (a page holds several people's ids), nor from where. A
 * hospital reads the addresses of its own staff, not those of others'.
 */
function toAuditEvent(row: typeof auditEvents.$inferSelect, { role: reader, hospitalId }: UserStanding) {
  const foreign = reader === "hospital_admin" && row.actorHospitalId !== null && row.actorHospitalId !== hospitalId;
  const all = row.detail ? Detail.parse(JSON.parse(row.detail)) : null;
  const { report_ids: _, ...own } = all ?? {};
  const detail = reader === "patient" && all ? own : all;
  return {
    seq: row.seq,
    recorded: new Date(row.recordedAt).toISOString(),
    event: row.event,
    action: row.action,
    outcome: row.outcome,
    reason: row.reason,
    actor: { kind: row.actorKind, id: row.actorId, role: row.actorRole },
    hospital_id: row.hospitalId,
    actor_hospital_id: row.actorHospitalId,
    basis: row.basis,
    purpose: row.purpose,
    entity: row.entityType && row.entityId ? { type: row.entityType, id: row.entityId } : null,
    request_id: row.requestId,
    ip: reader === "patient" || foreign ? null : row.ip,
    detail,
  };
}
