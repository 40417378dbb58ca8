// Metrics per kind of report, with units and plausible ranges. Has no run-time imports: the portal uses it too.
import type { REPORT_KINDS } from "../../platform/db/vocabulary.ts";

export type ReportKind = (typeof REPORT_KINDS)[number];
/** Plausibility bounds, inclusive; not clinical limits. */
export type MetricRange = { unit: string; min: number; max: number };

const rate: MetricRange = { unit: "/min", min: 0, max: 400 };
const interval: MetricRange = { unit: "ms", min: 0, max: 5000 };
const axis: MetricRange = { unit: "°", min: -180, max: 360 };
const pressure: MetricRange = { unit: "cmH₂O", min: 0, max: 60 };
const percent: MetricRange = { unit: "%", min: 0, max: 100 };

/** In the order in which resting-ECG devices print them. */
const ecg = {
  heart_rate: rate,
  rr_interval_ms: { unit: "ms", min: 0, max: 20_000 },
  p_duration_ms: interval,
  pr_interval_ms: interval,
  qrs_duration_ms: interval,
  qt_interval_ms: interval,
  qtc_bazett_ms: interval,
  qtc_fridericia_ms: interval,
  /** By a formula that the machine does not name. */
  qtc_interval_ms: interval,
  p_axis_deg: axis,
  qrs_axis_deg: axis,
  t_axis_deg: axis,
};
const cpap = {
  ahi: { unit: "/h", min: 0, max: 200 },
  usage_hours: { unit: "h", min: 0, max: 24 },
  pressure_cmh2o: pressure,
  leak_l_min: { unit: "L/min", min: 0, max: 300 },
};
const bipap = {
  ...cpap,
  ipap_cmh2o: pressure,
  epap_cmh2o: pressure,
  respiratory_rate: { unit: "/min", min: 0, max: 120 },
  tidal_volume_ml: { unit: "mL", min: 0, max: 5000 },
};
const oxygen = {
  spo2_percent: percent,
  flow_l_min: { unit: "L/min", min: 0, max: 100 },
  fio2_percent: percent,
  pulse_rate: rate,
};
const heartRateOnly = { heart_rate: rate };

/** Numeric metrics per kind, in the order in which devices print them. An ECG also has a textual interpretation. */
export const METRIC_RANGES: Record<ReportKind, Readonly<Record<string, MetricRange>>> = {
  ecg,
  cpap,
  bipap,
  oxygen,
  consultation: heartRateOnly,
  other: heartRateOnly,
};
