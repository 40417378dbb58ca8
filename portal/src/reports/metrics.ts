// What came with a report, as it is shown: in the order of its kind, with units, and with what cannot be marked.
import { METRIC_RANGES, type MetricRange } from "../../../src/reports/upload/metric-ranges.ts";
import type { Kind } from "./report-kinds.ts";

/** Numbers that a person may enter for a report of this kind, in the order in which machines print them. */
export const listMetricFields = (kind: Kind): readonly string[] => Object.keys(METRIC_RANGES[kind]);

/** Reports carry numbers of other kinds too: a name means the same in all of them. */
const MEASURES_BY_KEY: ReadonlyMap<string, MetricRange> = new Map(
  Object.values(METRIC_RANGES).flatMap((measures) => Object.entries(measures)),
);
export const findMeasure = (key: string): MetricRange | undefined => MEASURES_BY_KEY.get(key);

export function isPlausible(key: string, value: number): boolean {
  const measure = findMeasure(key);
  return measure === undefined || (value >= measure.min && value <= measure.max);
}

/** One line of what came with a report. An invalid one is shown, and marked. */
export type MetricReading = { key: string; value: string | number; unit: string | null; valid: boolean };

export function toMetricReadings(kind: Kind, metrics: Record<string, unknown>): MetricReading[] {
  const order = listMetricFields(kind);
  const orderIndex = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  return Object.entries(metrics)
    .map(([key, value]) => toMetricReading(key, value))
    .sort((a, b) => orderIndex(a.key) - orderIndex(b.key));
}

function toMetricReading(key: string, value: unknown): MetricReading {
  const unit = findMeasure(key)?.unit ?? null;
  if (typeof value === "number") return { key, value, unit, valid: isPlausible(key, value) };
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return { key, value: text, unit, valid: findMeasure(key) === undefined };
}
