// The list of patients, and the search: what the caller may see, a page at a time, each page with its trace.
import { and, eq, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { asPrincipal, patientScope } from "../access.ts";
import { type Call, idOf, type Principal, type Standing } from "../actor.ts";
import { afterAudit, audit } from "../audit.ts";
import { scopes, total } from "../counters.ts";
import { mac, toBase64Url } from "../crypto.ts";
import { batch } from "../db/client.ts";
import { patients } from "../db/schema.ts";
import { ApiError } from "../errors.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../pagination.ts";
import { PATIENT_SUMMARY, type PatientRow } from "../patient-row.ts";
import { refuse } from "../refusals.ts";
import { asciiDigits } from "../text.ts";
import { openIdentity } from "./identity.ts";
import { toSummary } from "./patients.ts";
import { queryTerms, queryTokens } from "./search-tokens.ts";

type SummaryRow = Omit<PatientRow, "clinical_sealed">;

const SORTS = {
  number: { column: patients.patientNumber, of: (row: SummaryRow) => row.patient_number },
  created: { column: patients.createdAt, of: (row: SummaryRow) => row.created_at },
  updated: { column: patients.updatedAt, of: (row: SummaryRow) => row.updated_at },
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
export type PatientList = PageQuery & PatientFilters & { sort?: Sort | undefined };

/** A list by time is cut from the index that its range is found by. */
function sortOf({ sort, created_from, created_to, updated_from, updated_to }: PatientList): Sort {
  if (sort) return sort;
  if (created_from ?? created_to) return "-created";
  return (updated_from ?? updated_to) ? "-updated" : "-number";
}

/** `+` keeps SQLite from leading with an index of the whole hospital where a filter names a handful. */
function hospitalColumn(query: PatientFilters): SQLWrapper {
  const few = query.ward_id ?? query.patient_uid ?? query.assigned_doctor_id;
  return few === undefined ? patients.hospitalId : sql`+${patients.hospitalId}`;
}

/** Each filter leads by its own index; said twice where the index is partial. Undefined when nothing is asked. */
function filterOf(query: PatientFilters): SQL | undefined {
  const time = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));
  const at = (column: SQL, op: SQL, text: string | undefined) => (text ? sql`${column} ${op} ${time(text)}` : undefined);
  const [created, updated] = [sql`${patients.createdAt}`, sql`${patients.updatedAt}`];
  return and(
    query.monitoring ? eq(patients.monitoring, query.monitoring) : undefined,
    query.monitoring && query.monitoring !== "off" ? sql`${patients.monitoring} <> 'off'` : undefined,
    query.ward_id ? eq(patients.wardId, query.ward_id) : undefined,
    query.assigned_doctor_id ? eq(patients.assignedDoctorId, query.assigned_doctor_id) : undefined,
    query.active === undefined ? undefined : query.active ? sql`${patients.active} = 1` : sql`${patients.active} = 0`,
    query.patient_uid ? eq(patients.patientUid, query.patient_uid) : undefined,
    query.hospital_id ? eq(patients.hospitalId, query.hospital_id) : undefined,
    at(created, sql`>=`, query.created_from),
    at(created, sql`<`, query.created_to),
    at(updated, sql`>=`, query.updated_from),
    at(updated, sql`<`, query.updated_to),
  );
}

/** Patients that the caller may see. Names are sealed, so a list is ordered by number or time, never by name. */
export async function listPatients(anyCall: Call, query: PatientList) {
  const start = await startOf(anyCall, "patients", query);
  const sort = sortOf(query);
  const { column, of } = SORTS[sort.replace("-", "") as keyof typeof SORTS];
  const { where, orderBy } = keyset(start, column, patients.id, !sort.startsWith("-"));
  const filter = filterOf(query);
  const counter = (standing: Standing) => (filter ? null : counterScope(standing));
  const { call, standing, results } = await asPrincipal(anyCall, "patient:read", (standing, { db, actor }) => {
    const scope = patientScope(standing, actor, patients.id, hospitalColumn(query));
    const counted = counter(standing);
    return [
      db.all<SummaryRow>(sql`SELECT ${PATIENT_SUMMARY} FROM patients WHERE ${and(scope, filter, where)}
        ORDER BY ${sql.join(orderBy, sql`, `)} LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      counted
        ? db.all<{ n: number }>(sql`SELECT ${total(counted, "patients")} AS n`)
        : db.all<{ n: number }>(
            sql`SELECT count(*) AS n FROM (SELECT 1 FROM patients WHERE ${and(scope, filter)} LIMIT ${COUNT_LIMIT + 1})`,
          ),
    ];
  });
  const [rows, [counted]] = results;
  const known = { n: counted?.n ?? 0, exact: counter(standing) !== null };
  const { rows: kept, pagination } = await toPage(start, rows, (row) => ({ value: of(row), id: row.id }), known);
  return { items: await shown(call, standing, kept, "patient.list"), pagination };
}

/** The rows as they are told, once the trace says to whom. */
async function shown(call: Call, standing: Standing, rows: SummaryRow[], event: string, detail: Record<string, unknown> = {}) {
  const { db, keys, actor, now } = call;
  const { role, hospitalId } = standing;
  const subjects = rows.map((row) => row.id);
  const told = { event, action: "R", role, hospitalId, subjects, detail: { count: rows.length, ...detail } } as const;
  return afterAudit(
    batch(db, audit(db, actor, now, told)),
    Promise.all(rows.map(async (row) => toSummary(row, await openIdentity(keys, row)))),
  );
}

/** The counter of everything the caller may see, where there is one. */
function counterScope(standing: Standing): string | null {
  if (standing.role === "admin") return scopes.all;
  if (standing.role === "patient" || (standing.role === "doctor" && standing.doctorScope === "care_team")) return null;
  return scopes.hospital(standing.hospitalId ?? "");
}

export type PatientSearch = PageQuery & { q: string; hospital_id?: string | undefined };

/** Sorts behind every id: a page that ends with the patient of that number goes on at the first of the others. */
const BEFORE_ALL = "g";

/**
 * Patients whose names, phone or e-mail match every word of the query, newest first; before them, of a query of digits,
 * the patient with that number. Only as many rows are read as fill the page: the total is exact on the last page alone.
 * @throws ApiError invalid_request (an administrator names no hospital), forbidden
 */
export async function searchPatients(anyCall: Call, query: PatientSearch) {
  const start = await startOf(anyCall, "patients.search", query);
  const terms = queryTerms(query.q);
  const hospitalOf = (standing: Standing) => (standing.role === "admin" ? query.hospital_id : standing.hospitalId) ?? "";
  const { call, standing, results } = await asPrincipal(anyCall, "patient:search", async (standing, { db, keys, actor }) => {
    const hospitalId = hospitalOf(standing);
    const tokens = await queryTokens(keys, hospitalId, terms);
    const scope = patientScope(standing, actor, patients.id, patients.hospitalId);
    const numbered = sql`FROM patients WHERE patient_number = CAST(${numberOf(query.q)} AS INTEGER)
      AND hospital_id = ${hospitalId} AND ${scope}`;
    return [
      db.all<SummaryRow>(sql`SELECT ${PATIENT_SUMMARY} ${numbered} AND ${start.after || start.skip > 0 ? sql`0` : sql`1`}`),
      db.all<SummaryRow>(sql`SELECT ${PATIENT_SUMMARY} FROM ${matching(standing, actor, hospitalId, tokens)}
        WHERE found.patient_id < ${start.after?.id ?? BEFORE_ALL} AND found.patient_id NOT IN (SELECT id ${numbered})
        ORDER BY found.patient_id DESC LIMIT ${start.limit + 1}
        OFFSET max(0, ${start.skip} - (SELECT count(*) ${numbered}))`),
    ];
  });
  const { role, hospitalId } = standing;
  if (!hospitalOf(standing)) throw new ApiError("invalid_request", "Name hospital_id.");
  if (query.hospital_id && query.hospital_id !== hospitalOf(standing)) {
    return refuse(call, "patient:search", "not_found", { role, hospitalId, target: { hospital: query.hospital_id } });
  }
  const [numbered, found] = results;
  const rows = [...numbered, ...found];
  const key = (row: SummaryRow) => ({ value: 0, id: row === numbered[0] ? BEFORE_ALL : row.id });
  const soFar = { n: start.offset + Math.min(rows.length, start.limit + 1), exact: rows.length <= start.limit };
  const { rows: kept, pagination } = await toPage(start, rows, key, soFar);
  // The words themselves would put names into the trail.
  const words = toBase64Url(await mac(call.keys.index, ["query", query.q]));
  return { items: await shown(call, standing, kept, "patient.search", { words }), pagination };
}

const numberOf = (q: string) => (/^[1-9][0-9]{0,8}$/.test(asciiDigits(q).trim()) ? Number(asciiDigits(q).trim()) : null);

/** How many matches of a word are counted before it passes for common. */
const COMMON = 200;

/**
 * Tables joined so that `found` leads: the rarest word, so that a search costs what its rarest word costs. A doctor's own
 * patients lead where these are all a doctor sees: the cost then says nothing of the patients of others.
 */
function matching(standing: Standing, actor: Principal, hospitalId: string, tokens: string[]): SQL {
  if (tokens.length === 0) return sql`patient_tokens found JOIN patients ON 0`;
  const words = JSON.stringify(tokens);
  const here = (alias: SQL) => sql`${alias}.hospital_id = ${hospitalId}`;
  const hasAll = sql`NOT EXISTS (SELECT 1 FROM json_each(${words}) w WHERE NOT EXISTS
    (SELECT 1 FROM patient_tokens t WHERE ${here(sql`t`)} AND t.token = w.value AND t.patient_id = found.patient_id))`;
  if (standing.role === "doctor" && standing.doctorScope === "care_team") {
    return sql`care_team found CROSS JOIN patients ON patients.id = found.patient_id AND found.user_id = ${idOf(actor)}
      AND found.ended_at IS NULL AND ${hasAll}`;
  }
  const matches = sql`SELECT count(*) FROM (SELECT 1 FROM patient_tokens c WHERE ${here(sql`c`)} AND c.token = v.value LIMIT ${COMMON})`;
  const [only] = tokens;
  const rarest =
    tokens.length === 1 ? sql`${only}` : sql`(SELECT v.value FROM json_each(${words}) v ORDER BY (${matches}) LIMIT 1)`;
  const lead = sql`patient_tokens found CROSS JOIN patients ON patients.id = found.patient_id
    AND ${here(sql`found`)} AND found.token = ${rarest}`;
  return tokens.length === 1 ? lead : sql`${lead} AND ${hasAll}`;
}
