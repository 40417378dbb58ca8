// What many hours of vitals come to: of one patient, of a wearable's week, of everybody that the caller may see.
import { type SQL, sql } from "drizzle-orm";
import { asPrincipal, patientScope, requirePatient } from "../access.ts";
import { type Actor, type Call, idOf, type Principal, type Standing } from "../actor.ts";
import type { AlertState, Priority } from "../alerts/model.ts";
import { audit } from "../audit.ts";
import { DAY_MS } from "../counters.ts";
import { batch } from "../db/client.ts";
import { ApiError } from "../errors.ts";
import { TOLD_AFTER_MS } from "../monitor/hours.ts";
import { HOUR_MS } from "../monitor/memory.ts";
import { meanOf, type Rollup } from "../monitor/rollup.ts";
import { OWN } from "../patient-row.ts";
import { refuse } from "../refusals.ts";
import { CODES, vitalOf } from "./catalogue.ts";
import { LONGEST_MS, readTrace, snapshot } from "./history.ts";
import { mergeHours, openHoursOf, rollupsByCode, toldHours } from "./hours.ts";
import { codesOf, hoursOf, nameAndUnit, type RangeQuery, type Span, spanOf } from "./query.ts";

const iso = (time: number) => new Date(time).toISOString();
const spanOfHours = ({ from, to }: Span) => ({ from: iso(from * HOUR_MS), to: iso(to * HOUR_MS) });

function toVital(code: string, rollup: Rollup) {
  const { count: n, min, max, last, last_at } = rollup;
  const display = vitalOf(code)?.display ?? null;
  const latest = { value: last, effective_at: iso(last_at) };
  return { code, ...nameAndUnit(code), display, n, min, max, mean: meanOf(rollup), latest };
}

const inOrder = (codes: Map<string, Rollup>) => [...codes].sort(([a], [b]) => (a < b ? -1 : 1));

/** One patient over a range of whole hours: each vital, the alerts that were raised, the score of now. */
export async function patientSummary(env: Env, call: Call, ref: string, query: RangeQuery) {
  const hours = hoursOf(spanOf(query, call.now, { usual: DAY_MS, most: LONGEST_MS }));
  const { db, actor } = call;
  const { patient, ...rest } = await requirePatient(call, { patient: ref }, "observation:read");
  const [{ open }, { news2 }] = await Promise.all([openHoursOf(env, patient.id), snapshot(env, call, patient)]);
  const [told, alerts, [allowed]] = await batch(db, [
    toldHours(call, patient, hours),
    db.all<{ priority: Priority; state: AlertState; n: number }>(sql`SELECT priority, state, count(*) AS n FROM alerts
      WHERE patient_id = ${patient.id} AND raised_at >= ${hours.from * HOUR_MS} AND raised_at < ${hours.to * HOUR_MS}
      GROUP BY priority, state ORDER BY priority, state`),
    db.all<{ alerts: number }>(sql`SELECT ${mayReadAlerts(actor)} AS alerts`),
    ...readTrace(call, { patient, ...rest }, "summary", spanOfHours(hours)),
  ]);
  return {
    patient_id: patient.id,
    ...spanOfHours(hours),
    vitals: inOrder(rollupsByCode(mergeHours(open, told, hours, null))).map(([code, rollup]) => toVital(code, rollup)),
    alerts: allowed?.alerts ? alerts : null,
    news2,
  };
}

/** Every person who reads vitals reads alerts; an app has a scope for each. */
function mayReadAlerts(actor: Actor): SQL {
  if (actor.kind !== "app") return sql`1`;
  return sql`EXISTS (SELECT 1 FROM credentials WHERE id = ${idOf(actor)} AND ' ' || scopes || ' ' LIKE '% alert:read %')`;
}

/** What adds up over a day, and what has to be read as the device means it: see the description of the route. */
const OF_THE_DAY = [CODES.steps, CODES.sleep_minutes, CODES.energy];

/** A wearable's last days, of the caller's own record unless a patient is named. Days are UTC. */
export async function wearableSummary(env: Env, call: Call, query: { patient_id?: string | undefined; days: number }) {
  const { now } = call;
  const target = query.patient_id === undefined ? OWN : { patient: query.patient_id };
  const access = await requirePatient(call, target, "observation:read");
  const midnight = Math.floor(now / DAY_MS) * DAY_MS;
  const hours = hoursOf({ from: midnight - (query.days - 1) * DAY_MS, to: midnight + DAY_MS });
  const { open } = await openHoursOf(env, access.patient.id);
  const trace = readTrace(call, access, "wearable", spanOfHours(hours));
  const [told] = await batch(call.db, [toldHours(call, access.patient, hours), ...trace]);
  const all = mergeHours(open, told, hours, null);
  const today = rollupsByCode(all.filter(({ hour }) => hour >= midnight / HOUR_MS));
  return {
    patient_id: access.patient.id,
    ...spanOfHours(hours),
    vitals: inOrder(rollupsByCode(all)).map(([code, rollup]) => toVital(code, rollup)),
    today: OF_THE_DAY.flatMap((code) => {
      const rollup = today.get(code);
      return rollup ? [{ ...toVital(code, rollup), sum: rollup.sum }] : [];
    }),
  };
}

const STATS_MS = 7 * DAY_MS;
/** Rows of one patient and hour that one answer may read: a day of 800 patients, a week of 100. */
const MOST_ROWS = 20_000;

type HourRow = { hour: number; code: string; patients: number; n: number; min: number; max: number; sum: number };
export type StatsQuery = RangeQuery & { code?: string | undefined; hospital_id?: string | undefined };

/**
 * All patients that the caller may see, by hour (UTC) and vital, closed hours alone. `as_of`: hours before it are complete,
 * but for what comes late.
 * @throws ApiError invalid_request (too long a range, or too many patients for it), forbidden, not_found (another hospital)
 */
export async function hourlyStats(anyCall: Call, query: StatsQuery) {
  const span = spanOf(query, anyCall.now, { usual: DAY_MS, most: STATS_MS });
  const closed = Math.floor((anyCall.now - TOLD_AFTER_MS) / HOUR_MS);
  const touched = hoursOf(span);
  const hours = { from: touched.from, to: Math.max(touched.from, Math.min(touched.to, closed)) };
  const codes = codesOf(query.code);
  const { call, standing, results } = await asPrincipal(anyCall, "observation:read", (standing, { db, actor }) => {
    const picked = sql`picked AS MATERIALIZED (SELECT v.hour AS hour, v.stats AS stats FROM vital_hours v
      WHERE ${homeOf(standing, actor, query.hospital_id)} AND v.hour IN (SELECT value FROM json_each(${hourList(hours)}))
        AND ${patientScope(standing, actor, sql`v.patient_id`, sql`v.hospital_id`)} LIMIT ${MOST_ROWS + 1})`;
    const wanted = codes === null ? sql`1` : sql`s.key IN (SELECT value FROM json_each(${JSON.stringify(codes)}))`;
    return [
      // The first row has no code: it counts what was picked. Places as `Packed` has them.
      db.all<HourRow>(sql`WITH ${picked}
        SELECT -1 AS hour, '' AS code, count(*) AS patients, 0 AS n, 0 AS min, 0 AS max, 0 AS sum FROM picked
        UNION ALL SELECT hour, s.key, count(*), sum(s.value->>0), min(s.value->>1), max(s.value->>2), sum(s.value->>3)
          FROM picked JOIN json_each(picked.stats) s WHERE ${wanted} GROUP BY hour, s.key
        ORDER BY hour, code`),
    ];
  });
  const { db, actor, now } = call;
  const { role, hospitalId } = standing;
  if (query.hospital_id && role !== "admin" && query.hospital_id !== hospitalId) {
    return refuse(call, "observation:read", "not_found", { role, hospitalId, target: { hospital: query.hospital_id } });
  }
  const [[picked, ...rows]] = results;
  if ((picked?.patients ?? 0) > MOST_ROWS) throw new ApiError("invalid_request", "Too many patients for this range; shorten it.");
  const detail = { view: "hourly", codes, ...spanOfHours(hours) };
  await batch(db, audit(db, actor, now, { event: "observation.stats", action: "R", role, hospitalId, detail }));
  return { items: rows.map(toHourStats), meta: { as_of: iso(closed * HOUR_MS), ...spanOfHours(hours) } };
}

const hourList = ({ from, to }: Span) => JSON.stringify(Array.from({ length: to - from }, (_, i) => from + i));

/** The hospitals whose rows are looked at: the key begins with them, and the scope alone would not lead by it. */
function homeOf(standing: Standing, actor: Principal, asked: string | undefined): SQL {
  switch (standing.role) {
    case "admin":
      return asked ? sql`v.hospital_id = ${asked}` : sql`v.hospital_id IN (SELECT id FROM hospitals)`;
    case "patient":
      return sql`v.hospital_id IN (SELECT p.hospital_id FROM patient_links l JOIN patients p ON p.id = l.patient_id
        WHERE l.user_id = ${idOf(actor)})`;
    default:
      return sql`v.hospital_id = ${standing.hospitalId}`;
  }
}

function toHourStats({ hour, code, patients, n, min, max, sum }: HourRow) {
  const mean = meanOf({ count: n, min, max, sum, last: max, last_at: 0 });
  return { hour: iso(hour * HOUR_MS), code, ...nameAndUnit(code), patients, n, min, max, mean };
}
