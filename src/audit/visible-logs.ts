// Which logs a list of audit events reads, and what it may show of each.
import { type SQL, sql } from "drizzle-orm";
import type { UserActor, UserEffectiveRole } from "../access/actor.ts";
import { type LogFilter, NO_HOSPITAL_LOG } from "../audit-log/contract.ts";
import type { PageQuery } from "../http/pagination.ts";
import type { Db } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";

export type AuditQuery = Omit<PageQuery, "offset"> & {
  /** `none`: events of no hospital. Administrators only; the others have their own. */
  hospital_id?: string | undefined;
  patient_id?: string | undefined;
  actor_id?: string | undefined;
  event?: string | undefined;
  outcome?: "success" | "denied" | "failed" | undefined;
  from?: string | undefined;
  to?: string | undefined;
  abroad?: boolean | undefined;
};

/** Logs of one list, that of no hospital included. */
const MAX_LOGS = 100;

/** A log, and the patients whose events are listed; null: of all. */
type Place = { log: string; patientIds: string[] | null };
export type VisibleLog = { logId: string; filter: LogFilter };

const isOwnLog = ({ role }: UserEffectiveRole) => role !== "admin" && role !== "hospital_admin";

/** Selects the hospitals whose logs are read, with a patient each in a patient's own log. */
export function selectPlaces(db: Db, query: AuditQuery, effectiveRole: UserEffectiveRole, actor: UserActor) {
  return db.all<{ log: string; patient: string | null }>(sql`${placesOf(query, effectiveRole, actor)} LIMIT ${MAX_LOGS}`);
}

function placesOf({ patient_id, hospital_id }: AuditQuery, effectiveRole: UserEffectiveRole, actor: UserActor): SQL {
  if (isOwnLog(effectiveRole))
    return sql`SELECT p.hospital_id AS log, p.id AS patient FROM patient_links l JOIN patients p ON p.id = l.patient_id
      WHERE l.user_id = ${actor.userId} AND ${patient_id ? sql`l.patient_id = ${patient_id}` : sql`1`}`;
  const only = effectiveRole.role === "admin" ? hospital_id : (effectiveRole.hospitalId ?? "");
  if (only === NO_HOSPITAL_LOG) return sql`SELECT ${only} AS log, NULL AS patient`;
  return sql`SELECT id AS log, NULL AS patient FROM hospitals WHERE ${only === undefined ? sql`1` : sql`id = ${only}`}`;
}

/** Whether the query names a hospital whose log the caller may not list, or that does not exist. */
export function isHospitalHidden(
  { hospital_id: requested }: Pick<AuditQuery, "hospital_id">,
  { role, hospitalId }: UserEffectiveRole,
  places: readonly unknown[],
): boolean {
  if (requested === undefined || role === "patient") return false;
  return role === "admin" ? places.length === 0 : requested !== hospitalId;
}

/**
 * The logs with the filter of each. An event in two logs is listed once: from the log of its data's hospital, or in lists of
 * `abroad` from that of its actor's.
 * @throws ApiError invalid_request when an administrator asks for more logs than one list reads
 */
export function toVisibleLogs(
  rows: readonly { log: string; patient: string | null }[],
  query: AuditQuery,
  effectiveRole: UserEffectiveRole,
): VisibleLog[] {
  const isOfAll = effectiveRole.role === "admin" && query.hospital_id === undefined;
  if (isOfAll && rows.length >= MAX_LOGS)
    throw new ApiError("invalid_request", `There are ${MAX_LOGS} hospitals or more: hospital_id is needed.`, {
      errors: [{ path: "hospital_id", message: "Required with so many hospitals", code: "required" }],
    });
  const ownIds = isOwnLog(effectiveRole) ? rows.flatMap(({ patient }) => (patient === null ? [] : [patient])) : null;
  if (ownIds?.length === 0) return [];
  const patientIds = ownIds ?? (query.patient_id ? [query.patient_id] : null);
  const hasNoHospitalLog = isOfAll || ownIds !== null;
  const logs = new Set([...rows.map(({ log }) => log), ...(hasNoHospitalLog ? [NO_HOSPITAL_LOG] : [])]);
  const isAsked = (log: string) => ownIds === null || (query.hospital_id ?? log) === log;
  return [...logs].filter(isAsked).map((log) => ({ logId: log, filter: placeFilter({ log, patientIds }, query, effectiveRole) }));
}

function placeFilter({ log, patientIds }: Place, query: AuditQuery, effectiveRole: UserEffectiveRole): LogFilter {
  const filter = { patientIds, ...buildFilter(query) };
  const hospitalId = log === NO_HOSPITAL_LOG ? null : log;
  const isOfOneHospital = effectiveRole.role === "hospital_admin" || query.hospital_id !== undefined;
  if (!query.abroad) return { ...filter, hospitalId };
  if (isOwnLog(effectiveRole) || !isOfOneHospital || hospitalId === null) return { ...filter, hospitalId, isAbroad: true };
  // The subject of a denial abroad would tell that a patient with this id exists.
  const isNotDenied = effectiveRole.role !== "admin" && query.patient_id !== undefined;
  return { ...filter, actorHospitalId: hospitalId, isNotDenied };
}

const buildFilter = ({ actor_id, event, outcome, from, to }: AuditQuery): Omit<LogFilter, "patientIds"> => ({
  ...(actor_id !== undefined && { actorId: actor_id }),
  ...(event !== undefined && { event }),
  ...(outcome !== undefined && { outcome }),
  ...(from !== undefined && { from: Date.parse(from) }),
  ...(to !== undefined && { to: Date.parse(to) }),
});
