// Schemas of stored alerts, their transitions and the minutes of their reminders.
import { z } from "zod";
import type { Reminders } from "../../alarm-rules/escalation.ts";
import { ALERT_STATES, PRIORITIES, RULE_NAMES, TRANSITIONS } from "../../alarm-rules/model.ts";

const time = z.number();
const timeOrNull = time.nullable();
const text = z.string();
const textOrNull = text.nullable();

export const AlertSchema = z.object({
  number: z.int(),
  key: text,
  rule: z.enum(RULE_NAMES),
  code: textOrNull,
  device: textOrNull,
  priority: z.enum(PRIORITIES),
  state: z.enum(ALERT_STATES),
  why: z.object({
    value: z.number().nullable(),
    bound: z.number().nullable(),
    side: z.enum(["low", "high"]).nullable(),
    window_s: z.number().nullable(),
    measured_at: text.optional(),
    text,
    values: z.array(z.object({ code: text, value: z.number() })).optional(),
  }),
  sounds: z.boolean().optional(),
  raised_at: time,
  acknowledged_at: timeOrNull,
  acknowledged_by: textOrNull,
  assigned_to: textOrNull,
  // Alerts written before this field existed lack it.
  actions: z.int().optional(),
  tier: z.int(),
  escalate_at: timeOrNull,
  repeat_at: timeOrNull,
  escalates_from: time.optional(),
  repeats_from: time.optional(),
  snoozed_until: timeOrNull,
  recovered_at: timeOrNull,
  cleared_at: timeOrNull,
});

export const TransitionSchema = z.object({
  what: z.enum(TRANSITIONS),
  at: time,
  by: textOrNull,
  alert: AlertSchema,
  isFlapping: z.literal(true).optional(),
});

export const RemindersSchema: z.ZodType<Reminders> = z.object({
  escalation: z.object({ high: z.array(z.number()), medium: z.array(z.number()), low: z.array(z.number()) }),
  repeat_minutes: z.object({ high: timeOrNull, medium: timeOrNull, low: timeOrNull }),
});
