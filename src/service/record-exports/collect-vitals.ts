// Hourly values of a record, for an export. Samples themselves are not exported: a bedside monitor sends one per second.
import type { Call } from "../../access/actor.ts";
import type { PatientRow } from "../../access/patient-row.ts";
import { getOpenHours, mergeHours, openClosedHours, selectClosedHours } from "../../monitoring/history/hour-rollups.ts";
import { computeMean } from "../../monitoring/patient-object/samples/rollup.ts";
import { HOUR_MS, toIso } from "../../platform/time.ts";

/** A table: compact, since a year has 8,760 hours per measurement. */
export type HourlyValues = { columns: readonly string[]; rows: (readonly [string, string, number, number, number, number])[] };

const COLUMNS = ["hour", "code", "count", "min", "max", "mean"] as const;
/** As many as one request of the history reads. */
const HOURS_PER_STEP = 366 * 24;
/** Samples may be older than the record by as much as they may be late. */
const DAYS_BEFORE = 31;

export async function collectHours(env: Env, call: Call, patient: PatientRow, recordedAt: number): Promise<HourlyValues> {
  const last = Math.floor(call.now / HOUR_MS) + 1;
  const first = Math.floor(recordedAt / HOUR_MS) - DAYS_BEFORE * 24;
  const { open } = await getOpenHours(env, patient.id);
  const rows: HourlyValues["rows"] = [];
  for (let from = first; from < last; from += HOURS_PER_STEP) {
    const range = { from, to: Math.min(from + HOURS_PER_STEP, last) };
    const closed = await openClosedHours(env, call, patient, range, await selectClosedHours(call, patient, range));
    for (const { hour, code, ...rollup } of mergeHours(open, closed, range, null)) {
      rows.push([toIso(hour * HOUR_MS), code, rollup.count, rollup.min, rollup.max, computeMean(rollup)]);
    }
  }
  return { columns: COLUMNS, rows };
}
