// Reads the metrics that come with a report. Ranges are plausibility, not health; unknown keys are kept as they are.
import { z } from "@hono/zod-openapi";
import { parseJson } from "../../http/request.ts";
import { invalid } from "../../http/router.ts";
import { MEASURES, type ReportKind } from "./measures.ts";

export const MAX_METRICS = 64 * 1024;

const INTERPRETATION = { interpretation: z.string().max(2000).optional() };

function shapeOf(kind: ReportKind): z.ZodType<Record<string, unknown>> {
  const numbers = Object.entries(MEASURES[kind]).map(([key, { min, max }]) => [key, z.number().min(min).max(max).optional()]);
  return z.looseObject({ ...Object.fromEntries(numbers), ...(kind === "ecg" && INTERPRETATION) });
}

const SHAPES: Record<ReportKind, z.ZodType<Record<string, unknown>>> = {
  ecg: shapeOf("ecg"),
  cpap: shapeOf("cpap"),
  bipap: shapeOf("bipap"),
  oxygen: shapeOf("oxygen"),
  consultation: shapeOf("consultation"),
  other: shapeOf("other"),
};

export type Metrics = { json: string; heartRate: number | null };

/**
 * Reads and checks the metrics that come with a report.
 * @throws ApiError malformed_json, invalid_request (with the fields)
 */
export function readMetrics(kind: ReportKind, bytes: Uint8Array): Metrics {
  const parsed = SHAPES[kind].safeParse(parseJson(bytes));
  if (!parsed.success) throw invalid(parsed.error);
  const rate = parsed.data["heart_rate"] ?? parsed.data["pulse_rate"];
  return { json: JSON.stringify(parsed.data), heartRate: typeof rate === "number" ? rate : null };
}
