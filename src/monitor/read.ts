// Samples of a range of time, from the object's blocks and from the archive alike, with their corrections.
import { readyKeys } from "../config.ts";
import { DAY_MS } from "../counters.ts";
import { readFile } from "../files.ts";
import { HOT_MS, unpackArchive } from "./archive.ts";
import { downsample } from "./buckets.ts";
import type { LiveSample } from "./contract.ts";
import { limitsKnown } from "./limits-over.ts";
import { HOUR_MS } from "./memory.ts";
import type { Store } from "./store.ts";
import { corrected, counted, type Shown, toLive } from "./view.ts";

const WEEK_MS = 7 * DAY_MS;

/** The order of lists: newest first; of one time, what came last first. */
export type Position = { at: number; block: number; index: number };
export type HistoryQuery = {
  /** LOINC; null for all. */
  codes: string[] | null;
  from: number;
  /** Exclusive. */
  to: number;
  limit: number;
  /** After this one in the list. */
  after: Position | null;
};
export type History = { samples: LiveSample[]; next: Position | null };
export type BucketQuery = { codes: string[] | null; from: number; to: number; buckets: number };

/** Blocks of a range with their corrections, one at a time; the archive's files are fetched first. */
async function blocksBetween(
  env: Env,
  store: Store,
  patientId: string,
  from: number,
  to: number,
  now: number,
): Promise<() => Generator<Shown[]>> {
  const archives = store.archives(from, to);
  const keys = archives.length > 0 ? await readyKeys(env) : null;
  const files: Uint8Array<ArrayBuffer>[] = [];
  for (const { file, size } of archives) {
    if (keys) files.push(await readFile(env.FILES, keys.fields, file, `vitals:${patientId}`, size));
  }
  // What moved to the archive while its files were read would be in neither.
  if (store.archives(from, to).length !== archives.length) return blocksBetween(env, store, patientId, from, to, now);
  return function* (): Generator<Shown[]> {
    const corrections = store.documents.corrections();
    for (const file of files) {
      for (const block of unpackArchive(file)) {
        yield corrected(
          block.filter(({ at }) => at >= from && at < to),
          corrections,
        );
      }
    }
    for (const block of store.between(from, to, now)) yield corrected(block, corrections);
  };
}

const isOf = (codes: readonly string[] | null) => (s: Shown) => codes === null || codes.includes(s.code);

export async function readBetween(
  env: Env,
  store: Store,
  patientId: string,
  { codes = null, from, to }: { codes?: readonly string[] | null; from: number; to: number },
  now: number,
): Promise<Shown[]> {
  const blocks = await blocksBetween(env, store, patientId, from, to, now);
  const found: Shown[] = [];
  for (const block of blocks()) for (const sample of block.filter(isOf(codes))) found.push(sample);
  return found;
}

const before = (a: Position, b: Position) => b.at - a.at || Math.abs(b.block) - Math.abs(a.block) || b.index - a.index;

/** Newest first. Looks back in growing steps until there is enough. */
export async function readHistory(env: Env, store: Store, patientId: string, query: HistoryQuery, now: number): Promise<History> {
  const { codes, limit, after } = query;
  const oldest = Math.max(query.from, store.oldest() ?? query.to);
  const wanted = (s: Shown) => after === null || before(after, s) < 0;
  let to = Math.min(query.to, after === null ? query.to : after.at + 1);
  const found: Shown[] = [];
  for (
    let step = HOUR_MS;
    to > oldest && found.length <= limit;
    step = Math.min(step * 4, to > now - HOT_MS ? DAY_MS : WEEK_MS)
  ) {
    const from = Math.max(oldest, to - step);
    found.push(...(await readBetween(env, store, patientId, { codes, from, to }, now)).filter(wanted));
    to = from;
  }
  const sorted = found.sort(before);
  const page = sorted.slice(0, limit);
  const last = page.at(-1);
  const next = sorted.length > limit && last ? { at: last.at, block: last.block, index: last.index } : null;
  return { samples: page.map((sample) => toLive(patientId, sample)), next };
}

export async function readBuckets(env: Env, store: Store, patientId: string, query: BucketQuery, now: number) {
  const { codes, from, to, buckets } = query;
  const blocks = await blocksBetween(env, store, patientId, from, to, now);
  function* samples() {
    for (const block of blocks()) yield* block.filter(isOf(codes)).map(counted);
  }
  return { buckets: downsample(samples(), { from, to, buckets }), limits: limitsKnown(store, query) };
}
