// Reports: list with filters, detail, statistics. Every answer carries the patient's name and leaves who saw it.
import { and, eq, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { z } from "zod";
import { type Access, asPrincipal, patientScope, requirePatient } from "../access.ts";
import type { Call, Principal, PrincipalCall, Standing } from "../actor.ts";
import { audit } from "../audit.ts";
import { dayOf, scopes } from "../counters.ts";
import { open } from "../crypto.ts";
import { batch } from "../db/client.ts";
import { patients, type REPORT_STATUSES, reports } from "../db/schema.ts";
import { ApiError } from "../errors.ts";
import { readFile } from "../files.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../pagination.ts";
import { displayName, openIdentity } from "../patients/identity.ts";
import type { Action } from "../roles.ts";
import { signLink } from "./links.ts";
import type { ReportKind } from "./metrics.ts";
import { metricsRecord } from "./upload.ts";

type ReportStatus = (typeof REPORT_STATUSES)[number];
export type ReportFilters = {
  patient_id?: string | undefined;
  kind?: ReportKind | undefined;
  status?: ReportStatus | undefined;
  session_type?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  heart_rate_min?: number | undefined;
  heart_rate_max?: number | undefined;
};
export type ReportList = PageQuery & ReportFilters;

type Row = typeof reports.$inferSelect;
type ListRow = Row & { patientNumber: number; identity: string; patientVersion: number };

const iso = (time: number) => new Date(time).toISOString();
const FileName = z.string();

async function toReport(
  { keys }: Call,
  row: Row,
  patient: { id: string; version: number; patient_number: number; identity_sealed: string },
) {
  const place = { table: "reports", column: "file_name", id: row.id };
  const [name, identity] = await Promise.all([open(keys.fields, place, row.fileNameSealed), openIdentity(keys, patient)]);
  return {
    report_id: row.id,
    kind: row.kind,
    status: row.status,
    patient: {
      patient_id: patient.id,
      patient_number: patient.patient_number,
      name: displayName(identity),
      gender: identity.gender,
      date_of_birth: identity.date_of_birth,
    },
    hospital_id: row.hospitalId,
    encounter_id: row.encounterId,
    session_type: row.sessionType,
    confidence: row.confidence,
    heart_rate: row.heartRate,
    effective_at: iso(row.effectiveAt),
    created_at: iso(row.createdAt),
    file_name: FileName.parse(name),
    file_size: row.fileSize,
    sha256: row.sha256,
    uploaded_by: { kind: row.uploadedByKind, id: row.uploadedBy },
    file_url: `/api/v1/reports/${row.id}/file`,
    version: row.version,
  };
}

/** True when the rows are best found patient by patient: one is named, or the caller sees a handful. */
function byPatient(standing: Standing, query: ReportFilters): boolean {
  return (
    query.patient_id !== undefined ||
    standing.role === "patient" ||
    (standing.role === "doctor" && standing.doctorScope === "care_team")
  );
}

/**
 * The rows that the caller may see and asks for. Where the patients lead, `+` keeps SQLite from leading with an index of
 * the whole hospital's kinds, statuses or days, which would read every report there is.
 */
function visibleReports(standing: Standing, actor: Principal, query: ReportFilters): SQL | undefined {
  const column = (c: SQLWrapper) => (byPatient(standing, query) ? sql`+${c}` : c);
  return and(
    patientScope(standing, actor, reports.patientId, column(reports.hospitalId)),
    query.patient_id ? eq(reports.patientId, query.patient_id) : undefined,
    query.kind ? sql`${column(reports.kind)} = ${query.kind}` : undefined,
    query.status ? sql`${column(reports.status)} = ${query.status}` : undefined,
    query.session_type ? sql`${column(reports.sessionType)} = ${query.session_type}` : undefined,
    query.from ? sql`${column(reports.createdAt)} >= ${Date.parse(query.from)}` : undefined,
    query.to ? sql`${column(reports.createdAt)} < ${Date.parse(query.to)}` : undefined,
    query.heart_rate_min === undefined ? undefined : sql`${column(reports.heartRate)} >= ${query.heart_rate_min}`,
    query.heart_rate_max === undefined ? undefined : sql`${column(reports.heartRate)} <= ${query.heart_rate_max}`,
  );
}

/** The counter scopes that add up to what the caller sees, of one patient if one is named. */
function counterScopes(standing: Standing, actor: Principal, patientId?: string): SQL {
  const visible = patientScope(standing, actor, patients.id, patients.hospitalId);
  if (patientId) return sql`SELECT 'p:' || patients.id FROM patients WHERE patients.id = ${patientId} AND ${visible}`;
  if (standing.role === "admin") return sql`SELECT ${scopes.all}`;
  if (standing.role === "patient" || (standing.role === "doctor" && standing.doctorScope === "care_team")) {
    return sql`SELECT 'p:' || patients.id FROM patients WHERE ${visible}`;
  }
  return sql`SELECT ${scopes.hospital(standing.hospitalId ?? "")}`;
}

/** Counters answer for patient, kind and status; other filters count at most 10,001 rows. */
function totalOf(
  standing: Standing,
  actor: Principal,
  query: ReportFilters,
  where: SQL | undefined,
): { sql: SQL; exact: boolean } {
  const { patient_id, kind, status, ...others } = query;
  if (Object.values({ ...others, limit: undefined, offset: undefined, cursor: undefined }).some((v) => v !== undefined)) {
    return { sql: sql`SELECT count(*) AS n FROM (SELECT 1 FROM reports WHERE ${where} LIMIT ${COUNT_LIMIT + 1})`, exact: false };
  }
  return {
    sql: sql`SELECT coalesce(sum(n), 0) AS n FROM counters WHERE scope IN (${counterScopes(standing, actor, patient_id)}) AND day = 0
      AND name LIKE ${`report|${kind ?? "%"}|${status ?? "%"}`}`,
    exact: true,
  };
}

/**
 * Reports of patients that the caller may see, newest first, with patient info.
 * @param traced what the audit event says besides the ids
 */
export async function listReports(anyCall: Call, query: ReportList, action: Action, traced: Record<string, unknown> = {}) {
  const list = `reports:${action}`;
  const start = await startOf(anyCall, list, query);
  const { where, orderBy } = keyset(start, reports.createdAt, reports.id);
  let exact = false;
  const { call, standing, results } = await asPrincipal(anyCall, action, (standing, { db, actor }) => {
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
  const key = (row: ListRow) => ({ value: row.createdAt, id: row.id });
  const { rows: kept, pagination } = await toPage(start, rows, key, { n: count?.n ?? 0, exact });
  await batch(
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
  const items = await Promise.all(
    kept.map(async (row) => {
      const patient = {
        id: row.patientId,
        version: row.patientVersion,
        patient_number: row.patientNumber,
        identity_sealed: row.identity,
      };
      return toReport(call, row, patient);
    }),
  );
  return { items, pagination };
}

/** The administrators' list: each report with a signed link to its file. */
export async function listLinkedReports(call: Call, query: ReportList, origin: string) {
  const { items, pagination } = await listReports(call, query, "admin:read", { links: true });
  return { items: await Promise.all(items.map((report) => withLink(call, origin, report))), pagination };
}

async function withLink<T extends { report_id: string }>(call: Call, origin: string, report: T) {
  const link = await signLink(call, origin, report.report_id);
  return { ...report, download_url: link.url, download_expires_at: link.expires_at };
}

const LIST_COLUMNS = sql`reports.id AS id, reports.patient_id AS patientId, reports.hospital_id AS hospitalId, reports.kind AS kind,
  reports.status AS status, reports.uploaded_by_kind AS uploadedByKind, reports.uploaded_by AS uploadedBy,
  reports.encounter_id AS encounterId, reports.session_type AS sessionType, reports.confidence AS confidence,
  reports.heart_rate AS heartRate, reports.effective_at AS effectiveAt, reports.file_name_sealed AS fileNameSealed,
  reports.file_size AS fileSize, reports.sha256 AS sha256, reports.created_at AS createdAt, reports.version AS version,
  patients.patient_number AS patientNumber, patients.identity_sealed AS identity, patients.version AS patientVersion`;

/** The gate for one report, the row, and the trace of what is done with it: two round trips. */
export async function requireReport(call: Call, id: string, event: { event: string; detail?: Record<string, unknown> }) {
  const { db, actor, now } = call;
  const access = await requirePatient(call, { report: id }, "report:read");
  const [[row]] = await batch(db, [
    db.select().from(reports).where(eq(reports.id, id)),
    ...audit(db, actor, now, traceOf(access, id, event)),
  ]);
  if (!row) throw new ApiError("not_found");
  return { row, access };
}

function traceOf(
  { patient, role, basis, hospitalId }: Access,
  id: string,
  event: { event: string; detail?: Record<string, unknown> },
) {
  return { ...event, action: "R", role, basis, hospitalId, entity: { type: "report", id }, subjects: [patient.id] } as const;
}

/** One report with its metrics and a signed link to its file. */
export async function getReport(call: Call, bucket: R2Bucket, id: string, origin: string) {
  const { row, access } = await requireReport(call, id, { event: "report.read", detail: { link: true } });
  const [report, metrics] = await Promise.all([toReport(call, row, access.patient), readMetricsOf(call, bucket, row)]);
  return withLink(call, origin, { ...report, metrics });
}

async function readMetricsOf({ keys }: Call, bucket: R2Bucket, row: Row): Promise<Record<string, unknown> | null> {
  if (!row.metricsKey) return null;
  const bytes = await readFile(bucket, keys.fields, row.metricsKey, metricsRecord(row.id), row.metricsSize ?? 0);
  return z.record(z.string(), z.unknown()).parse(JSON.parse(new TextDecoder().decode(bytes)));
}

type CounterRow = { name: string; today: number; n: number; sum: number };

/** The counter rows behind the statistics of what somebody sees, for a batch. */
export function statsStatement({ db, actor, now }: PrincipalCall, standing: Standing) {
  // Named one by one, for the index: a range beside day 0 would read every day there has been.
  const days = JSON.stringify([0, ...Array.from({ length: 7 }, (_, ago) => dayOf(now) - ago)]);
  return db.all<CounterRow>(sql`SELECT name, day > 0 AS today, sum(n) AS n, sum(sum) AS sum FROM counters
    WHERE scope IN (${counterScopes(standing, actor)}) AND day IN (SELECT value FROM json_each(${days}))
      AND (name LIKE 'report|%' OR name = 'confidence') GROUP BY name, day > 0`);
}

/** Totals: total, by status, by kind, last 7 days, mean confidence. */
export function toStats(rows: CounterRow[]) {
  const confidence = rows.find((row) => row.name === "confidence" && !row.today);
  const allTime = rows.filter((row) => row.name !== "confidence" && !row.today);
  const byStatus: Record<string, number> = {};
  const byKind: Record<string, number> = {};
  for (const { name, n } of allTime) {
    const [, kind = "", status = ""] = name.split("|");
    if (n > 0) byKind[kind] = (byKind[kind] ?? 0) + n;
    if (n > 0) byStatus[status] = (byStatus[status] ?? 0) + n;
  }
  return {
    total: allTime.reduce((sum, row) => sum + row.n, 0),
    by_status: byStatus,
    by_kind: byKind,
    recent_7_days: rows.filter((row) => row.today).reduce((sum, row) => sum + row.n, 0),
    average_confidence: confidence && confidence.n > 0 ? confidence.sum / confidence.n : null,
  };
}

/** Statistics over everything the caller sees, from counter rows. */
export async function reportStats(anyCall: Call) {
  const { call, standing, results } = await asPrincipal(anyCall, "report:read", (standing, call) => [
    statsStatement(call, standing),
  ]);
  const { db, actor, now } = call;
  const { role, hospitalId } = standing;
  await batch(db, audit(db, actor, now, { event: "report.stats", action: "R", role, hospitalId }));
  return toStats(results[0]);
}
