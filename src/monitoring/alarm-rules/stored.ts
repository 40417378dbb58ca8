// JSON that D1 keeps about alerts, parsed: limits of a rule, why an alert was raised, what an event changed.
// D1's own migrations give these columns their version: one of them can rewrite every row at once.
import { z } from "zod";
import { ApiError } from "../../platform/errors.ts";
import type { LimitsOverride } from "./limits.ts";
import { ALERT_STATES, type Alert, PRIORITIES } from "./model.ts";

const limit = z.number().nullable().optional();
const LimitsSchema: z.ZodType<LimitsOverride> = z.object({
  critical_low: limit,
  low: limit,
  high: limit,
  critical_high: limit,
  duration_s: z.number().optional(),
  hysteresis: z.number().optional(),
  rate_per_minute: limit,
  trend: z.boolean().optional(),
  silence_s: limit,
});
const WhySchema: z.ZodType<Alert["why"]> = z.object({
  value: z.number().nullable(),
  bound: z.number().nullable(),
  side: z.enum(["low", "high"]).nullable(),
  window_s: z.number().nullable(),
  text: z.string(),
});
const EventSchema = z.object({
  priority: z.enum(PRIORITIES).nullable().default(null),
  state: z.enum(ALERT_STATES).nullable().default(null),
});

/** @throws ApiError integrity_error: limits that cannot be read must not count as none */
export const limitsOverrideOf = (text: string): LimitsOverride => parsed(LimitsSchema, text, "alert_rules.limits");

/** @throws ApiError integrity_error */
export const whyOf = (text: string): Alert["why"] => parsed(WhySchema, text, "alerts.why");

/** @throws ApiError integrity_error */
export const eventDetailOf = (text: string | null) =>
  text === null ? { priority: null, state: null } : parsed(EventSchema, text, "alert_events.detail");

function parsed<T>(schema: z.ZodType<T>, text: string, column: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ApiError("integrity_error", `${column} cannot be read`, { cause });
  }
}
