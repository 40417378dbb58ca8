// Parsing of JSON columns of alerts in D1. They need no version, since a D1 migration can rewrite every row.
import { z } from "zod";
import { TierEntrySchema } from "../../notifications/alarms.ts";
import { ApiError } from "../../platform/errors.ts";
import type { EscalationSettings } from "./escalation.ts";
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
  measured_at: z.string().optional(),
  text: z.string(),
  values: z.array(z.object({ code: z.string(), value: z.number() })).optional(),
});
const EventSchema = z.object({
  priority: z.enum(PRIORITIES).nullable().default(null),
  state: z.enum(ALERT_STATES).nullable().default(null),
});
const byPriority = <T extends z.ZodType>(part: T) => z.object({ high: part, medium: part, low: part });
const EscalationSchema: z.ZodType<EscalationSettings> = z.object({
  escalation_minutes: byPriority(z.array(z.number())).optional(),
  repeat_minutes: byPriority(z.number().nullable()).optional(),
  tiers: z.array(z.array(TierEntrySchema)).optional(),
});

/** @throws ApiError integrity_error: unreadable limits must not count as no limits */
export const limitsOverrideOf = (text: string): LimitsOverride => parseColumn(LimitsSchema, text, "alert_rules.limits");

/** @throws ApiError integrity_error */
export const whyOf = (text: string): Alert["why"] => parseColumn(WhySchema, text, "alerts.why");

/** @throws ApiError integrity_error */
export const eventDetailOf = (text: string | null) =>
  text === null ? { priority: null, state: null } : parseColumn(EventSchema, text, "alert_events.detail");

/** Null where nothing is chosen. @throws ApiError integrity_error */
export const escalationSettingsOf = (text: string | null) =>
  text === null ? null : parseColumn(EscalationSchema, text, "escalation_settings.settings");

function parseColumn<T>(schema: z.ZodType<T>, text: string, column: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ApiError("integrity_error", `${column} is unreadable`, { cause });
  }
}
