// Parses the metrics of a report. Ranges are plausibility bounds, not clinical limits; unknown keys are kept.
import { z } from "@hono/zod-openapi";
import { parseJson } from "../../http/request-body.ts";
import { validationError } from "../../http/router.ts";
import { METRIC_RANGES, type ReportKind } from "./metric-ranges.ts";

export const MAX_METRICS_BYTES = 64 * 1024;

const INTERPRETATION = { interpretation: z.string().max(2000).optional() };

function metricsSchema(kind: ReportKind): z.ZodType<Record<string, unknown>> {
  const numbers = Object.entries(METRIC_RANGES[kind]).map(([key, { min, max }]) => [
    key,
    z.number().min(min).max(max).optional(),
  ]);
  return z.looseObject({ ...Object.fromEntries(numbers), ...(kind === "ecg" && INTERPRETATION) });
}

const METRICS_SCHEMAS: Record<ReportKind, z.ZodType<Record<string, unknown>>> = {
  ecg: metricsSchema("ecg"),
  cpap: metricsSchema("cpap"),
  bipap: metricsSchema("bipap"),
  oxygen: metricsSchema("oxygen"),
  consultation: metricsSchema("consultation"),
  other: metricsSchema("other"),
};

export type ParsedMetrics = { json: string; heartRate: number | null };

/**
 * Parses and validates metrics. `heartRate` is in beats per minute.
 * @throws ApiError malformed_json, invalid_request (with the fields)
 */
export function parseMetrics(kind: ReportKind, bytes: Uint8Array): ParsedMetrics {
  const parsed = METRICS_SCHEMAS[kind].safeParse(parseJson(bytes));
  if (!parsed.success) throw validationError(parsed.error);
  const rate = parsed.data["heart_rate"] ?? parsed.data["pulse_rate"];
  return { json: JSON.stringify(parsed.data), heartRate: typeof rate === "number" ? rate : null };
}
