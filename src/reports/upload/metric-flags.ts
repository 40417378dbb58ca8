// What is doubtful about the metrics of a report. Imports no code but the ranges: the portal uses it too.
import { METRIC_RANGES, type ReportKind } from "./metric-ranges.ts";

/**
 * `not_measured`: null, or a blank that devices print in place of a value. `out_of_range`: outside the plausible range.
 * `not_a_number`: text, such as "118 bpm", or another type. `not_text`: an interpretation that is no text.
 * `unknown`: a name that EdgeCare does not know for this kind of report.
 */
export const METRIC_FLAG_CODES = ["not_measured", "out_of_range", "not_a_number", "not_text", "unknown"] as const;
export type MetricFlag = { name: string; code: (typeof METRIC_FLAG_CODES)[number] };
/** `metric_flags_omitted`: flags beyond the first hundred. */
export type MetricFlags = { metric_flags: MetricFlag[]; metric_flags_omitted: number };

export const MAX_METRIC_FLAGS = 100;

/** Words that stand for "not measured" in exports of devices, in lower case. */
export const BLANK_WORDS: readonly string[] = [
  "n/a",
  "n.a.",
  "na",
  "n/m",
  "nm",
  "n/d",
  "nd",
  "nan",
  "null",
  "nil",
  "none",
  "nil.",
  "not measured",
  "not available",
  "not applicable",
  "unavailable",
  "unknown",
  "undefined",
  "#n/a",
];
/** Marks that are printed once or repeated: "-", "--", "– –", "***", "???", "...", "___", "###". */
const BLANK_MARKS = /^(?:-+|[–—−]+|\*+|\?+|\.+|_+|#+|\/+|[.-]+)$/;

/** Whether a value means that nothing was measured. */
export function isBlankMetric(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value !== "string") return false;
  const text = value.replace(/[\s\u200b-\u200f\u2060\ufeff]+/gu, " ").trim();
  return text === "" || BLANK_WORDS.includes(text.toLowerCase()) || BLANK_MARKS.test(text.replaceAll(" ", ""));
}

export function flagMetrics(kind: ReportKind, metrics: Record<string, unknown> | null): MetricFlags {
  const ranges = METRIC_RANGES[kind];
  const flags = Object.entries(metrics ?? {}).flatMap(([name, value]): MetricFlag[] => {
    const code = flagMetric(ranges, kind, name, value);
    return code === null ? [] : [{ name, code }];
  });
  // Names that EdgeCare knows come first: their flags are the ones that must not be left out.
  const isKnown = ({ name }: MetricFlag) => Object.hasOwn(ranges, name);
  const sorted = [...flags.filter(isKnown), ...flags.filter((flag) => !isKnown(flag))];
  return { metric_flags: sorted.slice(0, MAX_METRIC_FLAGS), metric_flags_omitted: Math.max(0, flags.length - MAX_METRIC_FLAGS) };
}

function flagMetric(
  ranges: (typeof METRIC_RANGES)[ReportKind],
  kind: ReportKind,
  name: string,
  value: unknown,
): MetricFlag["code"] | null {
  if (isBlankMetric(value)) return "not_measured";
  const range = Object.hasOwn(ranges, name) ? ranges[name] : undefined;
  if (name === "interpretation" && kind === "ecg") return typeof value === "string" ? null : "not_text";
  if (!range) return "unknown";
  if (typeof value !== "number") return "not_a_number";
  return value >= range.min && value <= range.max ? null : "out_of_range";
}
