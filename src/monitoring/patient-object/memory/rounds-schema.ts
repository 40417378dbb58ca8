// Schema of what the alarm rules remember of rounds in the stored memory.
import { z } from "zod";
import { PARTIAL_REASONS, PAUSE_REASONS } from "../../vitals/rounds.ts";

const time = z.number();
const timeOrNull = time.nullable();
const text = z.string();

export const RoundsSchema = z.object({
  attempt: z.object({ at: time, reason: z.enum(PARTIAL_REASONS), by: text }).nullable(),
  pause: z.object({ from: time, until: time, reason: z.enum(PAUSE_REASONS), by: text }).nullable(),
  returnedAt: timeOrNull,
  ignoredDueAt: timeOrNull,
});
