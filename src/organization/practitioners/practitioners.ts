// Practitioners (FHIR Practitioner at one hospital): profiles of doctors and nurses, visible to patients and colleagues.

import { and, eq, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserActor, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import {
  type AuditAction,
  type AuditEvent,
  afterAudit,
  appendAuditEvent,
  type KnownEvent,
  recordAuditEvent,
} from "../../access/audit.ts";
import { CachedRead } from "../../access/cached-read.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP, isVisibleHospital } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { unsealProfile } from "../../access/profile.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import {
  COUNT_LIMIT,
  type CutPage,
  cutPage,
  keysetClauses,
  type PageQuery,
  paginate,
  resolvePageStart,
} from "../../http/pagination.ts";
import { batch, isConditionFailed, isForeignKeyViolation, isUniqueViolation } from "../../platform/db/client.ts";
import { practitioners } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { toIso } from "../../platform/time.ts";
import { type Details, pickDetails, sealDetails, unsealDetails } from "./details.ts";

export type PractitionerRole = "doctor" | "nurse";
export type NewPractitioner = Details & { user_id: string; hospital_id?: string | undefined; specialty: string | null };
export type PractitionerChange = Partial<Details> & { specialty?: string | null; is_active?: boolean };
export type PractitionerListQuery = PageQuery & {
  hospital_id?: string | undefined;
  specialty?: string | undefined;
  role?: PractitionerRole | undefined;
  active?: boolean | undefined;
};

/** Fields that practitioners may change in their own profile; the others require a manager. */
const SELF_EDITABLE_FIELDS = ["phone", "languages", "about"];

type PersonRow = { profileSealed: string; role: string; hospitalName: string; isWorking: number };
type PractitionerRow = typeof practitioners.$inferSelect & PersonRow;

/** Currently works at the hospital as doctor or nurse. */
const IS_ACTIVE_PRACTITIONER = sql`(u.active = 1 AND h.active = 1 AND m.role IN ('doctor', 'nurse') AND ${ACTIVE_MEMBERSHIP})`;
const IS_ACTIVE_PROFILE = sql`(practitioners.active = 1 AND ${IS_ACTIVE_PRACTITIONER})`;
/** CROSS JOIN fixes the join order: profiles first, then user, hospital and membership by key. */
const PROFILE_TABLES = sql`practitioners CROSS JOIN users u ON u.id = practitioners.user_id
  CROSS JOIN hospitals h ON h.id = practitioners.hospital_id
  CROSS JOIN memberships m ON m.user_id = practitioners.user_id AND m.hospital_id = practitioners.hospital_id`;
const PERSON_COLUMNS = sql`u.profile_sealed AS profileSealed, m.role AS role, h.name AS hospitalName, ${IS_ACTIVE_PRACTITIONER} AS isWorking`;
const PROFILE_COLUMNS = sql`practitioners.id AS id, practitioners.user_id AS userId, practitioners.hospital_id AS hospitalId,
  practitioners.specialty AS specialty, practitioners.details_sealed AS detailsSealed, practitioners.active AS active,
  practitioners.created_by AS createdBy, practitioners.created_at AS createdAt, practitioners.updated_at AS updatedAt,
  practitioners.version AS version, ${PERSON_COLUMNS}`;

/** Condition for visible profiles: administrators see all, staff their hospital's, patients those at hospitals with their records. */
function isVisibleTo(effectiveRole: UserEffectiveRole, actor: UserActor): SQL {
  const isAtVisibleHospital = isVisibleHospital(effectiveRole, actor, practitioners.hospitalId);
  return effectiveRole.role === "patient" ? sql`${isAtVisibleHospital} AND ${IS_ACTIVE_PROFILE}` : isAtVisibleHospital;
}

/** Condition for editable profiles: managers edit their hospital's, doctors and nurses their own. */
function isEditableBy(effectiveRole: UserEffectiveRole, actor: UserActor): SQL {
  if (effectiveRole.role === "patient") return sql`0`;
  const isVisible = isVisibleTo(effectiveRole, actor);
  const isOwnProfile = eq(practitioners.userId, actor.userId);
  return effectiveRole.role === "doctor" || effectiveRole.role === "nurse" ? sql`${isVisible} AND ${isOwnProfile}` : isVisible;
}

async function toPractitioner({ keys }: Call, row: PractitionerRow, details?: Details) {
  const [profile, unsealedDetails] = await Promise.all([
    unsealProfile(keys, { id: row.userId, profileSealed: row.profileSealed }),
    details ?? unsealDetails(keys, row),
  ]);
  return {
    practitioner_id: row.id,
    user_id: row.userId,
    full_name: profile.full_name,
    role: row.role,
    hospital: { hospital_id: row.hospitalId, name: row.hospitalName },
    specialty: row.specialty,
    ...unsealedDetails,
    is_active: row.active === 1 && row.isWorking === 1,
    created_at: toIso(row.createdAt),
    updated_at: toIso(row.updatedAt),
    version: row.version,
  };
}

type Practitioner = Awaited<ReturnType<typeof toPractitioner>>;

function practitionerEvent(
  { role }: UserEffectiveRole,
  row: { id: string; hospitalId: string },
  event: string,
  action: AuditAction,
): AuditEvent {
  return { event, action, role, hospitalId: row.hospitalId, entity: { type: "practitioner", id: row.id } };
}

/**
 * Creates the profile of a doctor or nurse, one per person and hospital.
 * @throws ApiError not_found (not a member of the hospital), conflict (a member with another role), already_exists
 */
export async function createPractitioner(anyCall: Call, input: NewPractitioner, keyStatements: KeyStatements) {
  const { call, effectiveRole, results } = await withUser(anyCall, "practitioner:manage", (effectiveRole, { db }) => [
    db.all<PersonRow>(sql`SELECT ${PERSON_COLUMNS} FROM memberships m JOIN users u ON u.id = m.user_id AND u.active = 1
      JOIN hospitals h ON h.id = m.hospital_id WHERE m.user_id = ${input.user_id} AND ${ACTIVE_MEMBERSHIP}
      AND m.hospital_id = ${input.hospital_id ?? effectiveRole.hospitalId ?? ""}`),
  ]);
  const { role } = effectiveRole;
  const hospitalId = input.hospital_id ?? effectiveRole.hospitalId;
  if (!hospitalId) throw new ApiError("invalid_request", "hospital_id is required.");
  const [person] = results[0];
  if ((role !== "admin" && hospitalId !== effectiveRole.hospitalId) || !person) {
    const target = { user: input.user_id };
    return denyAccess(call, "practitioner:manage", "not_found", { role, hospitalId: effectiveRole.hospitalId, target });
  }
  const { db, keys, actor, now } = call;
  const { specialty, user_id: userId } = input;
  const details = pickDetails(input);
  const id = uuidv7();
  const detailsSealed = await sealDetails(keys, id, 1, details);
  const defaults = { active: 1, createdBy: actor.userId, createdAt: now, updatedAt: now, version: 1 };
  const row = { id, userId, hospitalId, specialty, detailsSealed, ...defaults };
  const event = practitionerEvent(effectiveRole, row, "practitioner.create", "C");
  if (!person.isWorking) return failWithAudit(call, "conflict", event);
  // NULL if the membership has ended meanwhile, which fails the batch.
  const activeUserId = sql`(SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id JOIN hospitals h ON h.id = m.hospital_id
    WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND ${IS_ACTIVE_PRACTITIONER})`;
  try {
    // The key comes first, so that a concurrent request with the same key fails on the key and not on the profile.
    await batch(db, [
      ...keyStatements(id),
      db.insert(practitioners).values({ ...row, userId: activeUserId }),
      ...recordAuditEvent(db, actor, now, event),
    ]);
  } catch (error) {
    if (isConditionFailed(error, "practitioners.user_id")) return failWithAudit(call, "conflict", event);
    if (isUniqueViolation(error, "practitioners."))
      throw new ApiError("already_exists", "This user already has a profile at the hospital.");
    throw error;
  }
  return toPractitioner(call, { ...row, ...person }, details);
}

/** Loads a profile if `condition` holds for the caller. @throws ApiError not_found, forbidden (audited) */
async function requirePractitioner(
  anyCall: Call,
  id: string,
  userPermission: Permission,
  permission: Permission,
  condition: typeof isVisibleTo,
) {
  const { call, effectiveRole, results } = await withUser(anyCall, userPermission, (effectiveRole, { db, actor }) => [
    db.all<PractitionerRow>(
      sql`SELECT ${PROFILE_COLUMNS} FROM ${PROFILE_TABLES} WHERE ${and(eq(practitioners.id, id), condition(effectiveRole, actor))}`,
    ),
  ]);
  const [row] = results[0];
  const { role, hospitalId } = effectiveRole;
  const denialFacts = { role, hospitalId, target: { practitioner: id } };
  if (role === "patient" && permission === "practitioner:manage") return denyAccess(call, permission, "forbidden", denialFacts);
  if (!row) return denyAccess(call, permission, "not_found", denialFacts);
  return { call, effectiveRole, row };
}

export async function getPractitioner(anyCall: Call, id: string) {
  const read = "practitioner:read";
  const { call, effectiveRole, row } = await requirePractitioner(anyCall, id, read, read, isVisibleTo);
  const event = practitionerEvent(effectiveRole, row, "practitioner.read", "R");
  return afterAudit(appendAuditEvent(call, event), toPractitioner(call, row));
}

/** Lists the profiles that the caller may see, newest first. */
export async function listPractitioners(anyCall: Call, query: PractitionerListQuery) {
  const start = await resolvePageStart(anyCall, "practitioners", query);
  const { where, orderBy } = keysetClauses(start, practitioners.createdAt, practitioners.id);
  const filter = and(
    query.hospital_id ? eq(practitioners.hospitalId, query.hospital_id) : undefined,
    query.specialty ? eq(practitioners.specialty, query.specialty) : undefined,
    query.role ? sql`m.role = ${query.role}` : undefined,
    query.active === undefined ? undefined : query.active ? IS_ACTIVE_PROFILE : sql`NOT ${IS_ACTIVE_PROFILE}`,
  );
  const read = new CachedRead<CutPage<Practitioner>>("practitioners", query, ["practitioners", "staff"]);
  const { call, effectiveRole, results } = await withUser(anyCall, "practitioner:read", (effectiveRole, { db, actor }) => {
    const version = read.selectVersion(db, effectiveRole, actor);
    const filterAndVisibility = and(isVisibleTo(effectiveRole, actor), filter) ?? sql`1`;
    return [
      version,
      db.all<PractitionerRow>(sql`SELECT ${PROFILE_COLUMNS} FROM ${PROFILE_TABLES} WHERE ${and(filterAndVisibility, where)} ORDER BY ${sql.join(orderBy, sql`, `)}
        LIMIT ${read.limit(start.limit + 1)} OFFSET ${start.skip}`),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${PROFILE_TABLES} WHERE ${filterAndVisibility} LIMIT ${read.limit(COUNT_LIMIT + 1)})`,
      ),
    ];
  });
  const [version, rows, [counted]] = results;
  const { role, hospitalId } = effectiveRole;
  const list = await read.finish(call, version, () => {
    const toKey = (row: PractitionerRow) => ({ value: row.createdAt, id: row.id });
    const cut = cutPage(start, rows, toKey, { n: counted?.n ?? 0, exact: false });
    const events: KnownEvent[] = [
      { event: "practitioner.list", action: "R", role, hospitalId, detail: { count: cut.rows.length } },
    ];
    const value = Promise.all(cut.rows.map((row) => toPractitioner(call, row)));
    return { events, value: value.then((items) => ({ ...cut, rows: items })) };
  });
  return { items: list.rows, pagination: await paginate(start, list.rows.length, list), etag: read.etag };
}

/**
 * Updates a profile and seals its details for the next version.
 * @param expected the versions that the caller has read
 * @throws ApiError not_found, forbidden (a field that only managers may change), precondition_failed
 */
export async function updatePractitioner(anyCall: Call, id: string, expected: ExpectedVersion, change: PractitionerChange) {
  const manage = "practitioner:manage";
  const { call, effectiveRole, row } = await requirePractitioner(anyCall, id, "practitioner:update", manage, isEditableBy);
  const { role, hospitalId } = effectiveRole;
  const isOwnProfile = role === "doctor" || role === "nurse";
  if (isOwnProfile && Object.keys(change).some((field) => !SELF_EDITABLE_FIELDS.includes(field))) {
    return denyAccess(call, manage, "forbidden", { role, hospitalId, target: { practitioner: id } });
  }
  const fields = Object.keys(change);
  const event = { ...practitionerEvent(effectiveRole, row, "practitioner.update", "U"), detail: { fields } };
  if (row.version !== matchVersion(expected, row.version)) return failWithAudit(call, "precondition_failed", event);
  return savePractitioner(call, row, change, event);
}

async function savePractitioner(call: UserCall, row: PractitionerRow, change: PractitionerChange, event: AuditEvent) {
  const { db, keys, actor, now } = call;
  const { specialty = row.specialty, is_active, ...detailChanges } = change;
  const details = pickDetails({ ...(await unsealDetails(keys, row)), ...detailChanges });
  const version = row.version + 1;
  const detailsSealed = await sealDetails(keys, row.id, version, details);
  const active = is_active === undefined ? row.active : Number(is_active);
  const [[after]] = await batch(db, [
    db
      .update(practitioners)
      .set({ specialty, active, detailsSealed, updatedAt: now, version })
      .where(and(eq(practitioners.id, row.id), eq(practitioners.version, row.version)))
      .returning({ id: practitioners.id }),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  if (!after) return failWithAudit(call, "precondition_failed", event);
  return toPractitioner(call, { ...row, specialty, active, updatedAt: now, version }, details);
}

/**
 * Deletes a profile with its open times; account and membership are not affected.
 * @throws ApiError not_found, precondition_failed, conflict (it has appointments)
 */
export async function deletePractitioner(anyCall: Call, id: string, expected: ExpectedVersion): Promise<void> {
  const manage = "practitioner:manage";
  const { call, effectiveRole, row } = await requirePractitioner(anyCall, id, manage, manage, isEditableBy);
  const { db, actor, now } = call;
  const event = practitionerEvent(effectiveRole, row, "practitioner.delete", "D");
  const version = matchVersion(expected, row.version);
  if (row.version !== version) return failWithAudit(call, "precondition_failed", event);
  const isCurrent = sql`EXISTS (SELECT 1 FROM practitioners WHERE id = ${id} AND version = ${version})`;
  const written = await batch(db, [
    db.run(sql`DELETE FROM schedules WHERE practitioner_id = ${id} AND ${isCurrent}`),
    db.run(sql`DELETE FROM schedule_exceptions WHERE practitioner_id = ${id} AND ${isCurrent}`),
    db.run(sql`DELETE FROM practitioner_calendars WHERE owner_id = ${id} AND ${isCurrent}`),
    db
      .delete(practitioners)
      .where(and(eq(practitioners.id, id), eq(practitioners.version, version)))
      .returning({ id: practitioners.id }),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]).catch((error: unknown) => {
    if (!isForeignKeyViolation(error)) throw error;
    return failWithAudit(call, "conflict", event, "The practitioner has appointments; set is_active to false instead.");
  });
  const [, , , rows] = written;
  if (rows.length === 0) await failWithAudit(call, "precondition_failed", event);
}
