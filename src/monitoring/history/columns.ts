// Columnar format of samples and buckets: one array of times and one of values per vital, a tenth of the size of the list.
import { z } from "@hono/zod-openapi";
import { EXAMPLES } from "../../http/router.ts";
import type { LiveSample } from "../patient-object/contract.ts";
import { exampleObservation, Observation } from "./schemas.ts";

const Times = z.array(z.int()).openapi({ description: "Epoch milliseconds" });
const cells = z.array(z.number().nullable());
const vital = {
  code: z.string().openapi({ description: "LOINC, or the device's own code", example: "8867-4" }),
  name: z.string().nullable().openapi({ description: "Short name in the catalogue; null for an unknown code" }),
};

const { code, name, unit, value, observation_id } = exampleObservation;
const at = Date.parse(EXAMPLES.time);
const lastDash = observation_id.lastIndexOf("-") + 1;
const exampleSamples = {
  times: [at],
  id_prefixes: [observation_id.slice(0, lastDash)],
  vitals: [{ code, name, unit, values: [value], ids: [[0, 0]], statuses: {} }],
};
const exampleBuckets = {
  from: [at],
  to: [at + 60_000],
  vitals: [{ code, name, unit, n: [60], min: [64], max: [88], mean: [72.5], last: [72], last_after_ms: [59_000] }],
};

export const SampleColumns = z
  .object({
    times: Times.openapi({
      description: "Epoch milliseconds, newest first; a time repeats when a vital has several samples at it",
    }),
    id_prefixes: z.array(z.string()).openapi({ description: "Prefixes of sample ids" }),
    vitals: z.array(
      z.object({
        ...vital,
        unit: z.string().openapi({ description: "UCUM" }),
        values: cells.openapi({ description: "One per time; null when the vital has no sample" }),
        ids: z
          .array(
            z
              .tuple([z.int(), z.int()])
              .nullable()
              .openapi({ type: ["array", "null"], items: { type: "integer" }, minItems: 2, maxItems: 2 }),
          )
          .openapi({
            description: "One per time: index in id_prefixes, and the number at the end of the id (base 32 there)",
          }),
        statuses: z
          .record(z.string(), Observation.shape.status)
          .openapi({ description: "By index in times; only statuses other than final" }),
      }),
    ),
  })
  .openapi("ObservationColumns", { example: exampleSamples });
export type SampleColumns = z.infer<typeof SampleColumns>;

export const BucketColumns = z
  .object({
    from: Times,
    to: Times,
    vitals: z.array(
      z.object({
        ...vital,
        unit: z.string().nullable().openapi({ description: "UCUM; null for an unknown code" }),
        n: cells.openapi({ description: "One per bucket; null when it has no sample of the vital" }),
        min: cells,
        max: cells,
        mean: cells,
        last: cells,
        last_after_ms: z
          .array(z.int().nullable())
          .openapi({ description: "Milliseconds from the start of the bucket to its last sample" }),
      }),
    ),
  })
  .openapi("ObservationBucketColumns", { example: exampleBuckets });
export type BucketColumns = z.infer<typeof BucketColumns>;

/** Samples in the order of the list, without `received_at`, `device_id` and `performer_id`. */
export function sampleColumns(samples: readonly LiveSample[]): SampleColumns {
  const times: number[] = [];
  const prefixes = new Map<string, number>();
  const vitals = new Map<string, SampleColumns["vitals"][number]>();
  for (const { observation_id, code, name, unit, value, effective_at, status } of samples) {
    const at = Date.parse(effective_at);
    const key = JSON.stringify([code, unit]);
    const column = vitals.get(key) ?? { code, name, unit, values: [], ids: [], statuses: {} };
    vitals.set(key, column);
    if (times.at(-1) !== at || column.values.length === times.length) times.push(at);
    const place = times.length - 1;
    const end = observation_id.lastIndexOf("-") + 1;
    const prefix = observation_id.slice(0, end);
    if (!prefixes.has(prefix)) prefixes.set(prefix, prefixes.size);
    pad(column.values, place);
    pad(column.ids, place);
    column.values.push(value);
    column.ids.push([prefixes.get(prefix) ?? 0, Number.parseInt(observation_id.slice(end), 32)]);
    if (status !== "final") column.statuses[place] = status;
  }
  for (const { values, ids } of vitals.values()) for (const column of [values, ids]) pad(column, times.length);
  return { times, id_prefixes: [...prefixes.keys()], vitals: [...vitals.values()] };
}

function pad(column: unknown[], length: number): void {
  while (column.length < length) column.push(null);
}

type Bucket = Omit<BucketColumns["vitals"][number], Count | "last_after_ms"> & {
  from: string;
  to: string;
  last_at: string;
} & Record<Count, number>;
type Count = "n" | "min" | "max" | "mean" | "last";

/** Buckets of all vitals, aligned to common edges. */
export function bucketColumns(buckets: readonly Bucket[]): BucketColumns {
  const edges = new Map(buckets.map(({ from, to }) => [Date.parse(from), Date.parse(to)]));
  const from = [...edges.keys()].sort((a, b) => a - b);
  const places = new Map(from.map((at, place) => [at, place]));
  const vitals = new Map<string, BucketColumns["vitals"][number]>();
  const empty = () => new Array<number | null>(from.length).fill(null);
  const emptyColumns = () => ({ n: empty(), min: empty(), max: empty(), mean: empty(), last: empty(), last_after_ms: empty() });
  for (const { code, name, unit, from: start, n, min, max, mean, last, last_at } of buckets) {
    const column = vitals.get(code) ?? { code, name, unit, ...emptyColumns() };
    vitals.set(code, column);
    const place = places.get(Date.parse(start)) ?? 0;
    column.n[place] = n;
    column.min[place] = min;
    column.max[place] = max;
    column.mean[place] = mean;
    column.last[place] = last;
    column.last_after_ms[place] = Date.parse(last_at) - Date.parse(start);
  }
  return { from, to: from.map((at) => edges.get(at) ?? at), vitals: [...vitals.values()] };
}
