// Schema of what the alarm rules remember of NEWS2 in the stored memory.
import { z } from "zod";
import type { News2Memory } from "../../alarm-rules/alarm-memory.ts";
import { MAX_TREND_READINGS } from "../../alarm-rules/trend-mark.ts";

const time = z.number();
const timeOrNull = time.nullable();

const SustainedStateSchema = z.object({
  isOn: z.boolean(),
  urgentSince: timeOrNull,
  lowSince: timeOrNull,
  isTriggered: z.boolean(),
  repeatDueAt: timeOrNull,
});

const TrendStateSchema = z.object({
  smoothed: z.number(),
  since: time,
  at: time,
  feverAt: timeOrNull,
  markedSince: timeOrNull,
});

export const News2Schema: z.ZodType<News2Memory> = z.object({
  since: time.optional(),
  below: time.optional(),
  resolved: z.number().optional(),
  covered: time.optional(),
  judgedAt: time.optional(),
  set: z.record(z.string(), z.object({ value: z.number(), at: time })).optional(),
  sustained: z
    .object({
      state: SustainedStateSchema,
      before: SustainedStateSchema,
      isHeard: z.boolean(),
      reading: z.object({ at: time, score: z.number().nullable(), single3: z.boolean() }).nullable(),
    })
    .optional(),
  trend: z
    .object({
      base: TrendStateSchema.nullable(),
      readings: z
        .array(z.object({ from: time, at: time, score: z.number().nullable(), single3: z.boolean(), temperature: z.number() }))
        .max(MAX_TREND_READINGS),
    })
    .optional(),
});
