// Recognition of samples that were stored before, by what their sender said: sequence number, code and its own time.
import type { Sample } from "../../vitals/model.ts";
import type { SampleNote } from "../../vitals/sample-validation.ts";
import type { ItemResult } from "../contract.ts";
import type { DeviceStatus, MonitorMemory } from "../memory/monitor-memory.ts";
import { addSeen, hasSeen, NOTHING_SEEN } from "../samples/seen-sequence.ts";
import type { Store } from "../samples/store.ts";
import { recentCorrections } from "./device-clock.ts";
import { findStoredSamples, type StoredSamples } from "./stored-samples.ts";

/** `stated`: the time of the measurement by the sender's own clock; `sample.at` is the same until it is corrected. */
export type AcceptedItem = { index: number; stated: number; sample: Sample; note?: SampleNote };

/**
 * Drops items that the sender has stored already, and those of times that the search did not reach, and reports them in `results`.
 * @param items as their sender stated them
 */
export function dropStored(
  store: Store,
  memory: MonitorMemory,
  by: string,
  items: readonly AcceptedItem[],
  status: DeviceStatus,
  results: ItemResult[],
  now: number,
): { unseen: AcceptedItem[]; stored: StoredSamples } {
  const newest = memory.newestSampleAt[by] ?? {};
  // Nothing newer of this code is stored.
  const isNewest = ({ code, at }: Sample) => at > (newest[code] ?? Number.NEGATIVE_INFINITY);
  const wanted = items.map(({ sample }) => sample).filter((sample) => !isNewest(sample));
  const stored = findStoredSamples(store, by, wanted, recentCorrections(status), now);
  const unseen = items.filter(({ index, sample }) => {
    if (isNewest(sample)) return true;
    if (stored.find(sample)) {
      results[index] = { index, status: "duplicate" };
      return false;
    }
    if (stored.covers(sample.at)) return true;
    const message = "Too many stored samples lie between the times of this request: send older ones in requests of their own";
    results[index] = { index, status: "rejected", reason: "too_scattered", message };
    return false;
  });
  return { unseen, stored };
}

/**
 * Drops repetitions within the batch and samples beyond the limits, and reports them in `results`.
 * @param countStored counts a sample against the limits; returns the message if it must not be stored
 * @returns the samples to store, and those beyond the limits, which do not count as seen
 */
export function selectNewSamples(
  items: readonly AcceptedItem[],
  results: ItemResult[],
  countStored: (sample: Sample) => string | null,
): { newSamples: AcceptedItem[]; unstored: Sample[] } {
  // By code and stated time: the sequence numbers.
  const taken = new Map<string, Set<number | null>>();
  const newSamples: AcceptedItem[] = [];
  const unstored: Sample[] = [];
  for (const item of items) {
    const { index, stated, sample } = item;
    const key = `${sample.code} ${stated}`;
    const seqs = taken.get(key) ?? new Set();
    if (seqs.has(sample.seq) || seqs.has(null) || (sample.seq === null && seqs.size > 0)) {
      results[index] = { index, status: "duplicate" };
      continue;
    }
    const refusal = countStored(sample);
    if (refusal !== null) {
      results[index] = { index, status: "rejected", reason: "too_many_samples", message: refusal };
      unstored.push(sample);
      continue;
    }
    taken.set(key, seqs.add(sample.seq));
    newSamples.push(item);
  }
  return { newSamples, unstored };
}

/**
 * Records the sequence numbers of new samples.
 * @returns the first sample whose number the sender used before for another moment: its counter has started again; null for none
 */
export function recordSequence(
  memory: MonitorMemory,
  by: string,
  newSamples: readonly AcceptedItem[],
  stored: StoredSamples,
): AcceptedItem | null {
  const before = memory.seenSequences[by] ?? NOTHING_SEEN;
  const newestOfAll = Math.max(...Object.values(memory.newestSampleAt[by] ?? {}));
  const isRestart = ({ stated, sample: { code, seq } }: AcceptedItem) => {
    if (seq === null || !hasSeen(before, seq)) return false;
    const wasSearched = stated <= (memory.newestSampleAt[by]?.[code] ?? Number.NEGATIVE_INFINITY);
    return wasSearched ? !stored.hasSeq(seq, stated) : stated > newestOfAll;
  };
  const restarted = newSamples.find(isRestart) ?? null;
  let seen = restarted ? NOTHING_SEEN : before;
  for (const { sample } of newSamples) if (sample.seq !== null) seen = addSeen(seen, sample.seq);
  if (seen !== before) memory.seenSequences[by] = seen;
  return restarted;
}
