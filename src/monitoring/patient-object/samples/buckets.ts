// Downsampling for charts: each bucket keeps its extremes, so that no peak is lost.
import { computeMean, type MeasuredSample, type Rollup, rollUpBy } from "./rollup.ts";

/** `from` ≤ time < `to`, epoch milliseconds. Values are in the unit of the code. */
export type Bucket = { code: string; from: number; to: number; mean: number; n: number } & Pick<
  Rollup,
  "min" | "max" | "last" | "last_at"
>;

/**
 * Final samples with `from` ≤ time < `to` in `buckets` equal parts of that range (to the millisecond), by code and then time.
 * Parts without a sample are omitted. @throws RangeError unless all three are whole numbers and `buckets` is at least one
 */
export function downsample(
  samples: Iterable<MeasuredSample>,
  { from, to, buckets }: { from: number; to: number; buckets: number },
): Bucket[] {
  if (buckets < 1 || ![from, to, buckets].every(Number.isSafeInteger))
    throw new RangeError("from, to and buckets must be whole numbers, and buckets at least one");
  const span = to - from;
  const groups = rollUpBy(samples, ({ at }) => (at >= from && at < to ? Math.floor(((at - from) * buckets) / span) : null));
  // Rounded up, an edge is the first whole millisecond of its part, in agreement with the division above.
  const toEdge = (part: number) => from + Math.ceil((part * span) / buckets);
  return [...groups]
    .flatMap(([part, codes]) =>
      [...codes].map(([code, rollup]) => {
        const { count: n, min, max, last, last_at } = rollup;
        return { code, from: toEdge(part), to: toEdge(part + 1), n, min, max, mean: computeMean(rollup), last, last_at };
      }),
    )
    .sort((a, b) => (a.code === b.code ? a.from - b.from : a.code < b.code ? -1 : 1));
}
