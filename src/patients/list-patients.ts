// Patient list and search: pages of the patients that the caller may see, each recorded in the audit log.
import { and, eq, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { withPrincipal } from "../access/access.ts";
import { type Call, type EffectiveRole, getActorId, type Principal } from "../access/actor.ts";
import { afterAudit, appendAuditEvent, toListEvents } from "../access/audit.ts";
import { CachedRead } from "../access/cached-read.ts";
import { denyAccess } from "../access/deny.ts";
import { findCounterScope, resolveHospitalId } from "../access/effective-role.ts";
import { readHospitalSettings } from "../access/hospital-settings.ts";
import { PATIENT_SUMMARY_COLUMNS, type PatientRow } from "../access/patient-row.ts";
import { countedVisibility, patientVisibility } from "../access/visibility.ts";
import {
  buildPage,
  COUNT_LIMIT,
  type CutPage,
  cutPage,
  keysetClauses,
  type PageQuery,
  paginate,
  resolvePageStart,
} from "../http/pagination.ts";
import { counterValue } from "../platform/counters.ts";
import { computeMac, toBase64Url } from "../platform/crypto.ts";
import { patients } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { toAsciiDigits } from "../platform/text.ts";
import { parseEarlierQueryTerms } from "./identity/earlier-query-terms.ts";
import { unsealIdentity } from "./identity/sealed-fields.ts";
import { computeQueryTokens, parseQueryTerms } from "./identity/search-tokens.ts";
import { toPatientSummary } from "./patients.ts";

type SummaryRow = Omit<PatientRow, "clinical_sealed">;

const SORTS = {
  number: { column: patients.patientNumber, sortValue: (row: SummaryRow) => row.patient_number },
  created: { column: patients.createdAt, sortValue: (row: SummaryRow) => row.created_at },
  updated: { column: patients.updatedAt, sortValue: (row: SummaryRow) => row.updated_at },
} as const;

export type PatientFilters = {
  monitoring?: PatientRow["monitoring"] | undefined;
  ward_id?: string | undefined;
  assigned_doctor_id?: string | undefined;
  active?: boolean | undefined;
  patient_uid?: string | undefined;
  created_from?: string | undefined;
  created_to?: string | undefined;
  updated_from?: string | undefined;
  updated_to?: string | undefined;
  hospital_id?: string | undefined;
};
type Sort = `${"" | "-"}${keyof typeof SORTS}`;
export type PatientListQuery = PageQuery & PatientFilters & { sort?: Sort | undefined };

/** Lists by time use the index of the filtered range. */
function resolveSort({ sort, created_from, created_to, updated_from, updated_to }: PatientListQuery): Sort {
  if (sort) return sort;
  if (created_from ?? created_to) return "-created";
  return (updated_from ?? updated_to) ? "-updated" : "-number";
}

/** `+` keeps SQLite from using the hospital index where a filter matches only a few rows. */
function hospitalColumn(query: PatientFilters): SQLWrapper {
  const selectiveFilter = query.ward_id ?? query.patient_uid ?? query.assigned_doctor_id;
  return selectiveFilter === undefined ? patients.hospitalId : sql`+${patients.hospitalId}`;
}

/** Each filter uses its own index; conditions are repeated where the index is partial. Undefined without filters. */
function buildPatientFilter(query: PatientFilters): SQL | undefined {
  const parseTime = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));
  const compareTime = (column: SQL, op: SQL, text: string | undefined) =>
    text ? sql`${column} ${op} ${parseTime(text)}` : undefined;
  const [created, updated] = [sql`${patients.createdAt}`, sql`${patients.updatedAt}`];
  return and(
    query.monitoring ? eq(patients.monitoring, query.monitoring) : undefined,
    query.monitoring && query.monitoring !== "off" ? sql`${patients.monitoring} <> 'off'` : undefined,
    query.ward_id ? eq(patients.wardId, query.ward_id) : undefined,
    query.assigned_doctor_id ? eq(patients.assignedDoctorId, query.assigned_doctor_id) : undefined,
    query.active === undefined ? undefined : query.active ? sql`${patients.active} = 1` : sql`${patients.active} = 0`,
    query.patient_uid ? eq(patients.patientUid, query.patient_uid) : undefined,
    query.hospital_id ? eq(patients.hospitalId, query.hospital_id) : undefined,
    compareTime(created, sql`>=`, query.created_from),
    compareTime(created, sql`<`, query.created_to),
    compareTime(updated, sql`>=`, query.updated_from),
    compareTime(updated, sql`<`, query.updated_to),
  );
}

/** Lists patients. Names are sealed, so the order is by number or time, never by name. */
export async function listPatients(anyCall: Call, query: PatientListQuery) {
  const start = await resolvePageStart(anyCall, "patients", query);
  const sort = resolveSort(query);
  const { column, sortValue } = SORTS[sort.replace("-", "") as keyof typeof SORTS];
  const { where, orderBy } = keysetClauses(start, column, patients.id, !sort.startsWith("-"));
  const filter = buildPatientFilter(query);
  const findCounter = (effectiveRole: EffectiveRole) => (filter ? null : findCounterScope(effectiveRole));
  const read = new CachedRead<CutPage<PatientSummary>>("patients", query, ["patients"]);
  const { call, effectiveRole, results } = await withPrincipal(anyCall, "patient:read", (effectiveRole, { db, actor }) => {
    const version = read.selectVersion(db, effectiveRole, actor);
    const scope = patientVisibility(effectiveRole, actor, patients.id, hospitalColumn(query));
    const inScope = countedVisibility(effectiveRole, actor, patients.id, hospitalColumn(query));
    const counted = findCounter(effectiveRole);
    return [
      version,
      db.all<SummaryRow>(sql`SELECT ${PATIENT_SUMMARY_COLUMNS} FROM patients WHERE ${and(scope, filter, where)}
        ORDER BY ${sql.join(orderBy, sql`, `)} LIMIT ${read.limit(start.limit + 1)} OFFSET ${start.skip}`),
      counted
        ? db.all<{ n: number }>(sql`SELECT ${counterValue(counted, "patients")} AS n`)
        : db.all<{ n: number }>(
            sql`SELECT count(*) AS n FROM (SELECT 1 FROM patients WHERE ${and(inScope, filter)} LIMIT ${read.limit(COUNT_LIMIT + 1)})`,
          ),
    ];
  });
  const [version, rows, [counted]] = results;
  const page = await read.finish(call, version, () => {
    const totalCount = { n: counted?.n ?? 0, exact: findCounter(effectiveRole) !== null };
    const cut = cutPage(start, rows, (row) => ({ value: sortValue(row), id: row.id }), totalCount);
    const value = toSummaries(call, cut.rows).then((summaries) => ({ ...cut, rows: summaries }));
    return { events: toSummaryEvents(effectiveRole, cut.rows, "patient.list"), value };
  });
  return { items: page.rows, pagination: await paginate(start, page.rows.length, page), etag: read.etag };
}

type PatientSummary = ReturnType<typeof toPatientSummary>;

const toSummaries = (call: Call, rows: readonly SummaryRow[]): Promise<PatientSummary[]> =>
  Promise.all(rows.map(async (row) => toPatientSummary(row, await unsealIdentity(call.keys, row))));

function toSummaryEvents(
  { role, hospitalId }: EffectiveRole,
  rows: readonly SummaryRow[],
  event: string,
  detail: Record<string, unknown> = {},
) {
  const hospitalOf = (row: SummaryRow) => row.hospital_id;
  return toListEvents(rows, hospitalOf, hospitalId, (ofHospital) => {
    const subjects = ofHospital.map(({ id }) => id);
    return { event, action: "R", role, subjects, detail: { count: subjects.length, ...detail } };
  });
}

export type PatientSearchQuery = PageQuery & { q: string; hospital_id?: string | undefined };

/** Sorts after every id: the page after an exact number match starts at the first other match. */
const BEFORE_ALL_IDS = "g";

/** Alternatives of tokens; a patient is found if all of one match. */
async function readQueryTokens({ db, keys, now }: Call, hospitalId: string, query: string): Promise<string[][]> {
  const { country, isReindexing } = await readHospitalSettings(db, hospitalId, now);
  const terms = [...parseQueryTerms(query, country), ...(isReindexing ? [parseEarlierQueryTerms(query)] : [])];
  const tokens = await computeQueryTokens(keys, hospitalId, terms);
  const distinct = new Map(tokens.filter((all) => all.length > 0).map((all) => [all.join(), all]));
  return [...distinct.values()];
}

/**
 * Patients whose names, phone or e-mail match every word of the query, newest first; preceded, for a query of digits, by the
 * patient with that number. Reads only the rows of the page: the total is exact on the last page only.
 * @throws ApiError invalid_request (an administrator without hospital_id), forbidden
 */
export async function searchPatients(anyCall: Call, query: PatientSearchQuery) {
  const start = await resolvePageStart(anyCall, "patients.search", query);
  const searchedHospital = (effectiveRole: EffectiveRole) => resolveHospitalId(effectiveRole, query.hospital_id) ?? "";
  const { call, effectiveRole, results } = await withPrincipal(anyCall, "patient:search", async (effectiveRole, roleCall) => {
    const { db, actor } = roleCall;
    const hospitalId = searchedHospital(effectiveRole);
    const alternatives = await readQueryTokens(roleCall, hospitalId, query.q);
    const scope = patientVisibility(effectiveRole, actor, patients.id, patients.hospitalId);
    const numberMatches = sql`FROM patients WHERE patient_number = CAST(${parsePatientNumber(query.q)} AS INTEGER)
      AND hospital_id = ${hospitalId} AND ${scope}`;
    const skipped = sql`max(0, ${start.skip} - (SELECT count(*) ${numberMatches}))`;
    const found = alternatives.map(
      (tokens) => sql`SELECT ${PATIENT_SUMMARY_COLUMNS} FROM ${joinTokenMatches(effectiveRole, actor, hospitalId, tokens)}
        WHERE found.patient_id < ${start.after?.id ?? BEFORE_ALL_IDS} AND found.patient_id NOT IN (SELECT id ${numberMatches})
        ORDER BY found.patient_id DESC`,
    );
    return [
      db.all<SummaryRow>(
        sql`SELECT ${PATIENT_SUMMARY_COLUMNS} ${numberMatches} AND ${start.after || start.skip > 0 ? sql`0` : sql`1`}`,
      ),
      db.all<SummaryRow>(unionMatches(found, start.limit + 1, skipped)),
    ];
  });
  const { role, hospitalId } = effectiveRole;
  if (!searchedHospital(effectiveRole)) throw new ApiError("invalid_request", "hospital_id is required.");
  if (query.hospital_id && query.hospital_id !== searchedHospital(effectiveRole)) {
    return denyAccess(call, "patient:search", "not_found", { role, hospitalId, target: { hospital: query.hospital_id } });
  }
  const [numberMatches, found] = results;
  const rows = [...numberMatches, ...found];
  const key = (row: SummaryRow) => ({ value: 0, id: row === numberMatches[0] ? BEFORE_ALL_IDS : row.id });
  const totalCount = { n: start.offset + Math.min(rows.length, start.limit + 1), exact: rows.length <= start.limit };
  const { rows: pageRows, pagination } = await buildPage(start, rows, key, totalCount);
  // The search words are not recorded, because they may contain names.
  const queryHash = toBase64Url(await computeMac(call.keys.index, ["query", query.q]));
  const events = toSummaryEvents(effectiveRole, pageRows, "patient.search", { words: queryHash });
  return { items: await afterAudit(appendAuditEvent(call, events), toSummaries(call, pageRows)), pagination };
}

/** The first rows of all alternatives; each reads no more than the page needs. */
function unionMatches(alternatives: SQL[], limit: number, skipped: SQL): SQL {
  const [only, ...others] = alternatives;
  if (!only) return sql`SELECT ${PATIENT_SUMMARY_COLUMNS} FROM patients WHERE 0`;
  if (others.length === 0) return sql`${only} LIMIT ${limit} OFFSET ${skipped}`;
  const arms = alternatives.map((select) => sql`SELECT * FROM (${select} LIMIT ${limit} + ${skipped})`);
  return sql`${sql.join(arms, sql` UNION `)} ORDER BY id DESC LIMIT ${limit} OFFSET ${skipped}`;
}

const parsePatientNumber = (q: string) =>
  /^[1-9][0-9]{0,8}$/.test(toAsciiDigits(q).trim()) ? Number(toAsciiDigits(q).trim()) : null;

/** Matches counted per word before the word counts as common. */
const MAX_MATCHES_COUNTED = 200;

/**
 * FROM clause with the rarest word first, so that a search costs what its rarest word costs. For a doctor limited to care teams,
 * their own patients come first, so that response time reveals nothing about other patients.
 */
function joinTokenMatches(effectiveRole: EffectiveRole, actor: Principal, hospitalId: string, tokens: string[]): SQL {
  const words = JSON.stringify(tokens);
  const inHospital = (alias: SQL) => sql`${alias}.hospital_id = ${hospitalId}`;
  const hasAllTokens = sql`NOT EXISTS (SELECT 1 FROM json_each(${words}) w WHERE NOT EXISTS
    (SELECT 1 FROM patient_tokens t WHERE ${inHospital(sql`t`)} AND t.token = w.value AND t.patient_id = found.patient_id))`;
  if (effectiveRole.role === "doctor" && effectiveRole.doctorScope === "care_team") {
    return sql`care_team found CROSS JOIN patients ON patients.id = found.patient_id AND found.user_id = ${getActorId(actor)}
      AND found.ended_at IS NULL AND patients.restricted_at IS NULL AND ${hasAllTokens}`;
  }
  const matches = sql`SELECT count(*) FROM (SELECT 1 FROM patient_tokens c WHERE ${inHospital(sql`c`)} AND c.token = v.value LIMIT ${MAX_MATCHES_COUNTED})`;
  const [onlyToken] = tokens;
  const rarest =
    tokens.length === 1 ? sql`${onlyToken}` : sql`(SELECT v.value FROM json_each(${words}) v ORDER BY (${matches}) LIMIT 1)`;
  const fromRarestToken = sql`patient_tokens found CROSS JOIN patients ON patients.id = found.patient_id
    AND patients.restricted_at IS NULL AND ${inHospital(sql`found`)} AND found.token = ${rarest}`;
  return tokens.length === 1 ? fromRarestToken : sql`${fromRarestToken} AND ${hasAllTokens}`;
}
