// Search for the samples that a sender has stored at the times of a batch. Times are those that the sender stated.
import { HOUR_MS } from "../../../platform/time.ts";
import { PRESSURES } from "../../vitals/catalogue.ts";
import type { Sample } from "../../vitals/model.ts";
import type { LocatedSample } from "../samples/block-rows.ts";
import type { Store } from "../samples/store.ts";

/** Work of a batch's comparison with stored samples, to find duplicates: some 600,000 samples, or 32,000 rows (BlockRows.work). */
const MAX_COMPARED_WORK = 2 * 1024 * 1024;

export type StoredSamples = {
  /** Of the same code and stated time, and of the same sequence number if both have one; more than one only by a correction. */
  find(sample: Sample): readonly LocatedSample[];
  /** Whether a sample with this sequence number and stated time is stored, of any code. */
  hasSeq(seq: number, at: number): boolean;
  /** All pressures of a stated time. */
  pressures(at: number): readonly LocatedSample[];
  /** Whether the search covered this stated time. */
  covers(at: number): boolean;
};

/** The stored samples of a code and time: the first ones, and those without a sequence number or with one of the batch. */
type SameMoment = { first: LocatedSample[]; bySeq: Map<number | null, LocatedSample[]> };
/** Stored samples of one moment that one without a sequence number is compared with. */
const MAX_COMPARED_OF_MOMENT = 10;

/**
 * Searches newest first, until MAX_COMPARED_WORK is done.
 * @param wanted with the times that the sender states
 * @param corrections those that may have been subtracted from the times of its stored samples
 */
export function findStoredSamples(
  store: Store,
  by: string,
  wanted: readonly Sample[],
  corrections: readonly number[],
  now: number,
): StoredSamples {
  const byTime = new Map<number, Map<string, SameMoment>>(wanted.map(({ at }) => [at, new Map()]));
  const seqs = new Set<number | null>([null, ...wanted.map(({ seq }) => seq)]);
  const pressures = new Map<number, LocatedSample[]>();
  const add = (sample: LocatedSample) => {
    // Blocks of earlier code do not say how their times were corrected.
    const times = sample.clock ? [sample.at + sample.clock.corrected] : corrections.map((corrected) => sample.at + corrected);
    for (const time of times) {
      const codes = byTime.get(time);
      if (!codes) continue;
      const same: SameMoment = codes.get(sample.code) ?? { first: [], bySeq: new Map() };
      if (same.first.length < MAX_COMPARED_OF_MOMENT) same.first.push(sample);
      if (seqs.has(sample.seq)) same.bySeq.set(sample.seq, [...(same.bySeq.get(sample.seq) ?? []), sample]);
      codes.set(sample.code, same);
      if (PRESSURES.includes(sample.code)) pressures.set(time, [...(pressures.get(time) ?? []), sample]);
    }
  };
  const since = searchRanges(store, by, toRanges([...byTime.keys()], corrections), now, add);
  const slowest = Math.max(0, ...corrections);
  return {
    find: ({ code, at, seq }) => {
      const same = byTime.get(at)?.get(code);
      return (seq === null ? same?.first : (same?.bySeq.get(seq) ?? same?.bySeq.get(null))) ?? [];
    },
    hasSeq: (seq, at) => [...(byTime.get(at)?.values() ?? [])].some(({ bySeq }) => bySeq.has(seq)),
    pressures: (at) => pressures.get(at) ?? [],
    covers: (at) => at - slowest >= since,
  };
}

type Range = { from: number; to: number };

/** One range per hour in which a sample of these times can be stored, newest first. */
function toRanges(times: readonly number[], corrections: readonly number[]): Range[] {
  const ranges = new Map<number, Range>();
  for (const stated of times) {
    for (const corrected of corrections) {
      const at = stated - corrected;
      const hour = Math.floor(at / HOUR_MS);
      const { from, to } = ranges.get(hour) ?? { from: at, to: at + 1 };
      ranges.set(hour, { from: Math.min(from, at), to: Math.max(to, at + 1) });
    }
  }
  return [...ranges.values()].sort((a, b) => b.from - a.from);
}

/** @returns the time since which the search is complete, epoch milliseconds */
function searchRanges(
  store: Store,
  by: string,
  ranges: readonly Range[],
  now: number,
  add: (sample: LocatedSample) => void,
): number {
  const maxWork = store.rows.work + MAX_COMPARED_WORK;
  for (const { from, to } of ranges) {
    for (const block of store.readRange(from, to, now)) {
      if (store.rows.work >= maxWork) return to;
      for (const stored of block) if (stored.device === by) add(stored);
    }
    // Ranges without blocks read rows too.
    if (store.rows.work >= maxWork) return from;
  }
  return Number.NEGATIVE_INFINITY;
}
