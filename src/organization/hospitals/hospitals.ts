// Hospitals: the tenants. One that is deactivated is shut for its people, devices and apps with their next request.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { asCaller, requireRole } from "../../access/access.ts";
import type { Call, DoctorScope, Role, UserActor, UserCall, UserStanding } from "../../access/actor.ts";
import { type AuditEvent, audit } from "../../access/audit.ts";
import { fail, refuse } from "../../access/refusals.ts";
import type { Action } from "../../access/roles.ts";
import type { Taking } from "../../http/idempotency.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../../http/pagination.ts";
import { count, scopes } from "../../platform/counters.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { hospitals, SELF_CARE } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";

type Contact = { time_zone?: string; phone?: string | null; email?: string | null; address?: string | null };
export type NewHospital = { name: string; doctor_scope: DoctorScope } & Contact;
export type HospitalChange = { name?: string; doctor_scope?: DoctorScope; is_active?: boolean } & Contact;

/** The hospitals a person may know: administrators all, staff their own, patients those that hold their records. */
function visible(standing: UserStanding, actor: UserActor): SQL {
  if (standing.role === "admin") return sql`1`;
  if (standing.role !== "patient") return eq(hospitals.id, standing.hospitalId ?? "");
  return sql`${hospitals.id} IN (SELECT p.hospital_id FROM patient_links l JOIN patients p ON p.id = l.patient_id WHERE l.user_id = ${actor.userId})`;
}

const iso = (time: number) => new Date(time).toISOString();

type Row = typeof hospitals.$inferSelect;

function toHospital(row: Row) {
  return {
    hospital_id: row.id,
    name: row.name,
    is_active: row.active === 1,
    doctor_scope: row.doctorScope,
    time_zone: row.timeZone,
    phone: row.phone,
    email: row.email,
    address: row.address,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    version: row.version,
  };
}

export async function createHospital(anyCall: Call, input: NewHospital, taking: Taking) {
  const { call, standing } = await requireRole(anyCall, "hospital:create");
  return insertHospital(call, input, standing.role, taking);
}

export async function insertHospital(call: Call, input: NewHospital, role: Role, taking: Taking = () => []) {
  const { db, actor, now } = call;
  const id = uuidv7();
  const insert = db.insert(hospitals).values({ ...columnsOf(input), id, name: input.name, createdAt: now, updatedAt: now });
  const [[row]] = await batch(db, [
    insert.returning(),
    ...taking(id),
    count(db, [{ scope: scopes.all, day: 0, name: "hospitals", n: 1 }]),
    ...audit(db, actor, now, { event: "hospital.create", action: "C", role, hospitalId: id, entity: { type: "hospital", id } }),
  ]);
  if (!row) throw new ApiError("unavailable");
  return toHospital(row);
}

/** What is absent stays as it is, or as the schema has it. */
function columnsOf({ name, doctor_scope, is_active, time_zone, phone, email, address }: HospitalChange) {
  const active = is_active === undefined ? undefined : Number(is_active);
  return { name, doctorScope: doctor_scope, active, timeZone: time_zone, phone, email, address };
}

export async function getHospital(anyCall: Call, id: string) {
  const { call, standing, results } = await asCaller(anyCall, "hospital:read", (standing, { db, actor }) => [
    db
      .select()
      .from(hospitals)
      .where(and(eq(hospitals.id, id), visible(standing, actor))),
  ]);
  const [row] = results[0];
  return row ? toHospital(row) : notFound(call, "hospital:read", standing, { hospital: id });
}

export async function listHospitals(anyCall: Call, query: PageQuery & { active?: boolean | undefined }) {
  const start = await startOf(anyCall, "hospitals", query);
  const { where, orderBy } = keyset(start, hospitals.createdAt, hospitals.id);
  const wanted = query.active === undefined ? undefined : eq(hospitals.active, Number(query.active));
  const { results } = await asCaller(anyCall, "hospital:read", (standing, { db, actor }) => [
    db
      .select()
      .from(hospitals)
      .where(and(visible(standing, actor), wanted, where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM (SELECT 1 FROM hospitals WHERE ${and(visible(standing, actor), wanted)} LIMIT ${COUNT_LIMIT + 1})`,
    ),
  ]);
  const [rows, [counted]] = results;
  const { rows: kept, pagination } = await toPage(start, rows, (row) => ({ value: row.createdAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  return { items: kept.map(toHospital), pagination };
}

/** Hospitals that the caller administers. */
export function administers(standing: UserStanding, hospitalId: string): boolean {
  return standing.role === "admin" || standing.hospitalId === hospitalId;
}

export function notFound(
  call: Call,
  action: Action,
  { role, hospitalId }: UserStanding,
  target: Record<string, string>,
): Promise<never> {
  return refuse(call, action, "not_found", { role, hospitalId, target });
}

/**
 * Changes a hospital whose version the caller has seen. Whether it works at all is the platform's to say.
 * @throws ApiError not_found, forbidden (`is_active` by its own administrator; the built-in organisation), precondition_failed
 */
export async function updateHospital(anyCall: Call, id: string, version: number, change: HospitalChange) {
  const { call, standing, results } = await asCaller(anyCall, "hospital:update", (standing, { db }) => [
    db
      .select()
      .from(hospitals)
      .where(administers(standing, id) ? eq(hospitals.id, id) : sql`0`),
  ]);
  const [row] = results[0];
  const { role, hospitalId } = standing;
  const target = { hospital: id };
  if (change.is_active !== undefined && role !== "admin") {
    return refuse(call, "hospital:update", "forbidden", { role, hospitalId, target });
  }
  if (!row) return notFound(call, "hospital:update", standing, target);
  if (id === SELF_CARE) return refuse(call, "hospital:update", "forbidden", { role, hospitalId: id, target });
  return writeHospital(call, role, row, version, change);
}

async function writeHospital(call: UserCall, role: Role, row: Row, version: number, change: HospitalChange) {
  const { db, actor, now } = call;
  const event: AuditEvent = {
    event: change.is_active === undefined ? "hospital.update" : `hospital.${change.is_active ? "reactivate" : "deactivate"}`,
    action: change.is_active === false ? "D" : "U",
    role,
    hospitalId: row.id,
    entity: { type: "hospital", id: row.id },
    detail: { fields: Object.keys(change) },
  };
  if (row.version !== version) return fail(call, "precondition_failed", event);
  const [[after]] = await batch(db, [
    db
      .update(hospitals)
      .set({ ...columnsOf(change), updatedAt: now, version: version + 1 })
      .where(and(eq(hospitals.id, row.id), eq(hospitals.version, version)))
      .returning(),
    ...audit(db, actor, now, { ...event, when: sql`changes() > 0` }),
    ...(change.is_active === false ? [endSessions(call, row.id, version + 1)] : []),
  ]);
  return after ? toHospital(after) : fail(call, "precondition_failed", event);
}

/**
 * Ends the sessions that act for the hospital, if this very change deactivated it: they do not come back with it.
 * Who acts for a hospital is or was a member, and members are found by index.
 */
function endSessions({ db, now }: UserCall, hospitalId: string, version: number): Statement {
  return db.run(sql`UPDATE sessions SET revoked_at = CAST(${now} AS INTEGER), revoked_reason = 'hospital_deactivated'
    WHERE user_id IN (SELECT m.user_id FROM memberships m WHERE m.hospital_id = ${hospitalId})
      AND hospital_id = ${hospitalId} AND revoked_at IS NULL
      AND EXISTS (SELECT 1 FROM hospitals h WHERE h.id = ${hospitalId} AND h.version = ${version} AND h.active = 0)`);
}
