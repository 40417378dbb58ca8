// Analytics of vitals: of one patient, of a wearable, and hourly statistics of all visible patients.

import { type SQL, sql } from "drizzle-orm";
import { withPrincipal } from "../../access/access.ts";
import type { Call, EffectiveRole, Principal } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { isInAnyHospital, isVisibleHospital } from "../../access/effective-role.ts";
import { accessAllows, authorizePatient } from "../../access/patient-access.ts";
import { OWN_RECORD } from "../../access/patient-row.ts";
import { patientVisibility } from "../../access/visibility.ts";
import { buildPage, resolvePageStart } from "../../http/pagination.ts";
import { batch } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { DAY_MS, HOUR_MS, toIso } from "../../platform/time.ts";
import type { AlertState, Priority } from "../alarm-rules/model.ts";
import { firstHourOfDay, firstKeptHour, toDay } from "../packed-hours/months.ts";
import { MAX_CLOSE_DELAY_MS } from "../patient-object/recording/hour-closing.ts";
import { computeMean, type Rollup } from "../patient-object/samples/rollup.ts";
import { CODES, findVital } from "../vitals/catalogue.ts";
import { type StatsRow, selectPackedMonths, selectUnpackedDays, sumDays } from "./daily-stats.ts";
import { auditRead, authorizeSpan, getSnapshot, type HistoryQuery, MAX_RANGE_MS } from "./history.ts";
import { getOpenHours, mergeHours, mergeRollupsByCode, openClosedHours, selectClosedHours } from "./hour-rollups.ts";
import { describeCode, parseCodes, parseTimeRange, type RangeQuery, type TimeRange, toHourKey, toHourRange } from "./query.ts";

const toIsoRange = ({ from, to }: TimeRange) => ({ from: toIso(from * HOUR_MS), to: toIso(to * HOUR_MS) });

function toVitalSummary(code: string, rollup: Rollup) {
  const { count: n, min, max, last, last_at } = rollup;
  const display = findVital(code)?.display ?? null;
  const latest = { value: last, effective_at: toIso(last_at) };
  return { code, ...describeCode(code), display, n, min, max, mean: computeMean(rollup), latest };
}

const sortByCode = (codes: Map<string, Rollup>) => [...codes].sort(([a], [b]) => (a < b ? -1 : 1));

/** Summary of a patient over whole hours: vitals, alerts raised, the current score. */
export async function getPatientSummary(env: Env, call: Call, ref: string, query: RangeQuery) {
  const hours = toHourRange(parseTimeRange(query, call.now, { defaultMs: DAY_MS, maxMs: MAX_RANGE_MS }));
  const { db } = call;
  const access = await authorizePatient(call, { patient: ref }, "observation:read");
  const { patient } = access;
  const loaded = Promise.all([getOpenHours(env, patient.id), getSnapshot(env, call, patient)]);
  const [{ open }, { news2 }] = await afterAudit(auditRead(call, access, "summary", toIsoRange(hours)), loaded);
  const [closedRows, alerts] = await batch(db, [
    selectClosedHours(call, patient, hours),
    db.all<{ priority: Priority; state: AlertState; n: number }>(sql`SELECT priority, state, count(*) AS n FROM alerts
      WHERE patient_id = ${patient.id} AND raised_at >= ${hours.from * HOUR_MS} AND raised_at < ${hours.to * HOUR_MS}
      GROUP BY priority, state ORDER BY priority, state`),
  ]);
  const closedHours = await openClosedHours(env, call, patient, hours, closedRows);
  return {
    patient_id: patient.id,
    ...toIsoRange(hours),
    vitals: sortByCode(mergeRollupsByCode(mergeHours(open, closedHours, hours, null))).map(([code, rollup]) =>
      toVitalSummary(code, rollup),
    ),
    alerts: accessAllows(access, "alert:read") ? alerts : null,
    news2,
    missing_scopes: accessAllows(access, "alert:read") ? [] : ["alert:read" as const],
  };
}

/** Vitals of a day: `count` adds up the readings, `total` is the day's total so far with each reading. */
const DAILY_CODES = [
  { code: CODES.steps, kind: "count" },
  { code: CODES.sleep_minutes, kind: "count" },
  { code: CODES.energy, kind: "count" },
  { code: CODES.steps_day, kind: "total" },
  { code: CODES.energy_day, kind: "total" },
] as const;

/** The last days of a wearable, by default of the caller's own record. Days are UTC. */
export async function getWearableSummary(env: Env, call: Call, query: { patient_id?: string | undefined; days: number }) {
  const { now } = call;
  const target = query.patient_id === undefined ? OWN_RECORD : { patient: query.patient_id };
  const midnight = Math.floor(now / DAY_MS) * DAY_MS;
  const days = { from: midnight - (query.days - 1) * DAY_MS, to: midnight + DAY_MS };
  const { access, span } = await authorizeSpan(call, target, days, HOUR_MS);
  const hours = toHourRange(span);
  const stored = auditRead(call, access, "wearable", toIsoRange(hours));
  const { open } = await afterAudit(stored, getOpenHours(env, access.patient.id));
  const closedRows = await selectClosedHours(call, access.patient, hours);
  const closedHours = await openClosedHours(env, call, access.patient, hours, closedRows);
  const all = mergeHours(open, closedHours, hours, null);
  const today = mergeRollupsByCode(all.filter(({ hour }) => hour >= midnight / HOUR_MS));
  return {
    patient_id: access.patient.id,
    ...toIsoRange(hours),
    vitals: sortByCode(mergeRollupsByCode(all)).map(([code, rollup]) => toVitalSummary(code, rollup)),
    today: DAILY_CODES.flatMap(({ code, kind }) => {
      const rollup = today.get(code);
      return rollup ? [{ ...toVitalSummary(code, rollup), sum: kind === "total" ? rollup.max : rollup.sum }] : [];
    }),
  };
}

const MAX_STATS_RANGE_MS = 7 * DAY_MS;
/** Rows per request, one per patient and hour: a day of 800 patients, a week of 100. */
const MAX_STATS_ROWS = 20_000;

export type StatsQuery = HistoryQuery & { hospital_id?: string | undefined };

/**
 * Statistics of all visible patients by hour (UTC) and vital, for closed hours only. Hours before `as_of` are complete, except for
 * late samples. Days before the last 60 count whole, with one value per day: their hours are in one file per patient.
 * @throws ApiError invalid_request (too long a range, or too many patients for it), forbidden, not_found (another hospital)
 */
export async function getHourlyStats(anyCall: Call, query: StatsQuery) {
  const start = await resolvePageStart(anyCall, "hourly_stats", { ...query, offset: 0 });
  const span = parseTimeRange(query, anyCall.now, { defaultMs: DAY_MS, maxMs: MAX_STATS_RANGE_MS });
  const closedUntil = Math.floor((anyCall.now - MAX_CLOSE_DELAY_MS) / HOUR_MS);
  const firstHour = firstKeptHour(anyCall.now);
  const hours = toStatsHours(span, firstHour, closedUntil);
  const days = { from: toDay(Math.min(hours.from, firstHour)), to: toDay(Math.min(hours.to, firstHour)) };
  const rest = { from: Math.max(hours.from, firstHour, start.after?.value ?? 0), to: hours.to };
  const isAfterStart = start.after ? sql`(hour, s.key) > (${start.after.value}, ${start.after.id})` : sql`1`;
  const codes = parseCodes(query.code);
  const { call, effectiveRole, results } = await withPrincipal(anyCall, "observation:read", (effectiveRole, { db, actor }) => {
    const visible = sql`${hospitalFilter(effectiveRole, actor, query.hospital_id)}
      AND ${patientVisibility(effectiveRole, actor, sql`v.patient_id`, sql`v.hospital_id`)}`;
    const picked = sql`picked AS MATERIALIZED (SELECT v.hour AS hour, v.stats AS stats FROM vital_hours v
      WHERE ${visible} AND v.hour IN (SELECT value FROM json_each(${toHourListJson(rest)})) LIMIT ${MAX_STATS_ROWS + 1})`;
    const codeFilter = codes === null ? sql`1` : sql`s.key IN (SELECT value FROM json_each(${JSON.stringify(codes)}))`;
    return [
      // The first row (without a code) counts the picked rows. Array indexes as in PackedRollup.
      db.all<StatsRow>(sql`WITH ${picked}
        SELECT -1 AS hour, '' AS code, count(*) AS patients, 0 AS n, 0 AS min, 0 AS max, 0 AS sum FROM picked
        UNION ALL SELECT hour, s.key, count(*), sum(s.value->>0), min(s.value->>1), max(s.value->>2), sum(s.value->>3)
          FROM picked JOIN json_each(picked.stats) s WHERE ${codeFilter} AND ${isAfterStart} GROUP BY hour, s.key
        ORDER BY hour, code LIMIT ${start.limit + 2}`),
      selectPackedMonths(db, visible, days),
      selectUnpackedDays(db, visible, days),
    ];
  });
  const { role, hospitalId } = effectiveRole;
  if (query.hospital_id && role !== "admin" && query.hospital_id !== hospitalId) {
    return denyAccess(call, "observation:read", "not_found", { role, hospitalId, target: { hospital: query.hospital_id } });
  }
  const [[picked, ...hourRows], months, unpackedDays] = results;
  if ((picked?.patients ?? 0) > MAX_STATS_ROWS)
    throw new ApiError("invalid_request", "Too many patients for this range; shorten it.");
  const dayRows = sumDays(months, unpackedDays, days, codes).filter(
    ({ hour, code }) => !start.after || hour > start.after.value || (hour === start.after.value && code > start.after.id),
  );
  const rows = [...dayRows, ...hourRows].slice(0, start.limit + 1);
  const detail = { view: "hourly", codes, ...toIsoRange(hours) };
  await appendAuditEvent(call, { event: "observation.stats", action: "R", role, hospitalId, detail });
  const total = { n: start.offset + rows.length, exact: rows.length <= start.limit };
  const { rows: pageRows, pagination } = await buildPage(start, rows, toHourKey, total);
  const items = pageRows.map((row) => toStatsItem(row, row.hour < firstHour ? "day" : "hour"));
  return { items, meta: { pagination, as_of: toIso(closedUntil * HOUR_MS), ...toIsoRange(hours) } };
}

const toHourListJson = ({ from, to }: TimeRange) =>
  JSON.stringify(Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i));

/** Hours of the range that are closed; from the start of a day and to the end of one where days count whole. */
function toStatsHours(span: TimeRange, firstHour: number, closedUntil: number): TimeRange {
  const { from, to } = toHourRange(span);
  if (from >= firstHour) return { from, to: Math.max(from, Math.min(to, closedUntil)) };
  const end = to < firstHour ? firstHourOfDay(toDay(to - 1) + 1) : Math.min(to, closedUntil);
  return { from: firstHourOfDay(toDay(from)), to: end };
}

/** Restricts the query to hospitals, so that SQLite uses the primary key, which begins with hospital_id. */
function hospitalFilter(effectiveRole: EffectiveRole, actor: Principal, requestedHospitalId: string | undefined): SQL {
  const hospitalId = sql`v.hospital_id`;
  if (effectiveRole.role !== "admin") return isVisibleHospital(effectiveRole, actor, hospitalId);
  return requestedHospitalId ? sql`${hospitalId} = ${requestedHospitalId}` : isInAnyHospital(hospitalId);
}

function toStatsItem({ hour, code, patients, n, min, max, sum }: StatsRow, resolution: "hour" | "day") {
  const mean = computeMean({ count: n, min, max, sum, last: max, last_at: 0 });
  return { hour: toIso(hour * HOUR_MS), resolution, code, ...describeCode(code), patients, n, min, max, mean };
}
