// Measurements of a report for display: ordered by report kind, with units and validity.
import { isBlankMetric } from "../../../src/reports/upload/metric-flags.ts";
import { METRIC_RANGES, type MetricRange } from "../../../src/reports/upload/metric-ranges.ts";
import type { Kind } from "./report-kinds.ts";

/** Metrics that may be entered for a kind of report, in the order in which devices print them. */
export const listMetricFields = (kind: Kind): readonly string[] => Object.keys(METRIC_RANGES[kind]);

/** Reports may carry metrics of other kinds; a name means the same in all of them. */
const MEASURES_BY_KEY: ReadonlyMap<string, MetricRange> = new Map(
  Object.values(METRIC_RANGES).flatMap((measures) => Object.entries(measures)),
);
export const findMeasure = (key: string): MetricRange | undefined => MEASURES_BY_KEY.get(key);

export function isPlausible(key: string, value: number): boolean {
  const measure = findMeasure(key);
  return measure === undefined || (value >= measure.min && value <= measure.max);
}

/** One measurement of a report. Invalid values are shown and marked; null: not measured. */
export type MetricReading = { key: string; value: string | number | null; unit: string | null; valid: boolean };

export function toMetricReadings(kind: Kind, metrics: Record<string, unknown>): MetricReading[] {
  const order = listMetricFields(kind);
  const orderIndex = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  return Object.entries(metrics)
    .map(([key, value]) => toMetricReading(key, value))
    .sort((a, b) => orderIndex(a.key) - orderIndex(b.key));
}

function toMetricReading(key: string, value: unknown): MetricReading {
  const unit = findMeasure(key)?.unit ?? null;
  if (isBlankMetric(value)) return { key, value: null, unit, valid: true };
  if (typeof value === "number") return { key, value, unit, valid: isPlausible(key, value) };
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return { key, value: text, unit, valid: findMeasure(key) === undefined };
}
