// Pressures of one sender and moment that contradict each other, whether they came in one request or in several: all are invalid.
import { HOUR_MS } from "../../../platform/time.ts";
import { PRESSURES } from "../../vitals/catalogue.ts";
import { shownAt } from "../../vitals/model.ts";
import { arePressuresContradictory, crossCheckPressures, isUnitDoubtful } from "../../vitals/sample-validation.ts";
import type { MonitorMemory } from "../memory/monitor-memory.ts";
import type { LocatedSample } from "../samples/block-rows.ts";
import { correctBlock, readOpenHour } from "../samples/read-samples.ts";
import type { Store } from "../samples/store.ts";
import type { AcceptedItem } from "./duplicates.ts";
import { markForRecount } from "./hour-closing.ts";
import { refreshLatest } from "./latest-values.ts";
import type { StoredSamples } from "./stored-samples.ts";

/** Work of the search for the latest valid pressures before, in the measure of BlockRows.work. */
const MAX_REFRESH_WORK = 2 * 1024 * 1024;

/** Stored samples that have become invalid, and the codes whose latest value was one of them. */
export type Invalidated = { samples: LocatedSample[]; codes: string[] };

/** Marks new pressures that contradict each other or stored ones as invalid, and those stored ones too. */
export function checkPressures(
  store: Store,
  memory: MonitorMemory,
  items: readonly AcceptedItem[],
  stored: StoredSamples,
  now: number,
): { checked: AcceptedItem[]; invalidated: Invalidated } {
  const samples = crossCheckPressures(items.map(({ sample }) => sample));
  const checked = items.map((item, i) => ({ ...item, sample: samples[i] ?? item.sample }));
  const contradicted: LocatedSample[] = [];
  const moments = Map.groupBy(
    checked.filter(({ sample }) => PRESSURES.includes(sample.code) && !sample.isUnitSuspect),
    ({ stated }) => stated,
  );
  for (const [stated, group] of moments) {
    const before = stored.pressures(stated);
    const counting = before.flatMap((sample) => toCounting(store, sample));
    if (before.length === 0 || !arePressuresContradictory([...group.map(({ sample }) => sample), ...counting])) continue;
    for (const item of group) item.sample = { ...item.sample, status: "invalid" };
    contradicted.push(...before.filter(({ status }) => status === "final"));
  }
  return { checked, invalidated: invalidate(store, memory, contradicted, now) };
}

/** A stored pressure as it counts now: amended, and not when it was entered in error. */
function toCounting(store: Store, sample: LocatedSample) {
  const [{ code, value, status } = sample] = correctBlock(store, [sample]);
  if (status === "entered-in-error" || (status === "invalid" && isUnitDoubtful(sample))) return [];
  return [{ code, value, status: status === "invalid" ? ("invalid" as const) : ("final" as const) }];
}

function invalidate(store: Store, memory: MonitorMemory, samples: LocatedSample[], now: number): Invalidated {
  if (samples.length === 0) return { samples, codes: [] };
  store.markInvalid(samples, now);
  for (const hour of new Set(samples.map(({ at }) => Math.floor(at / HOUR_MS)))) {
    if (hour > memory.lastClosedHour) memory.hours[hour] = readOpenHour(store, hour, now);
    else markForRecount(store, memory, hour);
  }
  const isLatest = ({ code, block, index }: LocatedSample) =>
    memory.latest[code]?.block === block && memory.latest[code].index === index && !memory.latest[code].amended;
  const codes = new Set(samples.filter(isLatest).map(({ code }) => code));
  for (const sample of samples) setLatestInvalid(memory, sample);
  if (codes.size > 0) refreshLatest(store, memory, codes, now, ["final"], MAX_REFRESH_WORK);
  return { samples, codes: [...codes] };
}

function setLatestInvalid(memory: MonitorMemory, sample: LocatedSample): void {
  const { code, value, unit, at, received, device, block, index, clock } = sample;
  const before = memory.latestInvalid[code];
  if (clock?.unconfirmed || (before && shownAt(sample) < shownAt(before))) return;
  memory.latestInvalid[code] = { value, unit, at, received, by: device ?? "", status: "invalid", block, index };
}
