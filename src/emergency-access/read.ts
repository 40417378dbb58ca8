// Emergency accesses: a member of staff sees the own ones, a privacy officer those of readers and of records of the hospital.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../access/audit.ts";
import { denyNotFound, failWithAudit } from "../access/deny.ts";
import { endLiveViews } from "../access/live-views.ts";
import type { Permission } from "../access/permissions.ts";
import { failsUnless } from "../access/sign-in.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, resolvePageStart } from "../http/pagination.ts";
import { batch, isRoleChanged } from "../platform/db/client.ts";
import { selectOfficerIds } from "../privacy/officers/officers.ts";
import { EMERGENCY_COLUMNS, type EmergencyRow, toEmergencyAccess } from "./rows.ts";

export type EmergencyQuery = PageQuery & { status?: "active" | "ended" | undefined; patient_id?: string | undefined };
type FoundRow = EmergencyRow & { isOfficer: number };

const isOfficer = ({ hospitalId }: UserEffectiveRole, { actor }: UserCall): SQL =>
  sql`(${actor.userId} IN (${selectOfficerIds(hospitalId ?? "")}))`;

/** Rows `e` that the caller may see. */
const isVisible = (effectiveRole: UserEffectiveRole, call: UserCall): SQL => {
  const { hospitalId } = effectiveRole;
  return sql`((e.user_id = ${call.actor.userId} AND e.hospital_id = ${hospitalId})
    OR ((e.hospital_id = ${hospitalId} OR e.record_hospital_id = ${hospitalId}) AND ${isOfficer(effectiveRole, call)}))`;
};

const isInState = (status: "active" | "ended", now: number): SQL => {
  const isActive = sql`(e.ended_at IS NULL AND e.ends_at > ${now})`;
  return status === "active" ? isActive : sql`NOT ${isActive}`;
};

const readEvent = ({ role, hospitalId }: UserEffectiveRole, event: string, rows: readonly EmergencyRow[]) =>
  ({
    event,
    action: "R",
    role,
    hospitalId,
    subjects: rows.map((row) => (row.recordHospitalId === hospitalId ? row.patientId : row.ownPatientId)),
  }) as const;

/** Newest first. */
export async function listEmergencies(anyCall: Call, query: EmergencyQuery) {
  const { status, patient_id: patientId } = query;
  const start = await resolvePageStart(anyCall, "emergency-access", query);
  const { call, effectiveRole, results } = await withUser(anyCall, "emergency_access:read", (effectiveRole, call) => {
    const rows = sql`emergency_accesses e WHERE ${isVisible(effectiveRole, call)}
      AND ${status ? isInState(status, call.now) : sql`1`} AND ${patientId ? sql`e.patient_id = ${patientId}` : sql`1`}`;
    const after = start.after ? sql`(e.started_at, e.id) < (${start.after.value}, ${start.after.id})` : sql`1`;
    return [
      call.db.all<FoundRow>(sql`SELECT ${EMERGENCY_COLUMNS}, ${isOfficer(effectiveRole, call)} AS isOfficer FROM ${rows} AND ${after}
        ORDER BY e.started_at DESC, e.id DESC LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      call.db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${rows} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const [found, [counted]] = results;
  const key = (row: EmergencyRow) => ({ value: row.startedAt, id: row.id });
  const { rows, pagination } = await buildPage(start, found, key, { n: counted?.n ?? 0, exact: false });
  const stored = appendAuditEvent(call, {
    ...readEvent(effectiveRole, "emergency_access.list", rows),
    detail: { emergency_access_ids: rows.map(({ id }) => id) },
  });
  const items = Promise.all(rows.map((row) => toEmergencyAccess(call.keys, row, call.now, row.isOfficer === 1)));
  return { items: await afterAudit(stored, items), pagination };
}

/** @throws ApiError not_found */
async function requireEmergency(anyCall: Call, id: string, permission: Permission, condition: (call: UserCall) => SQL) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, call) => [
    call.db.all<FoundRow>(sql`SELECT ${EMERGENCY_COLUMNS}, ${isOfficer(effectiveRole, call)} AS isOfficer
      FROM emergency_accesses e WHERE e.id = ${id} AND ${isVisible(effectiveRole, call)} AND ${condition(call)}`),
  ]);
  const [row] = results[0];
  return row ? { call, effectiveRole, row } : denyNotFound(call, permission, effectiveRole, { emergency_access: id });
}

/** @throws ApiError not_found */
export async function getEmergency(anyCall: Call, id: string) {
  const { call, effectiveRole, row } = await requireEmergency(anyCall, id, "emergency_access:read", () => sql`1`);
  const event = { ...readEvent(effectiveRole, "emergency_access.read", [row]), entity: { type: "emergency_access", id } };
  return afterAudit(appendAuditEvent(call, event), toEmergencyAccess(call.keys, row, call.now, row.isOfficer === 1));
}

/** Ends an own access before its time and closes its live views. Of several ends at once, one counts. @throws ApiError not_found, conflict (ended already) */
export async function endEmergency(env: Env, anyCall: Call, id: string) {
  const isOwn = ({ actor }: UserCall) => sql`e.user_id = ${actor.userId}`;
  const { call, effectiveRole, row } = await requireEmergency(anyCall, id, "emergency_access:update", isOwn);
  const { db, actor, now } = call;
  const { role, hospitalId } = effectiveRole;
  const places = [
    { hospitalId: row.recordHospitalId, subjects: [row.patientId] },
    ...(row.recordHospitalId === row.hospitalId ? [] : [{ hospitalId: row.hospitalId, subjects: [row.ownPatientId] }]),
  ];
  const event = {
    event: "emergency_access.end",
    action: "U",
    role,
    basis: "emergency",
    purpose: "BTG",
    actorHospitalId: hospitalId,
    entity: { type: "emergency_access", id },
  } as const;
  await batch(db, [
    failsUnless(db, sql`EXISTS (SELECT 1 FROM emergency_accesses e WHERE e.id = ${id} AND ${isInState("active", now)})`),
    db.run(sql`UPDATE emergency_accesses SET ended_at = CAST(${now} AS INTEGER) WHERE id = ${id}`),
    ...places.flatMap((place) => recordAuditEvent(db, actor, now, { ...event, ...place })),
  ]).catch((error: unknown) => {
    if (!isRoleChanged(error)) throw error;
    return failWithAudit(call, "conflict", { ...event, hospitalId: row.recordHospitalId }, "The emergency access has ended.");
  });
  await endLiveViews(env, id, [row.recordHospitalId]);
  return toEmergencyAccess(call.keys, { ...row, endedAt: now }, now, row.isOfficer === 1);
}
