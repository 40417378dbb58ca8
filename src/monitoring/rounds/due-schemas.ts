// Schema and example of when observations are due.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Timestamp } from "../../http/router.ts";
import { DUE_STATUSES, PARTIAL_REASONS, PAUSE_REASONS } from "../vitals/rounds.ts";

export const PartialReason = z.enum(PARTIAL_REASONS);
const performer = z.string().openapi({ description: "The user who recorded it" });
export const DueObservations = z
  .object({
    mode: z.enum(["continuous", "spot"]),
    status: z.enum(DUE_STATUSES).openapi({
      description:
        "`never`: due, and no set was ever recorded; `continuous` and `not_applicable`: no sets are due, as the patient is monitored " +
        "continuously, or is not monitored or one whom NEWS2 does not apply to",
    }),
    due_at: Timestamp.nullable().openapi({ description: "When the next set is due; null if none is" }),
    overdue_at: Timestamp.nullable().openapi({ description: "From then on it is overdue" }),
    last_attempt: z
      .object({ at: Timestamp, reason: PartialReason, performer_id: performer })
      .nullable()
      .openapi({ description: "The last set that was not completed, if it is later than the last complete one" }),
    pause: z
      .object({ reason: z.enum(PAUSE_REASONS), from: Timestamp, expected_return_at: Timestamp, performer_id: performer })
      .nullable(),
  })
  .openapi("DueObservations");
export const exampleDueObservations = {
  mode: "spot" as const,
  status: "not_due" as const,
  due_at: EXAMPLES.time,
  overdue_at: EXAMPLES.time,
  last_attempt: { at: EXAMPLES.time, reason: "refused" as const, performer_id: EXAMPLES.user },
  pause: null,
};
