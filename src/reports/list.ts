// Lists of reports: filters, sorts, totals; each page in two round trips, found by the index that fits the question.
import { and, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { asPrincipal, patientScope } from "../access.ts";
import type { Call, Principal, Standing } from "../actor.ts";
import { afterAudit, audit } from "../audit.ts";
import { scopes } from "../counters.ts";
import { batch } from "../db/client.ts";
import { reports } from "../db/schema.ts";
import { log } from "../log.ts";
import { COUNT_LIMIT, keyset, type Start, startOf, toPage } from "../pagination.ts";
import type { Action } from "../roles.ts";
import { type ReportRow, toReport, withLink } from "./reports.ts";
import type { ReportList } from "./shapes.ts";
import { counterScopes } from "./stats.ts";

type ListRow = ReportRow & { patientNumber: number; identity: string; patientVersion: number };

/** What leads to the rows: the handful of patients, one sender or encounter, the time of measurement, or what fits. */
type Lead = "encounter" | "patient" | "uploader" | "effective" | "any";

function leadOf(standing: Standing, query: ReportList): Lead {
  if (query.encounter_id) return "encounter";
  const few = standing.role === "patient" || (standing.role === "doctor" && standing.doctorScope === "care_team");
  if (few || query.patient_id) return "patient";
  if (query.device_id || query.uploaded_by) return "uploader";
  return byEffective(query) || measured(query) ? "effective" : "any";
}

const measured = ({ effective_from, effective_to }: ReportList) => effective_from !== undefined || effective_to !== undefined;
const byEffective = ({ sort }: ReportList) => sort === "effective" || sort === "-effective";

/**
 * The rows that the caller may see and asks for. `+` keeps SQLite, which has no statistics here, from leading with
 * another index: of a whole hospital's kinds or days, say, which would read every report there is.
 */
function visibleReports(standing: Standing, actor: Principal, query: ReportList): SQL | undefined {
  const lead = leadOf(standing, query);
  const column = (c: SQLWrapper, ...leads: Lead[]) => (lead === "any" || leads.includes(lead) ? c : sql`+${c}`);
  const is = (c: SQLWrapper, value: string | undefined) => (value === undefined ? undefined : sql`${c} = ${value}`);
  const from = (c: SQLWrapper, value: number | undefined) => (value === undefined ? undefined : sql`${c} >= ${value}`);
  const until = (c: SQLWrapper, op: SQL, value: number | undefined) =>
    value === undefined ? undefined : sql`${c} ${op} ${value}`;
  const hospitalId = column(reports.hospitalId, "effective");
  const [createdAt, rate] = [column(reports.createdAt), column(reports.heartRate)];
  const effectiveAt = column(reports.effectiveAt, "effective");
  const uploadedBy = column(reports.uploadedBy, "uploader");
  return and(
    patientScope(standing, actor, reports.patientId, hospitalId),
    is(reports.patientId, query.patient_id),
    is(hospitalId, query.hospital_id),
    is(column(reports.kind), query.kind),
    is(column(reports.status), query.status),
    is(column(reports.sessionType), query.session_type),
    is(column(reports.encounterId, "encounter"), query.encounter_id),
    query.device_id ? sql`${uploadedBy} = ${query.device_id} AND ${reports.uploadedByKind} = 'device'` : undefined,
    query.uploaded_by ? sql`${uploadedBy} = ${query.uploaded_by} AND ${reports.uploadedByKind} = 'user'` : undefined,
    from(createdAt, timeOf(query.from)),
    until(createdAt, sql`<`, timeOf(query.to)),
    from(effectiveAt, timeOf(query.effective_from)),
    until(effectiveAt, sql`<`, timeOf(query.effective_to)),
    from(rate, query.heart_rate_min),
    until(rate, sql`<=`, query.heart_rate_max),
  );
}

const timeOf = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));

/** Those who see one hospital lose nothing by naming it, and counters then know the total. */
function withoutOwn(standing: Standing, query: ReportList): ReportList {
  return standing.role !== "admin" && query.hospital_id === standing.hospitalId ? { ...query, hospital_id: undefined } : query;
}

/** The page's order. Among what was measured in a time, the time of receipt must not lead: it would read all that came since. */
function orderOf(start: Start, query: ReportList) {
  const ascending = !query.sort.startsWith("-");
  if (byEffective(query)) return keyset(start, reports.effectiveAt, reports.id, ascending);
  if (!measured(query)) return keyset(start, reports.createdAt, reports.id, ascending);
  const [op, order] = ascending ? [sql`>`, sql`ASC`] : [sql`<`, sql`DESC`];
  const { after } = start;
  const where = after ? sql`(+${reports.createdAt}, ${reports.id}) ${op} (${after.value}, ${after.id})` : undefined;
  return { where, orderBy: [sql`+${reports.createdAt} ${order}`, sql`${reports.id} ${order}`] };
}

/** Counters answer for patient, kind, status and an administrator's hospital; other filters count at most 10,001 rows. */
function totalOf(standing: Standing, actor: Principal, query: ReportList, where: SQL | undefined): { sql: SQL; exact: boolean } {
  const { patient_id, kind, status, hospital_id, sort: _s, limit: _l, offset: _o, cursor: _c, ...others } = query;
  const counted = hospital_id === undefined || (standing.role === "admin" && patient_id === undefined);
  if (!counted || Object.values(others).some((v) => v !== undefined)) {
    return { sql: sql`SELECT count(*) AS n FROM (SELECT 1 FROM reports WHERE ${where} LIMIT ${COUNT_LIMIT + 1})`, exact: false };
  }
  const wanted = hospital_id ? sql`SELECT ${scopes.hospital(hospital_id)}` : counterScopes(standing, actor, patient_id);
  return {
    sql: sql`SELECT coalesce(sum(n), 0) AS n FROM counters WHERE scope IN (${wanted}) AND day = 0
      AND name LIKE ${`report|${kind ?? "%"}|${status ?? "%"}`}`,
    exact: true,
  };
}

/**
 * Reports of patients that the caller may see, in the order asked for, with patient info.
 * @param traced what the audit event says besides the ids
 */
export async function listReports(anyCall: Call, asked: ReportList, action: Action, traced: Record<string, unknown> = {}) {
  const list = `reports:${action}`;
  const start = await startOf(anyCall, list, asked);
  const { where, orderBy } = orderOf(start, asked);
  let exact = false;
  const { call, standing, results } = await asPrincipal(anyCall, action, (standing, { db, actor }) => {
    const query = withoutOwn(standing, asked);
    const visible = visibleReports(standing, actor, query);
    const total = totalOf(standing, actor, query, visible);
    exact = total.exact;
    const page = db
      .select({ id: reports.id })
      .from(reports)
      .where(and(visible, where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip);
    return [
      // The page is cut from the index alone; only its rows are then read whole.
      db.all<ListRow>(sql`SELECT ${LIST_COLUMNS} FROM reports JOIN patients ON patients.id = reports.patient_id
        WHERE reports.id IN (${page}) ORDER BY ${sql.join(orderBy, sql`, `)}`),
      db.all<{ n: number }>(total.sql),
    ];
  });
  const { db, actor, now } = call;
  const [rows, [count]] = results;
  const key = (row: ListRow) => ({ value: byEffective(asked) ? row.effectiveAt : row.createdAt, id: row.id });
  const { rows: kept, pagination } = await toPage(start, rows, key, { n: count?.n ?? 0, exact });
  const stored = batch(
    db,
    audit(db, actor, now, {
      event: "report.list",
      action: "R",
      role: standing.role,
      hospitalId: standing.hospitalId,
      subjects: kept.map((row) => row.patientId),
      detail: { report_ids: kept.map((row) => row.id), ...traced },
    }),
  );
  // One value that was tampered with or cut must not take the whole page with it; the report's own page stays an error.
  let lost = 0;
  const broken = () => void lost++;
  const shown = kept.map(async (row) => {
    const patient = {
      id: row.patientId,
      version: row.patientVersion,
      patient_number: row.patientNumber,
      identity_sealed: row.identity,
    };
    return toReport(call, row, patient, broken);
  });
  const items = await afterAudit(stored, Promise.all(shown));
  if (lost > 0)
    log({}, "ERROR", "sealed values of a list do not open", {
      request_id: actor.via.requestId,
      code: "integrity_error",
      count: lost,
    });
  return { items, pagination };
}

/** The administrators' list: each report with a signed link to its file. */
export async function listLinkedReports(call: Call, query: ReportList, origin: string) {
  const { items, pagination } = await listReports(call, query, "admin:read", { links: true });
  return { items: await Promise.all(items.map((report) => withLink(call, origin, report))), pagination };
}

const LIST_COLUMNS = sql`reports.id AS id, reports.patient_id AS patientId, reports.hospital_id AS hospitalId, reports.kind AS kind,
  reports.status AS status, reports.uploaded_by_kind AS uploadedByKind, reports.uploaded_by AS uploadedBy,
  reports.encounter_id AS encounterId, reports.session_type AS sessionType, reports.confidence AS confidence,
  reports.heart_rate AS heartRate, reports.effective_at AS effectiveAt, reports.file_name_sealed AS fileNameSealed,
  reports.file_size AS fileSize, reports.sha256 AS sha256, reports.created_at AS createdAt, reports.version AS version,
  patients.patient_number AS patientNumber, patients.identity_sealed AS identity, patients.version AS patientVersion`;
