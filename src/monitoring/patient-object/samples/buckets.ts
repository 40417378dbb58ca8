// Fewer points for a chart: each bucket of time keeps its extremes, so that no peak is lost.
import { computeMean, type MeasuredSample, type Rollup, rollUpBy } from "./rollup.ts";

/** `from` belongs to it, `to` does not; epoch milliseconds. Values in the unit of the code. */
export type Bucket = { code: string; from: number; to: number; mean: number; n: number } & Pick<Rollup, "min" | "max" | "last">;

/**
 * Final samples from `from` and before `to`, in `buckets` equal parts of that time (to the millisecond), by code and then time.
 * Parts without a sample are left out. Throws RangeError unless there is at least one part and all three are whole numbers.
 */
export function downsample(
  samples: Iterable<MeasuredSample>,
  { from, to, buckets }: { from: number; to: number; buckets: number },
): Bucket[] {
  if (buckets < 1 || ![from, to, buckets].every(Number.isSafeInteger)) throw new RangeError("buckets are whole and at least one");
  const span = to - from;
  const groups = rollUpBy(samples, ({ at }) => (at >= from && at < to ? Math.floor(((at - from) * buckets) / span) : null));
  // Rounded up, an edge is the first whole millisecond of its part: the sample there and the division above agree.
  const toEdge = (part: number) => from + Math.ceil((part * span) / buckets);
  return [...groups]
    .flatMap(([part, codes]) =>
      [...codes].map(([code, rollup]) => {
        const { count: n, min, max, last } = rollup;
        return { code, from: toEdge(part), to: toEdge(part + 1), n, min, max, mean: computeMean(rollup), last };
      }),
    )
    .sort((a, b) => (a.code === b.code ? a.from - b.from : a.code < b.code ? -1 : 1));
}
