// The metrics of a report, kept byte for byte as sent: a doubtful value is flagged, and never a reason to refuse the report.
import { parseJson } from "../../http/request-body.ts";
import { flagMetrics, isBlankMetric, type MetricFlags } from "./metric-flags.ts";
import { METRIC_RANGES, type ReportKind } from "./metric-ranges.ts";

export const MAX_METRICS_BYTES = 64 * 1024;
const MAX_BLANK_BYTES = 40;

/** `values` is null for text that is no JSON object: then the text is all there is. `heartRate` is in beats per minute. */
export type ParsedMetrics = {
  bytes: Uint8Array<ArrayBuffer>;
  values: Record<string, unknown> | null;
  heartRate: number | null;
};

/** Null for a blank in place of metrics: empty text, null, "--". */
export function parseMetrics(kind: ReportKind, bytes: Uint8Array): ParsedMetrics | null {
  if (bytes.length <= MAX_BLANK_BYTES && isBlankMetric(new TextDecoder().decode(bytes))) return null;
  const values = readMetrics(bytes);
  return { bytes: new Uint8Array(bytes), values, heartRate: findHeartRate(kind, values) };
}

/** The object that the text of metrics contains; null if it contains none. */
export function readMetrics(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value = parseJson(bytes);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The rate that lists show and filter by: a number in its range, or null. */
export function findHeartRate(kind: ReportKind, values: Record<string, unknown> | null): number | null {
  for (const name of ["heart_rate", "pulse_rate"]) {
    const value = values && Object.hasOwn(values, name) ? values[name] : undefined;
    const range = METRIC_RANGES[kind][name] ?? METRIC_RANGES.ecg["heart_rate"];
    if (typeof value === "number" && range && value >= range.min && value <= range.max) return value;
  }
  return null;
}

/** Metrics as responses show them: the values as sent, or the text that contains none, with what is doubtful about them. */
export function describeMetrics(kind: ReportKind, bytes: Uint8Array): MetricsView {
  const metrics = readMetrics(bytes);
  return { metrics, metrics_text: metrics ? null : new TextDecoder().decode(bytes), ...flagMetrics(kind, metrics) };
}

export type MetricsView = { metrics: Record<string, unknown> | null; metrics_text: string | null } & MetricFlags;
export const NO_METRICS: MetricsView = { metrics: null, metrics_text: null, metric_flags: [], metric_flags_omitted: 0 };
