// Wards (FHIR Location) of a hospital. A ward with patients cannot be deleted.

import { and, eq, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import { type Call, getActorId, type UserActor, type UserEffectiveRole } from "../../access/actor.ts";
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
import { activeHospitalId, isInCallerHospital } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { patientVisibility } from "../../access/visibility.ts";
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
import { GRACE_MINUTES, type ObservationMode } from "../../monitoring/vitals/freshness.ts";
import { batch, isConditionFailed, isForeignKeyViolation, isUniqueViolation } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { hospitals, patients, SELF_CARE_HOSPITAL_ID, wards } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { toIso } from "../../platform/time.ts";
import { DEFAULT_PROFILE, type ProfileChange, toProfile, toProfileColumns } from "./news2-profile.ts";
import { DEFAULT_TREND, type TrendChange, toTrendChoice, toTrendColumns } from "./trend-choice.ts";
import { deleteSettingsOf, deleteStaffOf } from "./ward-removal.ts";

export type NewWard = { name: string; hospital_id?: string | undefined };
export type WardChange = {
  name?: string | undefined;
  is_active?: boolean | undefined;
  observation_mode?: ObservationMode | undefined;
  observation_grace_minutes?: number | undefined;
  overdue_alarm?: boolean | undefined;
} & ProfileChange &
  TrendChange;

/** Limit of patient counts, so that no query counts without bound. */
export const MAX_COUNTED_PATIENTS = 1_000;

/** Settings of a new ward. */
const DEFAULT_OBSERVATION = {
  observationMode: "auto",
  observationGraceMinutes: GRACE_MINUTES.default,
  overdueAlarm: 0,
  ...DEFAULT_PROFILE,
  ...DEFAULT_TREND,
} as const;

type WardRow = typeof wards.$inferSelect;
type CountedWard = WardRow & { patientCount: number };

async function toWard({ keys }: Pick<Call, "keys">, row: CountedWard) {
  return {
    ward_id: row.id,
    hospital_id: row.hospitalId,
    name: row.name,
    is_active: row.active === 1,
    patient_count: row.patientCount,
    observation_mode: row.observationMode,
    observation_grace_minutes: row.observationGraceMinutes,
    ...(await toProfile(keys, row)),
    overdue_alarm: row.overdueAlarm === 1,
    ...(await toTrendChoice(keys, row)),
    created_at: toIso(row.createdAt),
    updated_at: toIso(row.updatedAt),
    version: row.version,
  };
}

type Ward = Awaited<ReturnType<typeof toWard>>;

/** Counts the ward's patients that the caller may see. `+` makes SQLite lead with the ward's index. */
function patientCount(effectiveRole: UserEffectiveRole, actor: UserActor): SQL<number> {
  const scope = patientVisibility(effectiveRole, actor, sql`+${patients.id}`, sql`+${patients.hospitalId}`);
  return sql`(SELECT count(*) FROM (SELECT 1 FROM patients WHERE ${patients.wardId} = ${wards.id} AND ${scope} LIMIT ${MAX_COUNTED_PATIENTS}))`;
}

const wardColumns = (
  effectiveRole: UserEffectiveRole,
  actor: UserActor,
) => sql`wards.id AS id, wards.hospital_id AS hospitalId, wards.name AS name,
  wards.active AS active, wards.created_at AS createdAt, wards.updated_at AS updatedAt, wards.version AS version,
  wards.observation_mode AS observationMode, wards.observation_grace_minutes AS observationGraceMinutes,
  wards.news2_profile AS news2Profile, wards.news2_profile_reason_sealed AS news2ProfileReasonSealed,
  wards.news2_profile_by AS news2ProfileBy, wards.news2_profile_at AS news2ProfileAt,
  wards.overdue_alarm AS overdueAlarm, wards.trend_mark AS trendMark, wards.trend_mark_reason_sealed AS trendMarkReasonSealed,
  wards.trend_mark_by AS trendMarkBy, wards.trend_mark_at AS trendMarkAt,
  ${patientCount(effectiveRole, actor)} AS patientCount`;

function wardEvent(
  effectiveRole: UserEffectiveRole,
  row: { id: string; hospitalId: string },
  event: string,
  action: AuditAction,
): AuditEvent {
  return { event, action, role: effectiveRole.role, hospitalId: row.hospitalId, entity: { type: "ward", id: row.id } };
}

/** @throws ApiError not_found (hospital), forbidden (the built-in hospital), already_exists, limit_reached */
export async function createWard(anyCall: Call, input: NewWard, keyStatements: KeyStatements) {
  const { call, effectiveRole, results } = await withUser(anyCall, "ward:manage", (effectiveRole, { db }) => [
    db
      .select({ id: hospitals.id })
      .from(hospitals)
      .where(eq(hospitals.id, input.hospital_id ?? effectiveRole.hospitalId ?? "")),
  ]);
  const { role } = effectiveRole;
  const hospitalId = input.hospital_id ?? effectiveRole.hospitalId;
  if (!hospitalId) throw new ApiError("invalid_request", "hospital_id is required.");
  const target = { hospital: hospitalId };
  if ((role !== "admin" && hospitalId !== effectiveRole.hospitalId) || !results[0][0]) {
    return denyAccess(call, "ward:manage", "not_found", { role, hospitalId: effectiveRole.hospitalId, target });
  }
  if (hospitalId === SELF_CARE_HOSPITAL_ID) return denyAccess(call, "ward:manage", "forbidden", { role, hospitalId, target });
  const { db, actor, now } = call;
  const row: WardRow = {
    id: uuidv7(),
    hospitalId,
    name: input.name,
    active: 1,
    createdAt: now,
    updatedAt: now,
    version: 1,
    ...DEFAULT_OBSERVATION,
  };
  const name = unlessFull(row.name, ROW_LIMITS.wards, sql`wards WHERE hospital_id = ${hospitalId}`);
  try {
    await batch(db, [
      // First, so that a concurrent request with the same key fails on the key and not on the name.
      ...keyStatements(row.id),
      db.insert(wards).values({ ...row, hospitalId: activeHospitalId(hospitalId), name }),
      ...recordAuditEvent(db, actor, now, wardEvent(effectiveRole, row, "ward.create", "C")),
    ]);
  } catch (error) {
    if (isConditionFailed(error, "wards.hospital_id")) throw new ApiError("not_found");
    throw toLimitError(toNameConflict(error), ROW_LIMITS.wards);
  }
  return toWard(call, { ...row, patientCount: 0 });
}

const toNameConflict = (error: unknown) =>
  isUniqueViolation(error, "wards.") ? new ApiError("already_exists", "The hospital already has a ward with this name.") : error;

/** Loads a ward that the caller may see, with its patient count. @throws ApiError not_found (audited) */
async function requireWard(anyCall: Call, id: string, permission: Permission) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db, actor }) => [
    db.all<CountedWard>(
      sql`SELECT ${wardColumns(effectiveRole, actor)} FROM wards WHERE ${and(eq(wards.id, id), isInCallerHospital(effectiveRole, wards.hospitalId))}`,
    ),
  ]);
  const [ward] = results[0];
  const { role, hospitalId } = effectiveRole;
  if (!ward) return denyAccess(call, permission, "not_found", { role, hospitalId, target: { ward: id } });
  return { call, effectiveRole, ward };
}

export async function getWard(anyCall: Call, id: string) {
  const { call, effectiveRole, ward } = await requireWard(anyCall, id, "ward:read");
  return afterAudit(appendAuditEvent(call, wardEvent(effectiveRole, ward, "ward.read", "R")), toWard(call, ward));
}

export type WardListQuery = PageQuery & { hospital_id?: string | undefined; active?: boolean | undefined };

/** Lists wards, oldest first, each with its patient count. */
export async function listWards(anyCall: Call, query: WardListQuery) {
  const start = await resolvePageStart(anyCall, "wards", query);
  const { where, orderBy } = keysetClauses(start, wards.createdAt, wards.id, true);
  const filter = and(
    query.hospital_id ? eq(wards.hospitalId, query.hospital_id) : undefined,
    query.active === undefined ? undefined : eq(wards.active, Number(query.active)),
  );
  const read = new CachedRead<CutPage<Ward>>("wards", query, ["wards", "patients"]);
  const { call, effectiveRole, results } = await withUser(anyCall, "ward:read", (effectiveRole, { db, actor }) => {
    const version = read.selectVersion(db, effectiveRole, actor);
    const isVisible = isInCallerHospital(effectiveRole, wards.hospitalId);
    const page = sql`SELECT ${wards.id} FROM wards WHERE ${and(isVisible, filter, where)} ORDER BY ${sql.join(orderBy, sql`, `)}
      LIMIT ${read.limit(start.limit + 1)} OFFSET ${start.skip}`;
    return [
      version,
      // Counts patients only for the wards of the page.
      db.all<CountedWard>(
        sql`SELECT ${wardColumns(effectiveRole, actor)} FROM wards WHERE ${wards.id} IN (${page}) ORDER BY ${sql.join(orderBy, sql`, `)}`,
      ),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM wards WHERE ${and(isVisible, filter)} LIMIT ${read.limit(COUNT_LIMIT + 1)})`,
      ),
    ];
  });
  const [version, rows, [counted]] = results;
  const { role, hospitalId } = effectiveRole;
  const list = await read.finish(call, version, () => {
    const toKey = (row: CountedWard) => ({ value: row.createdAt, id: row.id });
    const cut = cutPage(start, rows, toKey, { n: counted?.n ?? 0, exact: false });
    const events: KnownEvent[] = [{ event: "ward.list", action: "R", role, hospitalId, detail: { count: cut.rows.length } }];
    const value = Promise.all(cut.rows.map((row) => toWard(call, row)));
    return { events, value: value.then((items) => ({ ...cut, rows: items })) };
  });
  return { items: list.rows, pagination: await paginate(start, list.rows.length, list), etag: read.etag };
}

/** The settings that a change names, before and after it, for the audit log; never the reason, which is free text. */
function toSettingsDetail(ward: WardRow, change: WardChange) {
  const before = {
    observation_mode: ward.observationMode,
    observation_grace_minutes: ward.observationGraceMinutes,
    news2_profile: ward.news2Profile,
    overdue_alarm: ward.overdueAlarm === 1,
    trend_mark: ward.trendMark === 1,
  };
  const named = (
    ["observation_mode", "observation_grace_minutes", "news2_profile", "overdue_alarm", "trend_mark"] as const
  ).filter((name) => change[name] !== undefined);
  const pick = (from: Partial<WardChange>) => Object.fromEntries(named.map((name) => [name, from[name]]));
  return named.length > 0 && { before: pick(before), after: pick(change) };
}

/** @param expected the versions that the caller has read @throws ApiError not_found, precondition_failed, already_exists */
export async function updateWard(anyCall: Call, id: string, expected: ExpectedVersion, change: WardChange) {
  const { call, effectiveRole, ward } = await requireWard(anyCall, id, "ward:manage");
  const { db, actor, now } = call;
  const detail = { fields: Object.keys(change), ...toSettingsDetail(ward, change) };
  const event = { ...wardEvent(effectiveRole, ward, "ward.update", "U"), detail };
  const version = matchVersion(expected, ward.version);
  if (ward.version !== version) return failWithAudit(call, "precondition_failed", event);
  const active = change.is_active === undefined ? ward.active : Number(change.is_active);
  const profile = await toProfileColumns(call.keys, id, change, getActorId(actor), now);
  const trend = await toTrendColumns(call.keys, id, change, getActorId(actor), now);
  try {
    const [[after]] = await batch(db, [
      db
        .update(wards)
        .set({
          name: change.name ?? ward.name,
          active,
          observationMode: change.observation_mode ?? ward.observationMode,
          observationGraceMinutes: change.observation_grace_minutes ?? ward.observationGraceMinutes,
          ...profile,
          ...trend,
          overdueAlarm: change.overdue_alarm === undefined ? ward.overdueAlarm : Number(change.overdue_alarm),
          updatedAt: now,
          version: version + 1,
        })
        .where(and(eq(wards.id, id), eq(wards.version, version)))
        .returning(),
      ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
    ]);
    if (after) return toWard(call, { ...after, patientCount: ward.patientCount });
  } catch (error) {
    throw toNameConflict(error);
  }
  return failWithAudit(call, "precondition_failed", event);
}

/**
 * Deletes a ward without patients. The foreign key decides races: either the concurrent transfer of a patient fails, or this.
 * @throws ApiError not_found, precondition_failed, conflict (the ward has patients)
 */
export async function deleteWard(anyCall: Call, id: string, expected: ExpectedVersion): Promise<void> {
  const { call, effectiveRole, ward } = await requireWard(anyCall, id, "ward:manage");
  const { db, actor, now } = call;
  const event = wardEvent(effectiveRole, ward, "ward.delete", "D");
  const version = matchVersion(expected, ward.version);
  if (ward.version !== version) return failWithAudit(call, "precondition_failed", event);
  try {
    const [, rows] = await batch(db, [
      deleteStaffOf(db, id, version),
      db
        .delete(wards)
        .where(and(eq(wards.id, id), eq(wards.version, version)))
        .returning({ id: wards.id }),
      ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
      ...deleteSettingsOf(db, id),
    ]);
    if (rows.length > 0) return;
  } catch (error) {
    if (isForeignKeyViolation(error)) return failWithAudit(call, "conflict", event);
    throw error;
  }
  return failWithAudit(call, "precondition_failed", event);
}
