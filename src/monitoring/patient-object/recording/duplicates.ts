// Recognition of samples that were stored before, by sequence number or by device, code and time.
import { HOUR_MS } from "../../../platform/time.ts";
import type { Sample } from "../../vitals/model.ts";
import { crossCheckPressures } from "../../vitals/sample-validation.ts";
import type { ItemResult } from "../contract.ts";
import type { MonitorMemory } from "../memory/monitor-memory.ts";
import { addSeen, hasSeen, NOTHING_SEEN } from "../samples/seen-sequence.ts";
import type { Store } from "../samples/store.ts";

/** Work of a batch's comparison with stored samples, to find duplicates: some 600,000 samples, or 32,000 rows (BlockRows.work). */
const MAX_COMPARED_WORK = 2 * 1024 * 1024;

export type AcceptedItem = { index: number; sample: Sample; note?: string };

const toSampleKey = ({ code, at }: Pick<Sample, "code" | "at">) => `${code} ${at}`;

/**
 * The keys of those samples that the sender has stored already, searched newest first until MAX_COMPARED_WORK is done.
 * @returns `since`: the time since which the keys are complete, epoch milliseconds
 */
function readStoredKeys(store: Store, by: string, samples: readonly Sample[], now: number): { keys: Set<string>; since: number } {
  const keys = new Set<string>();
  const times = new Set(samples.map(({ at }) => at));
  const maxWork = store.rows.work + MAX_COMPARED_WORK;
  const hours = [...new Set(samples.map(({ at }) => Math.floor(at / HOUR_MS)))].sort((a, b) => b - a);
  for (const hour of hours) {
    for (const block of store.readRange(hour * HOUR_MS, (hour + 1) * HOUR_MS, now)) {
      if (store.rows.work >= maxWork) return { keys, since: (hour + 1) * HOUR_MS };
      for (const stored of block) if (stored.device === by && times.has(stored.at)) keys.add(toSampleKey(stored));
    }
    // Hours without blocks read rows too.
    if (store.rows.work >= maxWork) return { keys, since: hour * HOUR_MS };
  }
  return { keys, since: Number.NEGATIVE_INFINITY };
}

/**
 * Drops duplicates, by sequence number or by (device, code, time), and samples beyond the limits, and reports them in `results`.
 * Duplicates come first, so that a repeated batch is answered as before and uses up no room.
 * @param countStored counts a sample against the limits; returns the message if it must not be stored
 * @returns the samples to store, and those beyond the limits, which do not count as seen
 */
export function dropDuplicates(
  store: Store,
  memory: MonitorMemory,
  by: string,
  accepted: AcceptedItem[],
  results: ItemResult[],
  now: number,
  countStored: (sample: Sample) => string | null,
): { newSamples: AcceptedItem[]; unstored: Sample[] } {
  const before = memory.seenSequences[by] ?? NOTHING_SEEN;
  let seen = before;
  const newest = memory.newestSampleAt[by] ?? {};
  const checked = crossCheckPressures(accepted.map(({ sample }) => sample));
  const older = checked.filter((s) => s.at <= (newest[s.code] ?? Number.NEGATIVE_INFINITY));
  const { keys, since } = readStoredKeys(store, by, older, now);
  const newSamples: AcceptedItem[] = [];
  const unstored: Sample[] = [];
  for (const [i, item] of accepted.entries()) {
    const sample = checked[i] ?? item.sample;
    // A used sequence number is a duplicate only if the sample is not newer: a restarted device counts from one again.
    const isNewest = sample.at > (newest[sample.code] ?? Number.NEGATIVE_INFINITY);
    if (!isNewest && sample.at < since) {
      const message = "Too many stored samples lie between the times of this request: send older ones in requests of their own";
      results[item.index] = { index: item.index, status: "rejected", reason: "too_scattered", message };
      continue;
    }
    const repeated = (sample.seq !== null && !isNewest && hasSeen(before, sample.seq)) || keys.has(toSampleKey(sample));
    if (repeated) {
      results[item.index] = { index: item.index, status: "duplicate" };
      continue;
    }
    const refusal = countStored(sample);
    if (refusal !== null) {
      results[item.index] = { index: item.index, status: "rejected", reason: "too_many_samples", message: refusal };
      unstored.push(sample);
      continue;
    }
    if (sample.seq !== null) seen = addSeen(seen, sample.seq);
    keys.add(toSampleKey(sample));
    newSamples.push({ ...item, sample });
  }
  if (seen !== before) memory.seenSequences[by] = seen;
  return { newSamples, unstored };
}
