// Schema and example of the trend mark.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Timestamp } from "../../http/router.ts";
import { TREND_LABEL } from "../alarm-rules/trend-mark.ts";
import { TREND_STATUSES } from "../patient-object/contract.ts";

export const TrendMark = z
  .object({
    label: z.string().openapi({ description: "To be shown with the mark" }),
    status: z.enum(TREND_STATUSES).openapi({
      description:
        "`up`: the mark is to be shown; `unknown`: the readings span less than 12 hours; `overdue`: the last reading describes the past, " +
        "and so does `marked_since`",
    }),
    smoothed_score: z
      .number()
      .nullable()
      .openapi({ description: "NEWS2 scores smoothed with a half-life of 12 hours, rounded down to a tenth" }),
    readings_since: Timestamp.nullable().openapi({ description: "The first reading of the smoothed score" }),
    marked_since: Timestamp.nullable().openapi({ description: "The reading that began the mark; null without it" }),
    fever_at: Timestamp.nullable().openapi({ description: "The last reading of at least 38.0 °C within 12 hours" }),
    as_of: Timestamp.nullable().openapi({ description: "The last reading" }),
    overdue_at: Timestamp.nullable().openapi({ description: "From then on the mark is overdue" }),
  })
  .openapi("TrendMark");
export const exampleTrendMark = {
  label: TREND_LABEL,
  status: "up" as const,
  smoothed_score: 4.7,
  readings_since: EXAMPLES.time,
  marked_since: EXAMPLES.time,
  fever_at: null,
  as_of: EXAMPLES.time,
  overdue_at: EXAMPLES.time,
};
