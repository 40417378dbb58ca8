// Rate-corrected QT intervals, computed from the intervals that came with a report. They stand beside those of the machine.
import { METRIC_RANGES } from "../upload/metric-ranges.ts";

export const QTC_LABEL = "computed from supplied intervals" as const;
/** A machine's QTc that is further from the computed one, in ms, is flagged. */
export const MAX_QTC_DIFFERENCE_MS = 10;

export type ComputedQtc = {
  label: typeof QTC_LABEL;
  qt_interval_ms: number;
  rr_interval_ms: number;
  rr_source: "rr_interval_ms" | "heart_rate";
  bazett_ms: number;
  fridericia_ms: number;
  /** Names of the machine's metrics that differ by more than 10 ms. */
  differing: string[];
};

/**
 * QT corrected to a rate of 60/min, in whole ms, from QT in ms and RR in s:
 * Bazett QT / RR^(1/2) (Heart 1920;7:353-370), Fridericia QT / RR^(1/3) (Acta Med Scand 1920;53:469-486).
 * AHA/ACCF/HRS 2009, part IV (Circulation 119:e241-e250): a report names the formula; no correction where RR varies much.
 */
function correctQt(qtMs: number, rrMs: number): { bazett_ms: number; fridericia_ms: number } {
  const rr = rrMs / 1000;
  return { bazett_ms: Math.round(qtMs / Math.sqrt(rr)), fridericia_ms: Math.round(qtMs / Math.cbrt(rr)) };
}

/**
 * The values from the QT interval and the RR interval of a report, or its heart rate (per minute), with the machine's values that
 * differ; of one that names no formula, from both. Null without both inputs. No interpretation.
 */
export function computeQtc(metrics: Record<string, unknown> | null): ComputedQtc | null {
  const read = (name: keyof typeof METRIC_RANGES.ecg) => readMetric(metrics?.[name], METRIC_RANGES.ecg[name]?.max ?? 0);
  const [qt, rr, rate] = [read("qt_interval_ms"), read("rr_interval_ms"), read("heart_rate")];
  const rrMs = rr ?? (rate === null ? null : 60_000 / rate);
  if (qt === null || rrMs === null) return null;
  const computed = correctQt(qt, rrMs);
  const differs = (name: string, values: number[]) => {
    const machine = read(name);
    return machine !== null && values.every((value) => Math.abs(machine - value) > MAX_QTC_DIFFERENCE_MS) ? [name] : [];
  };
  return {
    label: QTC_LABEL,
    qt_interval_ms: qt,
    rr_interval_ms: Math.round(rrMs),
    rr_source: rr === null ? "heart_rate" : "rr_interval_ms",
    ...computed,
    differing: [
      ...differs("qtc_bazett_ms", [computed.bazett_ms]),
      ...differs("qtc_fridericia_ms", [computed.fridericia_ms]),
      ...differs("qtc_interval_ms", [computed.bazett_ms, computed.fridericia_ms]),
    ],
  };
}

/** A number above 0 and at most `max`: machines send 0 for what they could not measure. */
const readMetric = (value: unknown, max: number): number | null =>
  typeof value === "number" && value > 0 && value <= max ? value : null;
