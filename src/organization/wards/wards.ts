// Wards (FHIR Location): where in a hospital a patient lies. A ward that somebody lies on cannot be deleted.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { asCaller, patientScope } from "../../access/access.ts";
import type { Call, UserActor, UserStanding } from "../../access/actor.ts";
import { type AuditAction, type AuditEvent, audit } from "../../access/audit.ts";
import { fail, refuse } from "../../access/refusals.ts";
import type { Action } from "../../access/roles.ts";
import { openHospital } from "../../access/standing.ts";
import type { Taking } from "../../http/idempotency.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../../http/pagination.ts";
import { batch, isConflict, isMissingReference, isUnmet } from "../../platform/db/client.ts";
import { alertRules, hospitals, patients, SELF_CARE, wards } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";

export type NewWard = { name: string; hospital_id?: string | undefined };
export type WardChange = { name?: string | undefined; is_active?: boolean | undefined };

/** A ward shows at most so many patients: no list counts without end. */
export const MAX_SHOWN = 1_000;

type Row = typeof wards.$inferSelect;
type Counted = Row & { patientCount: number };

const iso = (time: number) => new Date(time).toISOString();

function toWard(row: Counted) {
  return {
    ward_id: row.id,
    hospital_id: row.hospitalId,
    name: row.name,
    is_active: row.active === 1,
    patient_count: row.patientCount,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    version: row.version,
  };
}

/** Wards of the hospital that the caller works for; all of them for administrators. */
function ours(standing: UserStanding): SQL {
  return standing.role === "admin" ? sql`1` : eq(wards.hospitalId, standing.hospitalId ?? "");
}

/** Patients of the ward whom the caller may see. `+` keeps the ward's index in the lead, whatever the scope. */
function patientCount(standing: UserStanding, actor: UserActor): SQL<number> {
  const scope = patientScope(standing, actor, sql`+${patients.id}`, sql`+${patients.hospitalId}`);
  return sql`(SELECT count(*) FROM (SELECT 1 FROM patients WHERE ${patients.wardId} = ${wards.id} AND ${scope} LIMIT ${MAX_SHOWN}))`;
}

const columns = (
  standing: UserStanding,
  actor: UserActor,
) => sql`wards.id AS id, wards.hospital_id AS hospitalId, wards.name AS name,
  wards.active AS active, wards.created_at AS createdAt, wards.updated_at AS updatedAt, wards.version AS version,
  ${patientCount(standing, actor)} AS patientCount`;

function wardEvent(
  standing: UserStanding,
  row: { id: string; hospitalId: string },
  event: string,
  action: AuditAction,
): AuditEvent {
  return { event, action, role: standing.role, hospitalId: row.hospitalId, entity: { type: "ward", id: row.id } };
}

/** @throws ApiError not_found (hospital), forbidden (the built-in organisation), already_exists */
export async function createWard(anyCall: Call, input: NewWard, taking: Taking) {
  const { call, standing, results } = await asCaller(anyCall, "ward:manage", (standing, { db }) => [
    db
      .select({ id: hospitals.id })
      .from(hospitals)
      .where(eq(hospitals.id, input.hospital_id ?? standing.hospitalId ?? "")),
  ]);
  const { role } = standing;
  const hospitalId = input.hospital_id ?? standing.hospitalId;
  if (!hospitalId) throw new ApiError("invalid_request", "Name hospital_id.");
  const target = { hospital: hospitalId };
  if ((role !== "admin" && hospitalId !== standing.hospitalId) || !results[0][0]) {
    return refuse(call, "ward:manage", "not_found", { role, hospitalId: standing.hospitalId, target });
  }
  if (hospitalId === SELF_CARE) return refuse(call, "ward:manage", "forbidden", { role, hospitalId, target });
  const { db, actor, now } = call;
  const row: Row = { id: uuidv7(), hospitalId, name: input.name, active: 1, createdAt: now, updatedAt: now, version: 1 };
  try {
    await batch(db, [
      // First, so that a second request of one key meets the key and not the name.
      ...taking(row.id),
      db.insert(wards).values({ ...row, hospitalId: openHospital(hospitalId) }),
      ...audit(db, actor, now, wardEvent(standing, row, "ward.create", "C")),
    ]);
  } catch (error) {
    throw isUnmet(error, "wards.hospital_id") ? new ApiError("not_found") : nameTaken(error);
  }
  return toWard({ ...row, patientCount: 0 });
}

const nameTaken = (error: unknown) =>
  isConflict(error, "wards.") ? new ApiError("already_exists", "The hospital has a ward of that name.") : error;

/** A ward that the caller may know, with its patients counted, or the audited 404. */
async function ownWard(anyCall: Call, id: string, action: Action) {
  const { call, standing, results } = await asCaller(anyCall, action, (standing, { db, actor }) => [
    db.all<Counted>(sql`SELECT ${columns(standing, actor)} FROM wards WHERE ${and(eq(wards.id, id), ours(standing))}`),
  ]);
  const [ward] = results[0];
  const { role, hospitalId } = standing;
  if (!ward) return refuse(call, action, "not_found", { role, hospitalId, target: { ward: id } });
  return { call, standing, ward };
}

export async function getWard(anyCall: Call, id: string) {
  const { call, standing, ward } = await ownWard(anyCall, id, "ward:read");
  await batch(call.db, audit(call.db, call.actor, call.now, wardEvent(standing, ward, "ward.read", "R")));
  return toWard(ward);
}

export type WardList = PageQuery & { hospital_id?: string | undefined; active?: boolean | undefined };

/** Wards by age, each with the number of patients on it. */
export async function listWards(anyCall: Call, query: WardList) {
  const start = await startOf(anyCall, "wards", query);
  const { where, orderBy } = keyset(start, wards.createdAt, wards.id, true);
  const filter = and(
    query.hospital_id ? eq(wards.hospitalId, query.hospital_id) : undefined,
    query.active === undefined ? undefined : eq(wards.active, Number(query.active)),
  );
  const { call, standing, results } = await asCaller(anyCall, "ward:read", (standing, { db, actor }) => {
    const page = db
      .select({ id: wards.id })
      .from(wards)
      .where(and(ours(standing), filter, where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip);
    return [
      // Only the wards of the page have their patients counted.
      db.all<Counted>(
        sql`SELECT ${columns(standing, actor)} FROM wards WHERE ${wards.id} IN (${page}) ORDER BY ${sql.join(orderBy, sql`, `)}`,
      ),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM wards WHERE ${and(ours(standing), filter)} LIMIT ${COUNT_LIMIT + 1})`,
      ),
    ];
  });
  const { db, actor, now } = call;
  const [rows, [counted]] = results;
  const { rows: kept, pagination } = await toPage(start, rows, (row) => ({ value: row.createdAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const { role, hospitalId } = standing;
  await batch(db, audit(db, actor, now, { event: "ward.list", action: "R", role, hospitalId, detail: { count: kept.length } }));
  return { items: kept.map(toWard), pagination };
}

/** Changes a ward whose version the caller has seen. @throws ApiError not_found, precondition_failed, already_exists */
export async function updateWard(anyCall: Call, id: string, version: number, change: WardChange) {
  const { call, standing, ward } = await ownWard(anyCall, id, "ward:manage");
  const { db, actor, now } = call;
  const event = { ...wardEvent(standing, ward, "ward.update", "U"), detail: { fields: Object.keys(change) } };
  if (ward.version !== version) return fail(call, "precondition_failed", event);
  const active = change.is_active === undefined ? ward.active : Number(change.is_active);
  try {
    const [[after]] = await batch(db, [
      db
        .update(wards)
        .set({ name: change.name ?? ward.name, active, updatedAt: now, version: version + 1 })
        .where(and(eq(wards.id, id), eq(wards.version, version)))
        .returning(),
      ...audit(db, actor, now, { ...event, when: sql`changes() > 0` }),
    ]);
    if (after) return toWard({ ...after, patientCount: ward.patientCount });
  } catch (error) {
    throw nameTaken(error);
  }
  return fail(call, "precondition_failed", event);
}

/**
 * Deletes a ward that no patient's record names. The foreign key decides: a patient who is moved there in the same instant
 * either comes too late or keeps the ward.
 * @throws ApiError not_found, precondition_failed, conflict (patients are on it)
 */
export async function deleteWard(anyCall: Call, id: string, version: number): Promise<void> {
  const { call, standing, ward } = await ownWard(anyCall, id, "ward:manage");
  const { db, actor, now } = call;
  const event = wardEvent(standing, ward, "ward.delete", "D");
  if (ward.version !== version) return fail(call, "precondition_failed", event);
  try {
    const [rows] = await batch(db, [
      db
        .delete(wards)
        .where(and(eq(wards.id, id), eq(wards.version, version)))
        .returning({ id: wards.id }),
      ...audit(db, actor, now, { ...event, when: sql`changes() > 0` }),
      db.delete(alertRules).where(and(eq(alertRules.scopeId, id), sql`NOT EXISTS (SELECT 1 FROM wards WHERE id = ${id})`)),
    ]);
    if (rows.length > 0) return;
  } catch (error) {
    if (isMissingReference(error)) return fail(call, "conflict", event);
    throw error;
  }
  return fail(call, "precondition_failed", event);
}
