// Locations (FHIR Location): places of a hospital where patients are seen.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserActor, UserEffectiveRole } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, denyNotFound, failWithAudit, requiredFieldError } from "../../access/deny.ts";
import { activeHospitalId, isInCallerHospital, isVisibleHospital, resolveHospitalId } from "../../access/effective-role.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { batch, isConditionFailed, isUniqueViolation } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { type locations, SELF_CARE_HOSPITAL_ID } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { toIso } from "../../platform/time.ts";

type LocationRow = typeof locations.$inferSelect;
const COLUMNS = sql`l.id AS id, l.hospital_id AS hospitalId, l.name AS name, l.address AS address, l.phone AS phone, l.active AS active,
  l.created_by AS createdBy, l.created_at AS createdAt, l.updated_at AS updatedAt, l.version AS version`;

export type LocationFields = { name: string; address: string | null; phone: string | null };

const toLocation = (row: LocationRow) => ({
  location_id: row.id,
  hospital_id: row.hospitalId,
  name: row.name,
  address: row.address,
  phone: row.phone,
  is_active: row.active === 1,
  created_at: toIso(row.createdAt),
  updated_at: toIso(row.updatedAt),
  version: row.version,
});

const locationEvent = (
  event: string,
  action: "C" | "R" | "U",
  { role }: UserEffectiveRole,
  row: { id: string; hospitalId: string },
) => ({
  ...{ event, action, role, hospitalId: row.hospitalId },
  entity: { type: "location", id: row.id },
});

const nameTaken = () => new ApiError("already_exists", "The hospital has a location of this name.");

/** @throws ApiError not_found (hospital), already_exists, limit_reached */
export async function createLocation(
  anyCall: Call,
  { hospital_id, ...fields }: LocationFields & { hospital_id?: string | undefined },
  keyStatements: KeyStatements,
) {
  const { call, effectiveRole } = await withUser(anyCall, "location:manage", () => []);
  const hospitalId = resolveHospitalId(effectiveRole, hospital_id);
  if (!hospitalId) throw requiredFieldError("hospital_id");
  const { role } = effectiveRole;
  const denyHospital = () =>
    denyAccess(call, "location:manage", "not_found", {
      role,
      hospitalId: effectiveRole.hospitalId,
      target: { hospital: hospitalId },
    });
  if ((hospital_id && hospital_id !== hospitalId) || hospitalId === SELF_CARE_HOSPITAL_ID) return denyHospital();
  const { db, actor, now } = call;
  const made = { active: 1, createdBy: actor.userId, createdAt: now, updatedAt: now, version: 1 };
  const row = { id: uuidv7(), hospitalId, ...fields, ...made };
  const name = unlessFull(row.name, ROW_LIMITS.locations, sql`locations WHERE hospital_id = ${hospitalId}`);
  await batch(db, [
    ...keyStatements(row.id),
    db.run(sql`INSERT INTO locations (id, hospital_id, name, address, phone, created_by, created_at, updated_at)
      VALUES (${row.id}, ${activeHospitalId(hospitalId)}, ${name}, ${row.address}, ${row.phone}, ${row.createdBy},
        CAST(${now} AS INTEGER), CAST(${now} AS INTEGER))`),
    ...recordAuditEvent(db, actor, now, locationEvent("location.create", "C", effectiveRole, row)),
  ]).catch((error: unknown) => {
    if (isConditionFailed(error, "locations.hospital_id")) return denyHospital();
    if (isUniqueViolation(error, "locations.")) throw nameTaken();
    throw toLimitError(error, ROW_LIMITS.locations);
  });
  return toLocation(row);
}

async function requireLocation(
  anyCall: Call,
  id: string,
  permission: "location:read" | "location:manage",
  condition: (effectiveRole: UserEffectiveRole, actor: UserActor) => SQL,
) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db, actor }) => [
    db.all<LocationRow>(sql`SELECT ${COLUMNS} FROM locations l WHERE l.id = ${id} AND ${condition(effectiveRole, actor)}`),
  ]);
  const [row] = results[0];
  if (!row) return denyNotFound(call, permission, effectiveRole, { location: id });
  return { call, effectiveRole, row };
}

const isVisibleTo = (effectiveRole: UserEffectiveRole, actor: UserActor): SQL =>
  isVisibleHospital(effectiveRole, actor, sql`l.hospital_id`);

/** @throws ApiError not_found */
export async function getLocation(anyCall: Call, id: string) {
  const { call, effectiveRole, row } = await requireLocation(anyCall, id, "location:read", isVisibleTo);
  await appendAuditEvent(call, locationEvent("location.read", "R", effectiveRole, row));
  return toLocation(row);
}

/** Patients: those of hospitals with their records. Newest first. */
export async function listLocations(
  anyCall: Call,
  query: PageQuery & { hospital_id?: string | undefined; active?: boolean | undefined },
) {
  const start = await resolvePageStart(anyCall, "locations", query);
  const { call, effectiveRole, results } = await withUser(anyCall, "location:read", (effectiveRole, { db, actor }) => {
    const ofHospital = query.hospital_id ? sql`l.hospital_id = ${query.hospital_id}` : sql`1`;
    const isActive = query.active === undefined ? sql`1` : sql`l.active = CAST(${query.active ? 1 : 0} AS INTEGER)`;
    const rows = sql`locations l WHERE ${isVisibleTo(effectiveRole, actor)} AND ${ofHospital} AND ${isActive}`;
    const after = start.after ? sql`(l.created_at, l.id) < (${start.after.value}, ${start.after.id})` : sql`1`;
    return [
      db.all<LocationRow>(sql`SELECT ${COLUMNS} FROM ${rows} AND ${after} ORDER BY l.created_at DESC, l.id DESC
        LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${rows} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const [found, [counted]] = results;
  const key = (row: LocationRow) => ({ value: row.createdAt, id: row.id });
  const page = await buildPage(start, found, key, { n: counted?.n ?? 0, exact: false });
  const { role, hospitalId } = effectiveRole;
  const event = { event: "location.list", action: "R", role, hospitalId, detail: { count: page.rows.length } } as const;
  return {
    items: await afterAudit(appendAuditEvent(call, event), Promise.resolve(page.rows.map(toLocation))),
    pagination: page.pagination,
  };
}

export type LocationChange = Partial<LocationFields> & { is_active?: boolean | undefined };

/** @throws ApiError not_found, precondition_failed, already_exists */
export async function updateLocation(anyCall: Call, id: string, expected: ExpectedVersion, change: LocationChange) {
  const { call, effectiveRole, row } = await requireLocation(anyCall, id, "location:manage", (effectiveRole) =>
    isInCallerHospital(effectiveRole, sql`l.hospital_id`),
  );
  const { db, actor, now } = call;
  const event = { ...locationEvent("location.update", "U", effectiveRole, row), detail: { fields: Object.keys(change) } };
  if (row.version !== matchVersion(expected, row.version)) return failWithAudit(call, "precondition_failed", event);
  const { is_active, ...fields } = change;
  const after = {
    ...row,
    ...fields,
    active: is_active === undefined ? row.active : Number(is_active),
    updatedAt: now,
    version: row.version + 1,
  };
  const [changed] = await batch(db, [
    db.all(sql`UPDATE locations SET name = ${after.name}, address = ${after.address}, phone = ${after.phone},
      active = CAST(${after.active} AS INTEGER), updated_at = CAST(${now} AS INTEGER), version = version + 1
      WHERE id = ${id} AND version = ${row.version} RETURNING 1`),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]).catch((error: unknown) => {
    throw isUniqueViolation(error, "locations.") ? nameTaken() : error;
  });
  if (changed.length === 0) return failWithAudit(call, "precondition_failed", event);
  return toLocation(after);
}
