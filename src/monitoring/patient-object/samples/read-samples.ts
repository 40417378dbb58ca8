// Reading of samples in a time range, from the object's blocks and from the archive, with corrections applied.

import { getVerifiedKeys } from "../../../platform/config.ts";
import { readFile } from "../../../platform/files.ts";
import { DAY_MS, HOUR_MS } from "../../../platform/time.ts";
import { readLimitsHistory } from "../context/limits-history.ts";
import type { LiveSample } from "../contract.ts";
import { applyCorrections, type CorrectedSample, toLiveSample, toMeasuredSample } from "../snapshot.ts";
import { HOT_RETENTION_MS, unpackArchive } from "./archive.ts";
import { downsample } from "./buckets.ts";
import type { Store } from "./store.ts";

const WEEK_MS = 7 * DAY_MS;

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
};
export type HistoryPage = { samples: LiveSample[]; next: SamplePosition | null };
export type BucketQuery = { codes: string[] | null; from: number; to: number; buckets: number };

/** Fetches the archive files of a range. @returns a generator of corrected samples, block by block */
async function loadBlocks(
  env: Env,
  store: Store,
  patientId: string,
  from: number,
  to: number,
  now: number,
): Promise<() => Generator<CorrectedSample[]>> {
  const archives = store.findArchives(from, to);
  const keys = archives.length > 0 ? await getVerifiedKeys(env) : null;
  const files: Uint8Array<ArrayBuffer>[] = [];
  for (const { file, size } of archives) {
    if (keys) files.push(await readFile(env.FILES, keys.fields, file, `vitals:${patientId}`, size));
  }
  // Blocks that moved to the archive during the fetch would be missing from both.
  if (store.findArchives(from, to).length !== archives.length) return loadBlocks(env, store, patientId, from, to, now);
  return function* (): Generator<CorrectedSample[]> {
    const corrections = store.documents.corrections();
    for (const file of files) {
      for (const block of unpackArchive(file)) {
        yield applyCorrections(
          block.filter(({ at }) => at >= from && at < to),
          corrections,
        );
      }
    }
    for (const block of store.readRange(from, to, now)) yield applyCorrections(block, corrections);
  };
}

const matchesCodes = (codes: readonly string[] | null) => (sample: CorrectedSample) =>
  codes === null || codes.includes(sample.code);

export async function readSamples(
  env: Env,
  store: Store,
  patientId: string,
  { codes = null, from, to }: { codes?: readonly string[] | null; from: number; to: number },
  now: number,
): Promise<CorrectedSample[]> {
  const blocks = await loadBlocks(env, store, patientId, from, to, now);
  const found: CorrectedSample[] = [];
  for (const block of blocks()) for (const sample of block.filter(matchesCodes(codes))) found.push(sample);
  return found;
}

const comparePositions = (a: SamplePosition, b: SamplePosition) =>
  b.at - a.at || Math.abs(b.block) - Math.abs(a.block) || b.index - a.index;

/** Newest first. Reads back in growing steps until the page is full. */
export async function readHistory(
  env: Env,
  store: Store,
  patientId: string,
  query: HistoryQuery,
  now: number,
): Promise<HistoryPage> {
  const { codes, limit, after } = query;
  const oldest = Math.max(query.from, store.oldestSampleAt() ?? query.to);
  const isAfterCursor = (sample: CorrectedSample) => after === null || comparePositions(after, sample) < 0;
  let to = Math.min(query.to, after === null ? query.to : after.at + 1);
  const found: CorrectedSample[] = [];
  for (
    let step = HOUR_MS;
    to > oldest && found.length <= limit;
    step = Math.min(step * 4, to > now - HOT_RETENTION_MS ? DAY_MS : WEEK_MS)
  ) {
    const from = Math.max(oldest, to - step);
    found.push(...(await readSamples(env, store, patientId, { codes, from, to }, now)).filter(isAfterCursor));
    to = from;
  }
  const sorted = found.sort(comparePositions);
  const page = sorted.slice(0, limit);
  const last = page.at(-1);
  const next = sorted.length > limit && last ? { at: last.at, block: last.block, index: last.index } : null;
  return { samples: page.map((sample) => toLiveSample(patientId, sample)), next };
}

export async function readBuckets(env: Env, store: Store, patientId: string, query: BucketQuery, now: number) {
  const { codes, from, to, buckets } = query;
  const blocks = await loadBlocks(env, store, patientId, from, to, now);
  function* samples() {
    for (const block of blocks()) yield* block.filter(matchesCodes(codes)).map(toMeasuredSample);
  }
  return { buckets: downsample(samples(), { from, to, buckets }), limits: readLimitsHistory(store, query) };
}
