// Rollups of one patient by the hour: closed hours from D1, those that it was not told yet from the patient's object.
import { sql } from "drizzle-orm";
import type { Call } from "../actor.ts";
import type { Bucket } from "../monitor/buckets.ts";
import type { LimitsQuery } from "../monitor/limits-over.ts";
import { HOUR_MS } from "../monitor/memory.ts";
import { meanOf, mergeRollups, type Rollup, unpackHour } from "../monitor/rollup.ts";
import type { PatientRow } from "../patient-row.ts";
import { atObject } from "./ingest.ts";
import type { Span } from "./query.ts";

/** Of one code in one hour since the epoch. `open`: D1 does not have the hour, more may come. */
export type HourRollup = Rollup & { hour: number; code: string; open: boolean };
type Told = { hour: number; stats: string };

/**
 * Asked before D1: an hour that is told in between is then seen twice (`mergeHours`) and not missed.
 * @param chart epoch milliseconds: with the limits that held then
 */
export async function openHoursOf(env: Env, patientId: string, chart: LimitsQuery | null = null) {
  const { hours, ...more } = await atObject(env, async () => env.PATIENT_MONITOR.getByName(patientId).openHours(chart));
  return { open: hours.map((rollup): HourRollup => ({ ...rollup, open: true })), ...more };
}

/** The closed hours of a span of hours, for a batch: as many rows read as hours, at most. */
export function toldHours({ db }: Call, { id, hospital_id }: PatientRow, { from, to }: Span) {
  const hours = Array.from({ length: to - from }, (_, i) => from + i);
  return db.all<Told>(sql`SELECT hour, stats FROM vital_hours WHERE hospital_id = ${hospital_id} AND patient_id = ${id}
    AND hour IN (SELECT value FROM json_each(${JSON.stringify(hours)})) ORDER BY hour`);
}

/** All hours of a span, oldest first, by code within one. @param codes null for all */
export function mergeHours(open: HourRollup[], told: Told[], { from, to }: Span, codes: string[] | null): HourRollup[] {
  const closed = told.flatMap(({ hour, stats }) =>
    unpackHour(hour, stats).map(([code, rollup]) => ({ ...rollup, hour, code, open: false })),
  );
  const known = new Set(told.map(({ hour }) => hour));
  return [...closed, ...open.filter(({ hour }) => hour >= from && hour < to && !known.has(hour))]
    .filter(({ code }) => codes === null || codes.includes(code))
    .sort((a, b) => a.hour - b.hour || (a.code < b.code ? -1 : 1));
}

/** One rollup of all hours, by code. */
export function rollupsByCode(hours: readonly HourRollup[]): Map<string, Rollup> {
  const codes = new Map<string, Rollup>();
  for (const { hour: _hour, open: _open, code, ...rollup } of hours) {
    const before = codes.get(code);
    codes.set(code, before ? mergeRollups(before, rollup) : rollup);
  }
  return codes;
}

/** As downsample (monitor/buckets.ts) does with samples: parts of whole hours, as many as asked for or as there are hours. */
export function bucketHours(hours: readonly HourRollup[], { from, to }: Span, buckets: number): Bucket[] {
  const span = to - from;
  const parts = Math.min(buckets, span);
  const edge = (part: number) => (from + Math.ceil((part * span) / parts)) * HOUR_MS;
  const groups = Map.groupBy(hours, ({ hour }) => Math.floor(((hour - from) * parts) / span));
  return [...groups]
    .flatMap(([part, group]) =>
      [...rollupsByCode(group)].map(([code, rollup]) => {
        const { count: n, min, max, last } = rollup;
        return { code, from: edge(part), to: edge(part + 1), n, min, max, mean: meanOf(rollup), last };
      }),
    )
    .sort((a, b) => (a.code === b.code ? a.from - b.from : a.code < b.code ? -1 : 1));
}
