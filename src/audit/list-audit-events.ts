// Lists audit events: administrators see all, hospital administrators their hospital's, patients those about them.

import { and, desc, eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { withUser } from "../access/access.ts";
import type { Call, UserActor, UserEffectiveRole } from "../access/actor.ts";
import { recordAuditEvent, seqLowerBound, seqUpperBound } from "../access/audit.ts";
import { isInCallerHospital } from "../access/effective-role.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, pickFromGroups, resolvePageStart } from "../http/pagination.ts";
import { batch } from "../platform/db/client.ts";
import { auditEvents } from "../platform/db/schema.ts";
import { toIso } from "../platform/time.ts";

export type AuditQuery = PageQuery & {
  patient_id?: string | undefined;
  actor_id?: string | undefined;
  event?: string | undefined;
  outcome?: "success" | "denied" | "failed" | undefined;
  from?: string | undefined;
  to?: string | undefined;
  abroad?: boolean | undefined;
};

/** Columns of D1 are versioned by migrations. */
const Detail = z.record(z.string(), z.unknown());
const SEQ_COLUMN = auditEvents.seq;

/** Events about the caller's own records; the others see those of their hospital. */
const isOwnLog = ({ role }: UserEffectiveRole) => role !== "admin" && role !== "hospital_admin";

function isVisibleTo(effectiveRole: UserEffectiveRole, { abroad: atOtherHospital, patient_id }: AuditQuery): SQL {
  // The subject of a denial abroad would tell that a patient with this id exists.
  if (effectiveRole.role === "hospital_admin" && atOtherHospital && patient_id !== undefined)
    return sql`${auditEvents.actorHospitalId} = ${effectiveRole.hospitalId} AND ${auditEvents.outcome} <> 'denied'`;
  if (effectiveRole.role === "admin" && atOtherHospital) return sql`${auditEvents.actorHospitalId} IS NOT NULL`;
  return isInCallerHospital(effectiveRole, atOtherHospital ? auditEvents.actorHospitalId : auditEvents.hospitalId);
}

/** The patients whose events are listed, as a query of their ids; null for events of all. */
function selectAboutIds(query: AuditQuery, effectiveRole: UserEffectiveRole, actor: UserActor): SQL | null {
  const { patient_id: patientId } = query;
  if (isOwnLog(effectiveRole))
    return sql`SELECT patient_id AS id FROM patient_links
      WHERE user_id = ${actor.userId} AND ${patientId ? sql`patient_id = ${patientId}` : sql`1`}`;
  return patientId ? sql`SELECT ${patientId} AS id` : null;
}

/**
 * The filter, and the events that a page reads. An index lists the events of one patient, and those of one kind at one hospital, in
 * the order of `seq`: a page takes its length from each, instead of reading and sorting all of them.
 */
function planEvents(query: AuditQuery, effectiveRole: UserEffectiveRole, actor: UserActor) {
  const aboutIds = selectAboutIds(query, effectiveRole, actor);
  const visible = isOwnLog(effectiveRole) ? undefined : isVisibleTo(effectiveRole, query);
  const filter = and(visible, buildAuditFilter(query)) ?? sql`1`;
  const ofGroups = (groups: SQL, seq: SQL, from: SQL, inGroup: SQL) => (afterCursor: SQL, length: number) =>
    sql`${SEQ_COLUMN} IN (${pickFromGroups(
      groups,
      sql`SELECT ${seq} AS picked FROM ${from} WHERE ${inGroup} AND ${filter} AND ${afterCursor} ORDER BY ${seq} DESC LIMIT ${length}`,
    )})`;
  if (aboutIds) {
    const events = sql`audit_subjects s CROSS JOIN audit_events ON audit_events.seq = s.seq`;
    const counted = sql`SELECT DISTINCT s.seq FROM (${aboutIds}) g CROSS JOIN ${events} WHERE s.patient_id = g.id AND ${filter}`;
    return { inPage: ofGroups(aboutIds, sql`s.seq`, events, sql`s.patient_id = g.id`), counted };
  }
  const counted = sql`SELECT 1 FROM audit_events WHERE ${filter}`;
  const isOfAllHospitals = effectiveRole.role === "admin" && !query.abroad && query.actor_id === undefined;
  if (isOfAllHospitals && (query.event !== undefined || (query.outcome ?? "success") !== "success")) {
    const hospitals = sql`SELECT id FROM hospitals UNION ALL SELECT NULL`;
    return {
      inPage: ofGroups(hospitals, sql`audit_events.seq`, sql`audit_events`, sql`audit_events.hospital_id IS g.id`),
      counted,
    };
  }
  return { inPage: (afterCursor: SQL) => sql`${filter} AND ${afterCursor}`, counted };
}

function buildAuditFilter(query: AuditQuery): SQL | undefined {
  return and(
    query.actor_id ? eq(auditEvents.actorId, query.actor_id) : undefined,
    query.event ? eq(auditEvents.event, query.event) : undefined,
    query.outcome ? eq(auditEvents.outcome, query.outcome) : undefined,
    // Redundant with the line above, but lets SQLite use the partial index of denied and failed events.
    query.outcome && query.outcome !== "success" ? sql`${auditEvents.outcome} <> 'success'` : undefined,
    query.from ? recordedSince(Date.parse(query.from)) : undefined,
    query.to ? recordedBefore(Date.parse(query.to)) : undefined,
  );
}

// The time is the filter; the `seq` bounds limit the rows that are scanned.
const recordedSince = (time: number) => sql`${auditEvents.recordedAt} >= ${time} AND ${SEQ_COLUMN} > ${seqLowerBound(time)}`;
const recordedBefore = (time: number) => sql`${auditEvents.recordedAt} < ${time} AND ${SEQ_COLUMN} <= ${seqUpperBound(time)}`;

/** Lists events, newest first. Reading the audit log is itself recorded. */
export async function listAuditEvents(anyCall: Call, query: AuditQuery) {
  const start = await resolvePageStart(anyCall, "audit-events", query);
  const afterCursor = start.after ? sql`audit_events.seq < ${start.after.value}` : sql`1`;
  const { call, effectiveRole, results } = await withUser(anyCall, "audit:read", (effectiveRole, { db, actor }) => {
    const { inPage, counted } = planEvents(query, effectiveRole, actor);
    return [
      db
        .select()
        .from(auditEvents)
        .where(inPage(afterCursor, start.skip + start.limit + 1))
        .orderBy(desc(SEQ_COLUMN))
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (${counted} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const { db, actor, now } = call;
  const [rows, [count]] = results;
  const key = ({ seq }: { seq: number }) => ({ value: seq, id: String(seq) });
  const total = { n: count?.n ?? 0, exact: false };
  const { rows: pageRows, pagination } = await buildPage(start, rows, key, total);
  const { role, hospitalId } = effectiveRole;
  // An empty result has no subject: otherwise anybody could write into any patient's access log.
  const subjects = query.patient_id && pageRows.length > 0 ? [query.patient_id] : [];
  await batch(
    db,
    recordAuditEvent(db, actor, now, {
      event: "audit.read",
      action: "R",
      role,
      hospitalId,
      subjects,
      detail: { count: pageRows.length },
    }),
  );
  return { items: pageRows.map((row) => toAuditEvent(row, effectiveRole)), pagination };
}

/**
 * Patients see who accessed their data, but nothing of other patients (ids of reports of the same page; ids of held samples begin with the
 * patient of their object) nor IP addresses. A hospital sees
 * the IP addresses of its own staff only. Does not reveal the hospital of a patient that the caller's staff may not see.
 */
function toAuditEvent(row: typeof auditEvents.$inferSelect, { role: reader, hospitalId }: UserEffectiveRole) {
  const isDeniedAbroad = reader === "hospital_admin" && row.actorHospitalId === hospitalId && row.outcome === "denied";
  const isOtherHospitalStaff = reader === "hospital_admin" && row.actorHospitalId !== null && row.actorHospitalId !== hospitalId;
  const fullDetail = row.detail ? Detail.parse(JSON.parse(row.detail)) : null;
  const { report_ids: _, held_ids: __, ...detailForPatient } = fullDetail ?? {};
  const isHeldEntry = reader === "patient" && row.entityType === "held_observations";
  const detail = reader === "patient" && fullDetail ? detailForPatient : fullDetail;
  return {
    seq: row.seq,
    recorded: toIso(row.recordedAt),
    event: row.event,
    action: row.action,
    outcome: row.outcome,
    reason: row.reason,
    actor: { kind: row.actorKind, id: row.actorId, role: row.actorRole },
    hospital_id: isDeniedAbroad ? null : row.hospitalId,
    actor_hospital_id: row.actorHospitalId,
    basis: row.basis,
    purpose: row.purpose,
    entity: row.entityType && row.entityId && !isHeldEntry ? { type: row.entityType, id: row.entityId } : null,
    request_id: row.requestId,
    ip: reader === "patient" || isOtherHospitalStaff ? null : row.ip,
    detail,
  };
}
