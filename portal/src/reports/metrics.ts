// What machines measure: units, what is plausible, and which of it belongs to which kind of report (as src/reports/metrics.ts has it).
import type { Kind } from "./kinds.ts";

type Measure = { unit: string; min: number; max: number };

const rate: Measure = { unit: "/min", min: 0, max: 400 };
const breaths: Measure = { unit: "/min", min: 0, max: 120 };
const interval: Measure = { unit: "ms", min: 0, max: 5000 };
const axis: Measure = { unit: "°", min: -180, max: 360 };
const pressure: Measure = { unit: "cmH₂O", min: 0, max: 60 };
const percent: Measure = { unit: "%", min: 0, max: 100 };

const MEASURES: Record<string, Measure> = {
  heart_rate: rate,
  pulse_rate: rate,
  respiratory_rate: breaths,
  rr_interval_ms: { unit: "ms", min: 0, max: 20_000 },
  p_duration_ms: interval,
  pr_interval_ms: interval,
  qrs_duration_ms: interval,
  qt_interval_ms: interval,
  qtc_bazett_ms: interval,
  qtc_fridericia_ms: interval,
  p_axis_deg: axis,
  qrs_axis_deg: axis,
  t_axis_deg: axis,
  ahi: { unit: "/h", min: 0, max: 200 },
  usage_hours: { unit: "h", min: 0, max: 24 },
  pressure_cmh2o: pressure,
  ipap_cmh2o: pressure,
  epap_cmh2o: pressure,
  leak_l_min: { unit: "L/min", min: 0, max: 300 },
  tidal_volume_ml: { unit: "mL", min: 0, max: 5000 },
  spo2_percent: percent,
  fio2_percent: percent,
  flow_l_min: { unit: "L/min", min: 0, max: 100 },
};

const CPAP = ["ahi", "usage_hours", "pressure_cmh2o", "leak_l_min"] as const;

/** Numbers that a person may enter for a report of this kind, in the order in which machines print them. */
export const FIELDS: Record<Kind, readonly string[]> = {
  ecg: [
    "heart_rate",
    "rr_interval_ms",
    "p_duration_ms",
    "pr_interval_ms",
    "qrs_duration_ms",
    "qt_interval_ms",
    "qtc_bazett_ms",
    "qtc_fridericia_ms",
    "p_axis_deg",
    "qrs_axis_deg",
    "t_axis_deg",
  ],
  cpap: CPAP,
  bipap: [...CPAP, "ipap_cmh2o", "epap_cmh2o", "respiratory_rate", "tidal_volume_ml"],
  oxygen: ["spo2_percent", "pulse_rate", "flow_l_min", "fio2_percent"],
  consultation: ["heart_rate"],
  other: ["heart_rate"],
};

export const measureOf = (key: string): Measure | undefined => MEASURES[key];

export const isPlausible = (key: string, value: number): boolean => {
  const measure = MEASURES[key];
  return measure === undefined || (value >= measure.min && value <= measure.max);
};

/** One line of what came with a report. An invalid one is shown, and marked. */
export type Reading = { key: string; value: string | number; unit: string | null; valid: boolean };

export function readingsOf(kind: Kind, metrics: Record<string, unknown>): Reading[] {
  const order = FIELDS[kind];
  const place = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  return Object.entries(metrics)
    .map(([key, value]) => readingOf(key, value))
    .sort((a, b) => place(a.key) - place(b.key));
}

function readingOf(key: string, value: unknown): Reading {
  const unit = MEASURES[key]?.unit ?? null;
  if (typeof value === "number") return { key, value, unit, valid: isPlausible(key, value) };
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return { key, value: text, unit, valid: MEASURES[key] === undefined };
}
