// Reading of samples in a time range, from the object's blocks and from the archive, with corrections applied.

import { getVerifiedKeys } from "../../../platform/config.ts";
import { readFile } from "../../../platform/files.ts";
import { DAY_MS, HOUR_MS } from "../../../platform/time.ts";
import { readLimitsHistory } from "../context/limits-history.ts";
import type { LiveSample } from "../contract.ts";
import { applyCorrections, type CorrectedSample, isPersonKey, toLiveSample, toMeasuredSample } from "../snapshot.ts";
import { listArchivedBlocks } from "./archive.ts";
import { type ArchiveFile, type LocatedSample, toPossibleRange } from "./block-rows.ts";
import { downsample } from "./buckets.ts";
import { type Rollup, rollUpByHour } from "./rollup.ts";
import type { Store } from "./store.ts";

/** A page reads at most so many windows, and ends after so much work: 600,000 samples, 32,000 rows or one archive file. */
const MAX_WINDOWS = 64;
const MAX_PAGE_WORK = 2 * 1024 * 1024;
/** After a window with more work than this, windows grow no further, and other calls of the object have their turn. */
const MAX_SMALL_WINDOW_WORK = 64 * 1024;
/** A window with more work than this is given up and read in smaller ones. Of an hour there is a limit of stored samples. */
const MAX_WINDOW_WORK = 512 * 1024;
const MIN_WINDOW_MS = HOUR_MS;
/** Blocks younger than HOT_RETENTION_MS (archive.ts) are in the object, with all that they received. */
const MAX_RECEIVED_AGE_MS = 30 * DAY_MS;
/** Samples that a window holds beside those of the page. */
const MAX_HELD_SAMPLES = 4_000;

/** Position in a list: newest first; for equal times the last received first. */
export type SamplePosition = { at: number; block: number; index: number };
export type HistoryQuery = {
  /** LOINC; null for all. */
  codes: string[] | null;
  from: number;
  /** Exclusive. */
  to: number;
  limit: number;
  /** The last position of the previous page. */
  after: SamplePosition | null;
  /** Of the sample: as stored, with its corrections. */
  filter?: SampleFilter;
  order?: HistoryOrder;
};
export type SampleFilter = {
  /** The sender as stored: a device, or a person by `toPersonKey`. */
  by?: string | undefined;
  source?: "device" | "person" | undefined;
  statuses?: LiveSample["status"][] | undefined;
  min?: number | undefined;
  max?: number | undefined;
};
/** By time of measurement, or of receipt by this service: then only what was received in the last 30 days, which is all here. */
export type HistoryOrder = { by: "effective_at" | "received_at"; ascending: boolean };
const NEWEST_FIRST: HistoryOrder = { by: "effective_at", ascending: false };
/** `next`: null at the end of the range. A page may have fewer samples than `limit` although more follow. */
export type HistoryPage = { samples: LiveSample[]; next: SamplePosition | null };
export type BucketQuery = { codes: string[] | null; from: number; to: number; buckets: number };
/** Archive files that a call has fetched, by name. */
type FetchedFiles = Map<string, Uint8Array<ArrayBuffer>>;
type Source = { env: Env; store: Store; patientId: string; now: number };

async function fetchArchive({ env, patientId }: Source, { file, size }: ArchiveFile): Promise<Uint8Array<ArrayBuffer>> {
  const keys = await getVerifiedKeys(env);
  return readFile(env.FILES, keys.fields, file, `vitals:${patientId}`, size);
}

/** The samples of one block with their corrections applied. */
export function correctBlock({ documents }: Store, block: readonly LocatedSample[]): CorrectedSample[] {
  const [first] = block;
  return first ? applyCorrections(block, documents.corrections(first.block)) : [];
}

/** Fetches the archive files of a range. @returns a generator of corrected samples, block by block */
async function loadBlocks(
  source: Source,
  from: number,
  to: number,
  fetched: FetchedFiles = new Map(),
): Promise<() => Generator<CorrectedSample[]>> {
  const { store, now } = source;
  const archives = store.rows.findArchives(from, to);
  for (const archive of archives) {
    if (!fetched.has(archive.file)) fetched.set(archive.file, await fetchArchive(source, archive));
  }
  // Blocks that moved to the archive during the fetch would be missing from both.
  if (store.rows.findArchives(from, to).length !== archives.length) return loadBlocks(source, from, to, fetched);
  return function* (): Generator<CorrectedSample[]> {
    for (const { file } of archives) {
      for (const { id, data } of listArchivedBlocks(fetched.get(file) ?? new Uint8Array())) {
        const possible = toPossibleRange(id);
        if (possible.from < to && possible.to >= from) yield correctBlock(store, store.rows.decodeRange(id, data, from, to));
      }
    }
    for (const block of store.readRange(from, to, now)) yield correctBlock(store, block);
  };
}

const matchesCodes = (codes: readonly string[] | null) => (sample: CorrectedSample) =>
  codes === null || codes.includes(sample.code);

function rollUpHour(blocks: Iterable<readonly CorrectedSample[]>, hour: number): Record<string, Rollup> {
  function* samples() {
    for (const block of blocks) yield* block.map(toMeasuredSample);
  }
  return Object.fromEntries(rollUpByHour(samples()).get(hour) ?? []);
}

/** The rollups of one hour by code, counted block by block: an hour's samples together could exceed the memory of the object. */
export async function readHour(
  env: Env,
  store: Store,
  patientId: string,
  hour: number,
  now: number,
): Promise<Record<string, Rollup>> {
  const blocks = await loadBlocks({ env, store, patientId, now }, hour * HOUR_MS, (hour + 1) * HOUR_MS);
  return rollUpHour(blocks(), hour);
}

/** The rollups of an open hour, whose samples are all in this object. */
export function readOpenHour(store: Store, hour: number, now: number): Record<string, Rollup> {
  const blocks = store.readRange(hour * HOUR_MS, (hour + 1) * HOUR_MS, now);
  return rollUpHour(
    blocks.map((block) => correctBlock(store, block)),
    hour,
  );
}

/** An archived sample, searched file by file among those whose time range can contain its block. Null when there is none. */
export async function findArchivedSample(
  env: Env,
  store: Store,
  patientId: string,
  place: { block: number; index: number },
  now: number,
): Promise<CorrectedSample | null> {
  const { from, to } = toPossibleRange(place.block);
  for (const archive of store.rows.findArchives(from, to)) {
    for (const { id, data } of listArchivedBlocks(await fetchArchive({ env, store, patientId, now }, archive))) {
      const sample = id === place.block ? store.rows.decode(data)[place.index] : undefined;
      if (sample) return correctBlock(store, [{ ...sample, block: id }])[0] ?? null;
    }
  }
  return null;
}

const comparePositions = (a: SamplePosition, b: SamplePosition) =>
  b.at - a.at || Math.abs(b.block) - Math.abs(a.block) || b.index - a.index;

function matchesFilter({ by, source, statuses, min, max }: SampleFilter) {
  return ({ device, status, value }: CorrectedSample) =>
    (by === undefined || device === by) &&
    (source === undefined || isPersonKey(device) === (source === "person")) &&
    (statuses === undefined || statuses.includes(status)) &&
    (min === undefined || value >= min) &&
    (max === undefined || value <= max);
}

/** One of the times by which samples are listed. `nearest`: a bound of the nearest stored sample on that side of a time, or null. */
type Timeline = {
  timeOf: (sample: CorrectedSample) => number;
  load: (from: number, to: number, fetched: FetchedFiles) => Promise<() => Generator<CorrectedSample[]>>;
  nearest: (time: number, isBefore: boolean) => number | null;
  from: number;
  to: number;
  isWithin: (sample: CorrectedSample) => boolean;
};

function timelineOf(source: Source, { from, to }: HistoryQuery, { by }: HistoryOrder): Timeline {
  const { store, now } = source;
  if (by === "effective_at") {
    const nearest = (time: number, isBefore: boolean) =>
      isBefore ? store.newestSampleBefore(time, now) : store.oldestSampleFrom(time, now);
    const load = (start: number, end: number, fetched: FetchedFiles) => loadBlocks(source, start, end, fetched);
    return { timeOf: ({ at }) => at, load, nearest, from, to, isWithin: () => true };
  }
  function* received(start: number, end: number) {
    for (const block of store.readReceived(start, end, now)) yield correctBlock(store, block);
  }
  return {
    timeOf: (sample) => sample.received,
    load: async (start, end) => () => received(start, end),
    nearest: (time, isBefore) => store.nearestReceived(time, isBefore, now),
    ...{ from: now - MAX_RECEIVED_AGE_MS, to: now + 1 },
    isWithin: ({ at }) => at >= from && at < to,
  };
}

type Window = {
  from: number;
  to: number;
  isWanted: (sample: CorrectedSample) => boolean;
  compare: (a: CorrectedSample, b: CorrectedSample) => number;
  limit: number;
  maxWork: number;
};

/** The first samples of a window, in any order; null when it takes more than `maxWork`. Holds a bounded number of samples. */
async function readWindow(
  { store: { rows } }: Source,
  timeline: Timeline,
  window: Window,
  fetched: FetchedFiles,
): Promise<CorrectedSample[] | null> {
  const { from, to, isWanted, compare, limit, maxWork } = window;
  const blocks = await timeline.load(from, to, fetched);
  const before = rows.work;
  let found: CorrectedSample[] = [];
  for (const block of blocks()) {
    if (rows.work - before > maxWork) return null;
    for (const sample of block) if (isWanted(sample)) found.push(sample);
    if (found.length > 4 * limit + MAX_HELD_SAMPLES) found = found.sort(compare).slice(0, limit);
  }
  return found;
}

/**
 * A page of samples, newest first unless the query says otherwise. Reads on in growing windows from one stored sample to the next, so that the work depends on
 * what is stored and never on the range that is asked for.
 */
export async function readHistory(
  env: Env,
  store: Store,
  patientId: string,
  query: HistoryQuery,
  now: number,
): Promise<HistoryPage> {
  const { codes, limit, after, filter = {}, order = NEWEST_FIRST } = query;
  const { ascending } = order;
  const source = { env, store, patientId, now };
  const timeline = timelineOf(source, query, order);
  const fetched: FetchedFiles = new Map();
  const workDone = () => store.rows.work + [...fetched.values()].reduce((sum, { length }) => sum + length, 0);
  const maxWork = workDone() + MAX_PAGE_WORK;
  const toPosition = (sample: CorrectedSample) => ({ at: timeline.timeOf(sample), block: sample.block, index: sample.index });
  const comparePlaces = (a: SamplePosition, b: SamplePosition) => (ascending ? comparePositions(b, a) : comparePositions(a, b));
  const compare = (a: CorrectedSample, b: CorrectedSample) => comparePlaces(toPosition(a), toPosition(b));
  const checks = [matchesCodes(codes), matchesFilter(filter), timeline.isWithin];
  const isWanted = (sample: CorrectedSample) =>
    checks.every((check) => check(sample)) && (after === null || comparePlaces(after, toPosition(sample)) < 0);
  let found: CorrectedSample[] = [];
  // What is still to be read; its end towards which it is read does not move.
  let from = ascending && after !== null ? Math.max(timeline.from, after.at) : timeline.from;
  let to = ascending || after === null ? timeline.to : Math.min(timeline.to, after.at + 1);
  let isAtEnd = false;
  // The first window has the smallest size and is always read to its end, so that each page goes on.
  for (let step = MIN_WINDOW_MS, windows = 0; found.length <= limit && windows < MAX_WINDOWS && workDone() < maxWork; windows++) {
    const nearest = timeline.nearest(ascending ? from : to, !ascending);
    isAtEnd = nearest === null || to <= from || (ascending ? nearest >= to : nearest < from);
    if (nearest === null || isAtEnd) break;
    if (ascending) from = Math.max(from, nearest);
    else to = Math.min(to, nearest + 1);
    const range = ascending ? { from, to: Math.min(to, from + step) } : { from: Math.max(from, to - step), to };
    const before = workDone();
    const isSmallest = step <= MIN_WINDOW_MS;
    const bounds = { limit: limit + 1, maxWork: isSmallest ? Number.POSITIVE_INFINITY : MAX_WINDOW_WORK };
    const newSamples = await readWindow(source, timeline, { ...range, ...bounds, isWanted, compare }, fetched);
    if (newSamples === null) {
      step = Math.max(MIN_WINDOW_MS, step / 4);
      await scheduler.wait(0);
      continue;
    }
    found = found.concat(newSamples);
    if (workDone() - before > MAX_SMALL_WINDOW_WORK) await scheduler.wait(0);
    else step = Math.min(step * 4, DAY_MS);
    if (ascending) from = range.to;
    else to = range.from;
  }
  const sorted = found.sort(compare);
  const page = sorted.slice(0, limit);
  const last = sorted.length > limit ? page.at(-1) : null;
  // No stored sample has the position of a page that ended early: it stands between what was read and what follows.
  const end = isAtEnd ? null : { at: ascending ? from : to, block: 0, index: 0 };
  const next = last ? toPosition(last) : end;
  return { samples: page.map((sample) => toLiveSample(patientId, sample)), next };
}

export async function readBuckets(env: Env, store: Store, patientId: string, query: BucketQuery, now: number) {
  const { codes, from, to, buckets } = query;
  const blocks = await loadBlocks({ env, store, patientId, now }, from, to);
  function* samples() {
    for (const block of blocks()) yield* block.filter(matchesCodes(codes)).map(toMeasuredSample);
  }
  return { buckets: downsample(samples(), { from, to, buckets }), limits: readLimitsHistory(store, query) };
}
