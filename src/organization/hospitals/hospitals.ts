// Hospitals, which are the tenants. Deactivation locks out staff, devices and apps from their next request on.

import { and, eq, sql } from "drizzle-orm";
import { requireRole, withUser } from "../../access/access.ts";
import type { Call, DoctorScope, Role, UserCall } from "../../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, denyNotFound, failWithAudit } from "../../access/deny.ts";
import { canManageHospital, isVisibleHospital } from "../../access/effective-role.ts";
import { forgetHospitalSettings } from "../../access/hospital-settings.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { COUNTER_SCOPES, incrementCounters } from "../../platform/counters.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { hospitals, SELF_CARE_HOSPITAL_ID } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { countryOfTimeZone } from "../../platform/phone.ts";
import { toIso } from "../../platform/time.ts";

type Contact = {
  time_zone?: string;
  country?: string | null | undefined;
  phone?: string | null;
  email?: string | null;
  address?: string | null;
};
type EmergencyReach = HospitalRow["emergencyReach"];
export type NewHospital = { name: string; doctor_scope: DoctorScope } & Contact;
export type HospitalChange = {
  name?: string;
  doctor_scope?: DoctorScope;
  emergency_reach?: EmergencyReach;
  is_active?: boolean;
} & Contact;

type HospitalRow = typeof hospitals.$inferSelect;

function toHospital(row: HospitalRow) {
  return {
    hospital_id: row.id,
    name: row.name,
    is_active: row.active === 1,
    doctor_scope: row.doctorScope,
    emergency_reach: row.emergencyReach,
    time_zone: row.timeZone,
    country: row.country,
    phone: row.phone,
    email: row.email,
    address: row.address,
    created_at: toIso(row.createdAt),
    updated_at: toIso(row.updatedAt),
    version: row.version,
  };
}

export async function createHospital(anyCall: Call, input: NewHospital, keyStatements: KeyStatements) {
  const { call, effectiveRole } = await requireRole(anyCall, "hospital:create");
  return insertHospital(call, input, effectiveRole.role, keyStatements);
}

export async function insertHospital(call: Call, input: NewHospital, role: Role, keyStatements: KeyStatements = () => []) {
  const { db, actor, now } = call;
  const id = uuidv7();
  const name = unlessFull(input.name, ROW_LIMITS.hospitals, sql`hospitals`);
  const country = input.country === undefined ? countryOfTimeZone(input.time_zone ?? "UTC") : input.country;
  const insert = db.insert(hospitals).values({ ...toColumns({ ...input, country }), id, name, createdAt: now, updatedAt: now });
  const [[row]] = await batch(db, [
    insert.returning(),
    ...keyStatements(id),
    incrementCounters(db, [{ scope: COUNTER_SCOPES.all, day: 0, name: "hospitals", n: 1 }]),
    ...recordAuditEvent(db, actor, now, {
      event: "hospital.create",
      action: "C",
      role,
      hospitalId: id,
      entity: { type: "hospital", id },
    }),
  ]).catch((error: unknown) => {
    throw toLimitError(error, ROW_LIMITS.hospitals);
  });
  if (!row) throw new ApiError("unavailable");
  return toHospital(row);
}

/** Maps input to columns. Undefined keeps the stored value, or the schema's default on insert. */
function toColumns({ name, doctor_scope, emergency_reach, is_active, time_zone, ...contact }: HospitalChange) {
  const active = is_active === undefined ? undefined : Number(is_active);
  const { country, phone, email, address } = contact;
  const scopes = { doctorScope: doctor_scope, emergencyReach: emergency_reach };
  return { name, ...scopes, active, timeZone: time_zone, country, phone, email, address };
}

export async function getHospital(anyCall: Call, id: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "hospital:read", (effectiveRole, { db, actor }) => [
    db
      .select()
      .from(hospitals)
      .where(and(eq(hospitals.id, id), isVisibleHospital(effectiveRole, actor, hospitals.id))),
  ]);
  const [row] = results[0];
  return row ? toHospital(row) : denyNotFound(call, "hospital:read", effectiveRole, { hospital: id });
}

export async function listHospitals(anyCall: Call, query: PageQuery & { active?: boolean | undefined }) {
  const start = await resolvePageStart(anyCall, "hospitals", query);
  const { where, orderBy } = keysetClauses(start, hospitals.createdAt, hospitals.id);
  const activeFilter = query.active === undefined ? undefined : eq(hospitals.active, Number(query.active));
  const { results } = await withUser(anyCall, "hospital:read", (effectiveRole, { db, actor }) => [
    db
      .select()
      .from(hospitals)
      .where(and(isVisibleHospital(effectiveRole, actor, hospitals.id), activeFilter, where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM (SELECT 1 FROM hospitals WHERE ${and(isVisibleHospital(effectiveRole, actor, hospitals.id), activeFilter)} LIMIT ${COUNT_LIMIT + 1})`,
    ),
  ]);
  const [rows, [counted]] = results;
  const { rows: pageRows, pagination } = await buildPage(start, rows, (row) => ({ value: row.createdAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  return { items: pageRows.map(toHospital), pagination };
}

/**
 * Updates a hospital. Only platform administrators may change `is_active`.
 * @param expected the versions that the caller has read
 * @throws ApiError not_found, forbidden (`is_active` by a hospital administrator; the built-in hospital), precondition_failed
 */
export async function updateHospital(anyCall: Call, id: string, expected: ExpectedVersion, change: HospitalChange) {
  const { call, effectiveRole, results } = await withUser(anyCall, "hospital:update", (effectiveRole, { db }) => [
    db
      .select()
      .from(hospitals)
      .where(canManageHospital(effectiveRole, id) ? eq(hospitals.id, id) : sql`0`),
  ]);
  const [row] = results[0];
  const { role, hospitalId } = effectiveRole;
  const target = { hospital: id };
  if (change.is_active !== undefined && role !== "admin") {
    return denyAccess(call, "hospital:update", "forbidden", { role, hospitalId, target });
  }
  if (!row) return denyNotFound(call, "hospital:update", effectiveRole, target);
  if (id === SELF_CARE_HOSPITAL_ID) return denyAccess(call, "hospital:update", "forbidden", { role, hospitalId: id, target });
  return saveHospital(call, role, row, matchVersion(expected, row.version), change);
}

async function saveHospital(call: UserCall, role: Role, row: HospitalRow, version: number, change: HospitalChange) {
  const { db, actor, now } = call;
  const event: AuditEvent = {
    event: change.is_active === undefined ? "hospital.update" : `hospital.${change.is_active ? "reactivate" : "deactivate"}`,
    action: change.is_active === false ? "D" : "U",
    role,
    hospitalId: row.id,
    entity: { type: "hospital", id: row.id },
    detail: { fields: Object.keys(change), ...(change.emergency_reach && { emergency_reach: change.emergency_reach }) },
  };
  if (row.version !== version) return failWithAudit(call, "precondition_failed", event);
  const isCountryChanged = change.country !== undefined && change.country !== row.country;
  const [[after]] = await batch(db, [
    db
      .update(hospitals)
      .set({ ...toColumns(change), ...(isCountryChanged && { searchReindexAfter: 0 }), updatedAt: now, version: version + 1 })
      .where(and(eq(hospitals.id, row.id), eq(hospitals.version, version)))
      .returning(),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
    ...(change.is_active === false ? [endHospitalSessions(call, row.id, version + 1)] : []),
  ]);
  forgetHospitalSettings(row.id);
  return after ? toHospital(after) : failWithAudit(call, "precondition_failed", event);
}

/**
 * Revokes the sessions for the hospital if this update deactivated it, so that reactivation does not restore them.
 * The query starts at current and former members, who are found by index.
 */
function endHospitalSessions({ db, now }: UserCall, hospitalId: string, version: number): Statement {
  return db.run(sql`UPDATE sessions SET revoked_at = CAST(${now} AS INTEGER), revoked_reason = 'hospital_deactivated'
    WHERE user_id IN (SELECT m.user_id FROM memberships m WHERE m.hospital_id = ${hospitalId})
      AND hospital_id = ${hospitalId} AND revoked_at IS NULL
      AND EXISTS (SELECT 1 FROM hospitals h WHERE h.id = ${hospitalId} AND h.version = ${version} AND h.active = 0)`);
}
