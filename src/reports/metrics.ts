// What machines measure, per kind of report. Ranges are plausibility, not health; unknown keys are kept as they are.
import { z } from "@hono/zod-openapi";
import type { REPORT_KINDS } from "../db/schema.ts";
import { parseJson } from "../request.ts";
import { invalid } from "../router.ts";

export type ReportKind = (typeof REPORT_KINDS)[number];
export const MAX_METRICS = 64 * 1024;

const between = (min: number, max: number) => z.number().min(min).max(max).optional();
const interval = between(0, 5000);
const degrees = between(-180, 360);

/** Milliseconds, degrees and beats per minute, as resting-ECG machines print them. */
const ecg = z.looseObject({
  heart_rate: between(0, 400),
  rr_interval_ms: between(0, 20_000),
  p_duration_ms: interval,
  pr_interval_ms: interval,
  qrs_duration_ms: interval,
  qt_interval_ms: interval,
  qtc_bazett_ms: interval,
  qtc_fridericia_ms: interval,
  p_axis_deg: degrees,
  qrs_axis_deg: degrees,
  t_axis_deg: degrees,
  interpretation: z.string().max(2000).optional(),
});

/** Events per hour, hours, cm[H2O], L/min. */
const cpap = z.looseObject({
  ahi: between(0, 200),
  usage_hours: between(0, 24),
  pressure_cmh2o: between(0, 60),
  leak_l_min: between(0, 300),
});
const bipap = cpap.extend({
  ipap_cmh2o: between(0, 60),
  epap_cmh2o: between(0, 60),
  respiratory_rate: between(0, 120),
  tidal_volume_ml: between(0, 5000),
});
/** Percent, L/min, beats per minute. */
const oxygen = z.looseObject({
  spo2_percent: between(0, 100),
  flow_l_min: between(0, 100),
  fio2_percent: between(0, 100),
  pulse_rate: between(0, 400),
});
const loose = z.looseObject({ heart_rate: between(0, 400) });

const BY_KIND: Record<ReportKind, z.ZodType<Record<string, unknown>>> = {
  ecg,
  cpap,
  bipap,
  oxygen,
  consultation: loose,
  other: loose,
};

export type Metrics = { json: string; heartRate: number | null };

/**
 * Reads and checks the metrics that come with a report.
 * @throws ApiError malformed_json, invalid_request (with the fields)
 */
export function readMetrics(kind: ReportKind, bytes: Uint8Array): Metrics {
  const parsed = BY_KIND[kind].safeParse(parseJson(bytes));
  if (!parsed.success) throw invalid(parsed.error);
  const rate = parsed.data["heart_rate"] ?? parsed.data["pulse_rate"];
  return { json: JSON.stringify(parsed.data), heartRate: typeof rate === "number" ? rate : null };
}
