// Text description of a chart for screen readers.
import { formatDateTime, formatNumber, formatShortTime } from "../../platform/design/format.ts";
import { t, translateCode } from "../../platform/messages/translate.ts";
import { type Chart, formatUcumUnit, getConsciousnessLetter } from "./chart-catalogue.ts";
import type { Gap, Point } from "./chart-series.ts";
import { type LimitStep, limitsAt } from "./limit-steps.ts";
import type { TimeWindow } from "./time-window.ts";

/** The latest sample of each point instead of its mean. */
export const toLastValues = (points: readonly (Point | null | undefined)[]) =>
  points.map((point) => point && { ...point, mean: point.last });

/** "121", "121/80" for two lines, a letter for consciousness; missing values are named. */
export function formatPoints({ id, decimals }: Chart, points: readonly (Point | null | undefined)[]): string {
  if (points.every((point) => !point)) return t("vitals.no_data");
  return points
    .map((point) => (point ? (getConsciousnessLetter(id, point.mean) ?? formatNumber(point.mean, decimals)) : "–"))
    .join("/");
}

type ChartDescription = {
  chart: Chart;
  unit: string;
  zone: string | undefined;
  window: TimeWindow;
  lines: readonly (readonly Point[])[];
  gaps: readonly Gap[];
  limits: readonly LimitStep[];
};

export function describeChart({ chart, unit, zone, window, lines, gaps, limits }: ChartDescription): string {
  const params = {
    vital: translateCode("vital", chart.id),
    from: formatDateTime(window.from, zone),
    to: formatDateTime(window.to, zone),
  };
  const points = lines.flat();
  const last = lines[0]?.at(-1);
  if (!last) return t("vitals.figure_empty", params);
  const formatValue = (value: number) => formatNumber(value, chart.decimals);
  const min = points.reduce((least, point) => Math.min(least, point.min), last.min);
  const max = points.reduce((most, point) => Math.max(most, point.max), last.max);
  const lastPoints = lines.map((line) => line.at(-1));
  return [
    t("vitals.figure", params),
    t("vitals.figure_range", { min: formatValue(min), max: formatValue(max), unit: formatUcumUnit(unit) }),
    t("vitals.figure_last", { value: formatPoints(chart, toLastValues(lastPoints)), at: formatShortTime(last.lastAt, zone) }),
    ...describeBreach(last.last, limitsAt(limits, last.lastAt), formatValue),
    ...listLimitChanges(limits, window).map((at) => t("vitals.figure_moved", { at: formatDateTime(at, zone) })),
    ...(gaps.length > 0 ? [t("vitals.figure_gaps", { n: gaps.length })] : []),
  ].join("; ");
}

/** A value equal to the limit counts as beyond it, as in the alarm rules. */
function describeBreach(value: number, limits: LimitStep | undefined, formatValue: (value: number) => string): string[] {
  if (!limits) return [];
  const { low, high } = limits;
  if (high !== null && value >= high) return [t("vitals.figure_above", { limit: formatValue(high) })];
  if (low !== null && value <= low) return [t("vitals.figure_below", { limit: formatValue(low) })];
  return [t("vitals.figure_within")];
}

/** The last change of limits inside the window, if any. */
function listLimitChanges(limits: readonly LimitStep[], { from, to }: TimeWindow): number[] {
  const last = limits.slice(1).findLast((step) => step.from > from && step.from <= to);
  return last ? [last.from] : [];
}
