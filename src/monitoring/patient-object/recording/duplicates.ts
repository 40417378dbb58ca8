// Recognition of samples that were stored before, by what their sender said: sequence number, code and its own time.
import { findVital, PRESSURES } from "../../vitals/catalogue.ts";
import type { Sample } from "../../vitals/model.ts";
import type { SampleNote } from "../../vitals/sample-validation.ts";
import type { ItemResult } from "../contract.ts";
import type { BlockPosition, DeviceStatus, MonitorMemory } from "../memory/monitor-memory.ts";
import type { LocatedSample } from "../samples/block-rows.ts";
import { addSeen, hasSeen, NOTHING_SEEN } from "../samples/seen-sequence.ts";
import type { Store } from "../samples/store.ts";
import { recentCorrections } from "./device-clock.ts";
import { findStoredSamples, type StoredSamples } from "./stored-samples.ts";

/** `stated`: the time of the measurement by the sender's own clock; `sample.at` is the same until it is corrected. */
export type AcceptedItem = { index: number; stated: number; sample: Sample; note?: SampleNote };

const isSameValue = (a: Sample, b: Sample) => a.value === b.value && (a.unit === b.unit || findVital(a.code) !== null);

/**
 * What a sample is to those that are stored of its moment: a repetition of one, another value than the returned one, or null when all of
 * them were entered in error.
 * @param filedAt a value that was corrected until then, epoch milliseconds, is not repeated by its original
 */
function judgeRepetition(
  store: Store,
  stored: readonly LocatedSample[],
  sample: Sample,
  filedAt = Number.NEGATIVE_INFINITY,
): "duplicate" | LocatedSample | null {
  const corrections = stored.map(({ block, index }) => store.documents.correction(block, index));
  const isOriginal = (i: number) => (corrections[i]?.at ?? Number.POSITIVE_INFINITY) > filedAt;
  if (stored.some((one, i) => isSameValue(one, sample) && isOriginal(i))) return "duplicate";
  const isAmended = (i: number) => isOriginal(i) || corrections[i]?.status === "amended";
  if (corrections.some((correction, i) => correction?.value === sample.value && isAmended(i))) return "duplicate";
  return stored.find((_, i) => corrections[i]?.status !== "entered-in-error") ?? null;
}

/** A correction that is typed again must not vanish as a repetition. */
function valueConflict(index: number): ItemResult {
  const message = "Another value is stored for this code and time: amend that observation, or send the time of this value";
  return { index, status: "rejected", reason: "value_conflict", message };
}

/**
 * Drops items that the sender has stored already, and those of times that the search did not reach, and reports them in `results`.
 * @param items as their sender stated them
 * @param filedAt of a set that a person filed: what was corrected until then, epoch milliseconds, counts as corrected. Without it, a
 * value that was corrected is repeated by its original, which a device may send at any time.
 */
export function dropStored(
  store: Store,
  memory: MonitorMemory,
  by: string,
  items: readonly AcceptedItem[],
  status: DeviceStatus,
  results: ItemResult[],
  now: number,
  toId: (place: BlockPosition) => string,
  filedAt?: number,
): { unseen: AcceptedItem[]; stored: StoredSamples } {
  const newest = memory.newestSampleAt[by] ?? {};
  // Nothing newer of this code is stored.
  const isNewest = ({ code, at }: Sample) => at > (newest[code] ?? Number.NEGATIVE_INFINITY);
  // Pressures of one moment are one measurement, whose parts may have come before.
  const hasParts = ({ code, at }: Sample) =>
    PRESSURES.includes(code) && PRESSURES.some((part) => at <= (newest[part] ?? Number.NEGATIVE_INFINITY));
  const wanted = items.map(({ sample }) => sample).filter((sample) => !isNewest(sample) || hasParts(sample));
  const stored = findStoredSamples(store, by, wanted, recentCorrections(status), now);
  const unseen = items.filter(({ index, sample }) => {
    if (isNewest(sample) && !hasParts(sample)) return true;
    const same = stored.find(sample);
    const repeated = same.length === 0 ? null : judgeRepetition(store, same, sample, filedAt);
    if (repeated !== null) {
      results[index] =
        repeated === "duplicate" ? { index, status: repeated } : { ...valueConflict(index), observation_id: toId(repeated) };
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
 * @returns the samples to store; those beyond the limits, which do not count as seen; and for the index of each item with another value
 * at the same moment, the one that is stored
 */
export function selectNewSamples(
  items: readonly AcceptedItem[],
  results: ItemResult[],
  countStored: (sample: Sample) => string | null,
): { newSamples: AcceptedItem[]; unstored: Sample[]; conflicts: Map<number, AcceptedItem> } {
  // By code and stated time.
  const taken = new Map<string, Map<number | null, AcceptedItem>>();
  const conflicts = new Map<number, AcceptedItem>();
  const newSamples: AcceptedItem[] = [];
  const unstored: Sample[] = [];
  for (const item of items) {
    const { index, stated, sample } = item;
    const key = `${sample.code} ${stated}`;
    const moment = taken.get(key) ?? new Map<number | null, AcceptedItem>();
    const [first] = moment.values();
    const same = sample.seq === null ? first : (moment.get(sample.seq) ?? moment.get(null));
    if (same) {
      const isRepeat = isSameValue(same.sample, sample);
      results[index] = isRepeat ? { index, status: "duplicate" } : valueConflict(index);
      if (!isRepeat) conflicts.set(index, same);
      continue;
    }
    const refusal = countStored(sample);
    if (refusal !== null) {
      results[index] = { index, status: "rejected", reason: "too_many_samples", message: refusal };
      unstored.push(sample);
      continue;
    }
    taken.set(key, moment.set(sample.seq, item));
    newSamples.push(item);
  }
  return { newSamples, unstored, conflicts };
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
