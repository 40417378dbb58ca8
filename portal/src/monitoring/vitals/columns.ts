// Decodes the API's columnar format into samples and buckets.
import type { BucketColumns, SampleColumns } from "../../../../src/monitoring/history/columns.ts";

type Status = SampleColumns["vitals"][number]["statuses"][string];
/** The fields of a sample that a chart needs. */
export type ChartSample = {
  observation_id: string;
  code: string;
  name: string | null;
  unit: string;
  value: number;
  effective_at: string;
  status: Status;
};
export type Bucket = {
  code: string;
  name: string | null;
  unit: string | null;
  from: string;
  to: string;
  n: number;
  min: number;
  max: number;
  mean: number;
  last: number;
  last_at: string;
};

const iso = (at: number | undefined) => new Date(at ?? Number.NaN).toISOString();

export function samplesOf({ times, id_prefixes, vitals }: SampleColumns): ChartSample[] {
  return vitals.flatMap(({ code, name, unit, values, ids, statuses }) =>
    values.flatMap((value, place): ChartSample[] => {
      const id = ids[place];
      if (value === null || !id) return [];
      const [prefix, number] = id;
      const observation_id = `${id_prefixes[prefix] ?? ""}${number.toString(32)}`;
      const status = statuses[place] ?? "final";
      return [{ observation_id, code, name, unit, value, effective_at: iso(times[place]), status }];
    }),
  );
}

/** By vital sign, oldest first. */
export function bucketsOf({ from, to, vitals }: BucketColumns): Bucket[] {
  return vitals.flatMap(({ code, name, unit, n, min, max, mean, last, last_after_ms }) =>
    n.flatMap((count, place): Bucket[] => {
      const [least, most, middle] = [min[place] ?? null, max[place] ?? null, mean[place] ?? null];
      const [latest, latestAfterMs] = [last[place] ?? null, last_after_ms[place] ?? null];
      if (count === null || least === null || most === null || middle === null || latest === null || latestAfterMs === null)
        return [];
      const edges = { from: iso(from[place]), to: iso(to[place]) };
      const statistics = {
        n: count,
        min: least,
        max: most,
        mean: middle,
        last: latest,
        last_at: iso((from[place] ?? Number.NaN) + latestAfterMs),
      };
      return [{ code, name, unit, ...edges, ...statistics }];
    }),
  );
}
