// Lists of reports: filters, sort orders and totals. Each page takes one round trip and uses the index that fits the filters.
import { and, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { withPrincipal } from "../../access/access.ts";
import type { Call, EffectiveRole, Principal, PrincipalCall } from "../../access/actor.ts";
import { toListEvents } from "../../access/audit.ts";
import { CachedRead } from "../../access/cached-read.ts";
import { isForeign } from "../../access/consented.ts";
import { selectEmergencyOf, selectGroundOf } from "../../access/emergency.ts";
import { type Permission, roleAllows } from "../../access/permissions.ts";
import { countedVisibility, patientVisibility } from "../../access/visibility.ts";
import {
  COUNT_LIMIT,
  type CutPage,
  cutPage,
  keysetClauses,
  type PageStart,
  paginate,
  resolvePageStart,
} from "../../http/pagination.ts";
import { COUNTER_SCOPES } from "../../platform/counters.ts";
import { reports } from "../../platform/db/schema.ts";
import { openListItems } from "../../platform/sealed-documents.ts";
import { addDownloadLink, type ReportRow, toReport } from "./report.ts";
import type { ReportQuery } from "./schemas.ts";
import { selectCounterScopes } from "./stats.ts";

type ReportListRow = ReportRow & { patientNumber: number; identity: string; patientVersion: number; ground: string | null };

/** The filter whose index the query must use; `any` leaves the choice to SQLite. */
type LeadingFilter = "encounter" | "patient" | "uploader" | "effective" | "any";

function chooseLeadingFilter(effectiveRole: EffectiveRole, query: ReportQuery): LeadingFilter {
  if (query.encounter_id) return "encounter";
  const seesFewPatients =
    effectiveRole.role === "patient" || (effectiveRole.role === "doctor" && effectiveRole.doctorScope === "care_team");
  if (seesFewPatients || query.patient_id) return "patient";
  if (query.device_id || query.uploaded_by) return "uploader";
  return isSortedByEffective(query) || hasEffectiveFilter(query) ? "effective" : "any";
}

const hasEffectiveFilter = ({ effective_from, effective_to }: ReportQuery) =>
  effective_from !== undefined || effective_to !== undefined;
const isSortedByEffective = ({ sort }: ReportQuery) => sort === "effective" || sort === "-effective";

/** What opens a report of the record that the list is about beyond the role; nothing opens a hospital's list. */
const groundOf = (effectiveRole: EffectiveRole, { actor, now }: PrincipalCall, { patient_id }: ReportQuery): SQL =>
  patient_id === undefined
    ? sql`NULL`
    : selectGroundOf(effectiveRole, actor, now, {
        patientId: reports.patientId,
        hospitalId: sql`+${reports.hospitalId}`,
        kind: sql`'report:' || ${reports.kind}`,
        at: reports.effectiveAt,
      });

/**
 * The condition for visible rows that match the query. SQLite has no statistics here: `+` disables the indexes other than
 * the leading filter's, because one on a hospital's kinds or days would read all of its reports.
 */
function buildReportFilter(
  effectiveRole: EffectiveRole,
  call: PrincipalCall,
  query: ReportQuery,
  visibility: typeof patientVisibility,
): SQL | undefined {
  const leadingFilter = chooseLeadingFilter(effectiveRole, query);
  const indexable = (column: SQLWrapper, ...leadingFilters: LeadingFilter[]) =>
    leadingFilter === "any" || leadingFilters.includes(leadingFilter) ? column : sql`+${column}`;
  const equals = (column: SQLWrapper, value: string | undefined) => (value === undefined ? undefined : sql`${column} = ${value}`);
  const lowerBound = (column: SQLWrapper, value: number | undefined) =>
    value === undefined ? undefined : sql`${column} >= ${value}`;
  const upperBound = (column: SQLWrapper, operator: SQL, value: number | undefined) =>
    value === undefined ? undefined : sql`${column} ${operator} ${value}`;
  const hospitalId = indexable(reports.hospitalId, "effective");
  const [createdAt, rate] = [indexable(reports.createdAt), indexable(reports.heartRate)];
  const effectiveAt = indexable(reports.effectiveAt, "effective");
  const uploadedBy = indexable(reports.uploadedBy, "uploader");
  return and(
    query.patient_id === undefined
      ? visibility(effectiveRole, call.actor, reports.patientId, hospitalId)
      : sql`((${visibility(effectiveRole, call.actor, reports.patientId, hospitalId)}) OR
        (+${reports.status} <> 'entered-in-error' AND ${groundOf(effectiveRole, call, query)} IS NOT NULL))`,
    equals(reports.patientId, query.patient_id),
    equals(hospitalId, query.hospital_id),
    equals(indexable(reports.kind), query.kind),
    equals(indexable(reports.status), query.status),
    query.status === undefined ? sql`+${reports.status} <> 'entered-in-error'` : undefined,
    equals(indexable(reports.sessionType), query.session_type),
    equals(indexable(reports.encounterId, "encounter"), query.encounter_id),
    query.device_id ? sql`${uploadedBy} = ${query.device_id} AND ${reports.uploadedByKind} = 'device'` : undefined,
    query.uploaded_by ? sql`${uploadedBy} = ${query.uploaded_by} AND ${reports.uploadedByKind} = 'user'` : undefined,
    lowerBound(createdAt, parseOptionalTime(query.from)),
    upperBound(createdAt, sql`<`, parseOptionalTime(query.to)),
    lowerBound(effectiveAt, parseOptionalTime(query.effective_from)),
    upperBound(effectiveAt, sql`<`, parseOptionalTime(query.effective_to)),
    lowerBound(rate, query.heart_rate_min),
    upperBound(rate, sql`<=`, query.heart_rate_max),
  );
}

const parseOptionalTime = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));

/** Drops a filter for the caller's own hospital, which changes nothing: counters can then give the total. */
function dropOwnHospital(effectiveRole: EffectiveRole, query: ReportQuery): ReportQuery {
  return effectiveRole.role !== "admin" && query.hospital_id === effectiveRole.hospitalId
    ? { ...query, hospital_id: undefined }
    : query;
}

/** The page's order. With a filter on measurement time, the index on receipt time must not lead: it would read too many rows. */
function buildOrder(start: PageStart, query: ReportQuery) {
  const ascending = !query.sort.startsWith("-");
  if (isSortedByEffective(query)) return keysetClauses(start, reports.effectiveAt, reports.id, ascending);
  if (!hasEffectiveFilter(query)) return keysetClauses(start, reports.createdAt, reports.id, ascending);
  const [operator, order] = ascending ? [sql`>`, sql`ASC`] : [sql`<`, sql`DESC`];
  const { after } = start;
  const where = after ? sql`(+${reports.createdAt}, ${reports.id}) ${operator} (${after.value}, ${after.id})` : undefined;
  return { where, orderBy: [sql`+${reports.createdAt} ${order}`, sql`${reports.id} ${order}`] };
}

/** Whether the record's reports are opened one by one: no counter of the caller's counts them. */
const isOpened = (effectiveRole: EffectiveRole, actor: Principal, now: number, patientId: string): SQL =>
  sql`(${isForeign(effectiveRole, patientId)} OR (${selectEmergencyOf(effectiveRole, actor, now, sql`${patientId}`)} IS NOT NULL
    AND EXISTS (SELECT 1 FROM patients WHERE id = ${patientId}
      AND NOT (${patientVisibility(effectiveRole, actor, sql`patients.id`, sql`patients.hospital_id`)}))))`;

/** Counters give totals by patient, kind, status and (for administrators) hospital; other filters count at most 10,001 rows. */
function buildTotalQuery(
  effectiveRole: EffectiveRole,
  { actor, now }: PrincipalCall,
  query: ReportQuery,
  where: SQL | undefined,
): { sql: SQL; exact: boolean } {
  const { patient_id, kind, status, hospital_id, sort: _s, limit: _l, offset: _o, cursor: _c, ...others } = query;
  const hasCounter = hospital_id === undefined || (effectiveRole.role === "admin" && patient_id === undefined);
  if (!hasCounter || Object.values(others).some((value) => value !== undefined)) {
    return { sql: sql`SELECT count(*) AS n FROM (SELECT 1 FROM reports WHERE ${where} LIMIT ${COUNT_LIMIT + 1})`, exact: false };
  }
  const beyondRole = patient_id
    ? sql` + (SELECT count(*) FROM (SELECT 1 FROM reports WHERE ${isOpened(effectiveRole, actor, now, patient_id)} AND ${where}
        LIMIT ${COUNT_LIMIT + 1}))`
    : sql``;
  const counterScope = hospital_id
    ? sql`SELECT ${COUNTER_SCOPES.hospital(hospital_id)}`
    : selectCounterScopes(effectiveRole, actor, patient_id);
  return {
    sql: sql`SELECT coalesce(sum(n), 0)${beyondRole} AS n FROM counters WHERE scope IN (${counterScope}) AND day = 0
      AND name LIKE ${`report|${kind ?? "%"}|${status ?? "%"}`} AND (name NOT LIKE '%|entered-in-error' OR ${status !== undefined})`,
    exact: true,
  };
}

/**
 * Lists reports of patients that the caller may see, with patient data.
 * @param auditDetail added to the audit event's detail
 */
export async function listReports(
  anyCall: Call,
  requestedQuery: ReportQuery,
  action: Permission,
  auditDetail: Record<string, unknown> = {},
) {
  const list = `reports:${action}`;
  const start = await resolvePageStart(anyCall, list, requestedQuery);
  const { where, orderBy } = buildOrder(start, requestedQuery);
  let exact = false;
  const read = new CachedRead<CutPage<ListedReport>>(
    list,
    { ...requestedQuery, ...auditDetail },
    ["reports", "patients"],
    requestedQuery.patient_id,
  );
  const { call, effectiveRole, results } = await withPrincipal(anyCall, action, (effectiveRole, call) => {
    const { db, actor } = call;
    const version = read.selectVersion(db, effectiveRole, actor);
    const query = dropOwnHospital(effectiveRole, requestedQuery);
    const visible = buildReportFilter(effectiveRole, call, query, patientVisibility);
    const counted = buildReportFilter(effectiveRole, call, query, query.patient_id ? patientVisibility : countedVisibility);
    const total = buildTotalQuery(effectiveRole, call, query, counted);
    exact = total.exact;
    const page = sql`SELECT ${reports.id} FROM reports WHERE ${and(visible, where) ?? sql`1`} ORDER BY ${sql.join(orderBy, sql`, `)}
      LIMIT ${read.limit(start.limit + 1)} OFFSET ${start.skip}`;
    return [
      version,
      // The page is selected on the index alone; only its rows are then read completely.
      db.all<ReportListRow>(sql`SELECT ${LIST_COLUMNS}, ${groundOf(effectiveRole, call, query)} AS ground FROM reports JOIN patients ON patients.id = reports.patient_id
        WHERE reports.id IN (${page}) ORDER BY ${sql.join(orderBy, sql`, `)}`),
      db.all<{ n: number }>(total.sql),
    ];
  });
  const [version, rows, [count]] = results;
  const toCursor = (row: ReportListRow) => ({
    value: isSortedByEffective(requestedQuery) ? row.effectiveAt : row.createdAt,
    id: row.id,
  });
  const page = await read.finish(call, version, () => {
    const cut = cutPage(start, rows, toCursor, { n: count?.n ?? 0, exact });
    let corruptCount = 0;
    const open = async () => {
      const opened = await toListedReports(call, effectiveRole, cut.rows);
      corruptCount = opened.corruptCount;
      return { ...cut, rows: opened.items };
    };
    return { events: toReportListEvents(effectiveRole, cut.rows, auditDetail), value: open(), isKept: () => corruptCount === 0 };
  });
  return { items: page.rows, pagination: await paginate(start, page.rows.length, page), etag: read.etag };
}

type ListedReport = Awaited<ReturnType<typeof toReport>>;

function toReportListEvents(
  { role, hospitalId }: EffectiveRole,
  rows: readonly ReportListRow[],
  auditDetail: Record<string, unknown>,
) {
  return toListEvents(
    rows,
    (row) => row.hospitalId,
    hospitalId,
    (ofHospital) => ({
      event: "report.list",
      action: "R",
      role,
      subjects: ofHospital.map((row) => row.patientId),
      detail: { report_ids: ofHospital.map((row) => row.id), ...auditDetail },
    }),
    ({ ground }) => ground,
  );
}

/** One corrupt value does not fail the whole page. In the detail view it is an error. */
function toListedReports(call: Call, effectiveRole: EffectiveRole, rows: readonly ReportListRow[]) {
  return openListItems(call.actor.via.requestId, rows, (row, onCorrupt) => {
    const patient = {
      id: row.patientId,
      version: row.patientVersion,
      patient_number: row.patientNumber,
      identity_sealed: row.identity,
    };
    return toReport(call, row, patient, roleAllows(effectiveRole, "patient:read"), onCorrupt);
  });
}

/** The administrators' list: adds a signed download link to each report. */
export async function listReportsWithLinks(call: Call, query: ReportQuery, origin: string) {
  const { items, pagination } = await listReports(call, query, "admin:read", { links: true });
  return { items: await Promise.all(items.map((report) => addDownloadLink(call, origin, report))), pagination };
}

const LIST_COLUMNS = sql`reports.id AS id, reports.patient_id AS patientId, reports.hospital_id AS hospitalId, reports.kind AS kind,
  reports.status AS status, reports.uploaded_by_kind AS uploadedByKind, reports.uploaded_by AS uploadedBy,
  reports.encounter_id AS encounterId, reports.session_type AS sessionType, reports.confidence AS confidence,
  reports.heart_rate AS heartRate, reports.effective_at AS effectiveAt, reports.file_name_sealed AS fileNameSealed,
  reports.comment_sealed AS commentSealed, reports.file_size AS fileSize, reports.sha256 AS sha256, reports.created_at AS createdAt, reports.version AS version,
  patients.patient_number AS patientNumber, patients.identity_sealed AS identity, patients.version AS patientVersion`;
