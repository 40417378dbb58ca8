// The latest value of each code: one judgement for what is shown and for what the alarm rules see (alarm-rules/engine.ts).
import { MAX_CLOCK_LEAD_MS } from "../../../platform/device-times.ts";
import { DAY_MS, HOUR_MS } from "../../../platform/time.ts";
import type { Correction } from "../../alarm-rules/model.ts";
import { type Sample, shownAt } from "../../vitals/model.ts";
import type { LatestEntry, MonitorMemory } from "../memory/monitor-memory.ts";
import { correctBlock } from "../samples/read-samples.ts";
import type { Store } from "../samples/store.ts";
import { type CorrectedSample, toMeasuredSample } from "../snapshot.ts";

type Place = Pick<LatestEntry, "received" | "by" | "block" | "index">;

/** Takes over a new sample unless a later one is known. Of samples of one batch, those with later times come last. */
export function updateLatest(memory: MonitorMemory, { code, value, unit, at, status }: Sample, place: Place): void {
  const latest = status === "final" ? memory.latest : memory.latestInvalid;
  const entry = { value, unit, at, status, ...place };
  const before = latest[code];
  if (!before || shownAt(entry) >= shownAt(before)) latest[code] = entry;
}

/** The order in which samples of one batch count, as in the alarm rules. */
export const compareSamples = (a: Sample, b: Sample) => a.at - b.at || (a.seq ?? 0) - (b.seq ?? 0) || a.value - b.value;

type Newest = Partial<Record<"final" | "invalid", CorrectedSample>>;

/**
 * Reads the latest samples of codes from those of the last day, newest hours first, until each status that is asked for is found.
 * @param maxWork ends the search, in the measure of BlockRows.work
 */
function readNewest(
  store: Store,
  codes: ReadonlySet<string>,
  statuses: readonly ("final" | "invalid")[],
  now: number,
  maxWork: number,
): Map<string, Newest> {
  const newest = new Map<string, Newest>([...codes].map((code) => [code, {}]));
  const end = store.rows.work + maxWork;
  const first = Math.floor((now - DAY_MS) / HOUR_MS);
  // No earlier hour has a sample that is shown as later than one of this hour that was measured before it was received.
  const isFound = (hour: number) =>
    [...newest.values()].every((found) => statuses.every((one) => found[one] && shownAt(found[one]) >= hour * HOUR_MS));
  for (let hour = Math.floor((now + MAX_CLOCK_LEAD_MS) / HOUR_MS); hour >= first && !isFound(hour + 1); hour--) {
    for (const block of store.readRange(hour * HOUR_MS, (hour + 1) * HOUR_MS, now)) {
      if (store.rows.work > end) return newest;
      const own = block.filter(({ code, clock }) => codes.has(code) && !clock?.unconfirmed);
      for (const sample of correctBlock(store, own)) {
        const found = newest.get(sample.code);
        if (!found || sample.status === "entered-in-error") continue;
        const { status } = toMeasuredSample(sample);
        const before = found[status];
        if (!before || shownAt(sample) >= shownAt(before)) found[status] = sample;
      }
    }
  }
  return newest;
}

/** What the alarm rules learn of a vital whose latest values were recomputed. */
export function toCorrection(memory: MonitorMemory, code: string): Correction {
  const newest = memory.latest[code] ?? null;
  const invalid = memory.latestInvalid[code];
  const isInvalidNewer = invalid !== undefined && (newest === null || shownAt(invalid) > shownAt(newest));
  return { kind: "corrected", code, newest, isInvalidNewer };
}

/** Recomputes the latest samples of codes from those of the last day. */
export function refreshLatest(
  store: Store,
  memory: MonitorMemory,
  codes: ReadonlySet<string>,
  now: number,
  statuses: readonly ("final" | "invalid")[] = ["final", "invalid"],
  maxWork = Number.POSITIVE_INFINITY,
): void {
  for (const [code, found] of readNewest(store, codes, statuses, now, maxWork)) {
    for (const status of statuses) {
      const latest = status === "final" ? memory.latest : memory.latestInvalid;
      if (found[status]) latest[code] = toLatestEntry(found[status]);
      else delete latest[code];
    }
  }
}

function toLatestEntry(sample: CorrectedSample): LatestEntry {
  const { value, unit, at, received, device, status, block, index } = sample;
  const amended = status === "amended" ? { amended: true } : {};
  return { value, unit, at, received, by: device ?? "", status: toMeasuredSample(sample).status, block, index, ...amended };
}
