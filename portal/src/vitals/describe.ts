// What a chart shows, in words: for those who do not see it.
import { dateTime, number, shortClock } from "../design/time.ts";
import { say, sayOf } from "../messages/index.ts";
import { type Chart, letterOf, unitText } from "./charted.ts";
import { type LimitStep, limitsAt } from "./limit-steps.ts";
import type { Window } from "./range.ts";
import type { Gap, Point } from "./series.ts";

/** "121", "121/80" of two lines, a letter of consciousness; what is not there is said. */
export function valueText({ id, decimals }: Chart, points: readonly (Point | null | undefined)[]): string {
  if (points.every((point) => !point)) return say("vitals.no_data");
  return points.map((point) => (point ? (letterOf(id, point.mean) ?? number(point.mean, decimals)) : "–")).join("/");
}

type Described = {
  chart: Chart;
  unit: string;
  zone: string | undefined;
  window: Window;
  lines: readonly (readonly Point[])[];
  gaps: readonly Gap[];
  limits: readonly LimitStep[];
};

export function describe({ chart, unit, zone, window, lines, gaps, limits }: Described): string {
  const named = { vital: sayOf("vital", chart.id), from: dateTime(window.from, zone), to: dateTime(window.to, zone) };
  const points = lines.flat();
  const last = lines[0]?.at(-1);
  if (!last) return say("vitals.figure_empty", named);
  const text = (value: number) => number(value, chart.decimals);
  const min = points.reduce((least, point) => Math.min(least, point.min), last.min);
  const max = points.reduce((most, point) => Math.max(most, point.max), last.max);
  const lasts = lines.map((line) => line.at(-1));
  return [
    say("vitals.figure", named),
    say("vitals.figure_range", { min: text(min), max: text(max), unit: unitText(unit) }),
    say("vitals.figure_last", { value: valueText(chart, lasts), at: shortClock(last.at, zone) }),
    ...breach(last.mean, limitsAt(limits, last.at), text),
    ...moved(limits, window).map((at) => say("vitals.figure_moved", { at: dateTime(at, zone) })),
    ...(gaps.length > 0 ? [say("vitals.figure_gaps", { n: gaps.length })] : []),
  ].join("; ");
}

/** A limit is met at its value, as the alarms have it. */
function breach(value: number, limits: LimitStep | undefined, text: (value: number) => string): string[] {
  if (!limits) return [];
  const { low, high } = limits;
  if (high !== null && value >= high) return [say("vitals.figure_above", { limit: text(high) })];
  if (low !== null && value <= low) return [say("vitals.figure_below", { limit: text(low) })];
  return [say("vitals.figure_within")];
}

/** When the limits were moved last, if that is in sight. */
function moved(limits: readonly LimitStep[], { from, to }: Window): number[] {
  const last = limits.slice(1).findLast((step) => step.from > from && step.from <= to);
  return last ? [last.from] : [];
}
