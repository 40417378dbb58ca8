// Schemas and examples of sets of observations, of when they are due, and of pauses.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Id, Problem, TimeInput, Timestamp } from "../../http/router.ts";
import { exampleScore, Score } from "../history/schemas.ts";
import { MAX_ACVPU_LENGTH, NEWS2_SOURCES, PRESSURES } from "../vitals/codes.ts";
import { PAUSE_REASONS } from "../vitals/rounds.ts";
import { DueObservations, exampleDueObservations, PartialReason } from "./due-schemas.ts";

/** What a set may have: the vitals of NEWS2 and the pressures of one measurement. */
const SET_CODES: readonly string[] = [...new Set([...Object.values(NEWS2_SOURCES).flat(), ...PRESSURES])];
const MAX_NEWS2 = 20;

const SetSample = z.strictObject({
  code: z
    .string()
    .max(64)
    .refine((code) => SET_CODES.includes(code), `Must be one of ${SET_CODES.join(", ")}`)
    .openapi({
      description: "LOINC",
      example: "8867-4",
    }),
  value: z
    .union([z.number(), z.string().max(MAX_ACVPU_LENGTH)])
    .openapi({ description: "A number, or for consciousness A, C, V, P, U or its word" }),
  unit: z.string().min(1).max(32).openapi({ description: "UCUM" }),
});

export const NewObservationSet = z
  .strictObject({
    effective_at: TimeInput.openapi({ description: "When the set was measured: at most 24 hours ago", example: EXAMPLES.time }),
    samples: z
      .array(SetSample)
      .max(20)
      .refine((samples) => new Set(samples.map(({ code }) => code)).size === samples.length, "Each code at most once"),
    spo2_scale: z
      .union([z.literal(1), z.literal(2)])
      .optional()
      .openapi({ description: "The SpO2 scale by which the set was scored; refused if it is not that of the patient" }),
    confirmed_score: z
      .int()
      .min(0)
      .max(MAX_NEWS2)
      .nullable()
      .openapi({ description: "The NEWS2 score that the author saw; null with partial_reason or where NEWS2 does not apply" }),
    partial_reason: PartialReason.optional().openapi({
      description: "Why the set was not completed: its values count for the alarm limits, and change no score",
    }),
  })
  .refine(({ samples, partial_reason }) => samples.length > 0 || partial_reason !== undefined, {
    path: ["samples"],
    message: "Required without partial_reason",
  })
  .refine(({ confirmed_score, partial_reason }) => confirmed_score === null || partial_reason === undefined, {
    path: ["confirmed_score"],
    message: "Must be null with partial_reason",
  })
  .openapi("NewObservationSet");
export type NewObservationSet = z.output<typeof NewObservationSet>;

const SetResult = z.object({ index: z.int(), status: z.literal("stored"), observation_id: z.string() });
export const RecordedSet = z
  .object({ results: z.array(SetResult), score: Score, observations: DueObservations })
  .openapi("RecordedObservationSet");
export const exampleRecordedSet = {
  results: [{ index: 0, status: "stored" as const, observation_id: "agj2lmaaabyabaaaaaaaaaaaae-1hn4k9q0o-0" }],
  score: exampleScore,
  observations: { ...exampleDueObservations, last_attempt: null },
};

/** 409 with what the server makes of the set. */
export const SetProblem = Problem.extend({
  score: z
    .object({ score: z.int(), risk: z.enum(["low", "low_medium", "medium", "high"]), parts: z.record(z.string(), z.int()) })
    .nullable()
    .optional()
    .openapi({ description: "Of `score_changed`: the score of the set; null where NEWS2 does not apply" }),
}).openapi("ObservationSetProblem");

export const NewPause = z
  .strictObject({
    reason: z.enum(PAUSE_REASONS),
    expected_return_at: TimeInput.openapi({
      description: "When the pause ends by itself: at most 24 hours ahead, for `end_of_life` 7 days",
      example: EXAMPLES.time,
    }),
  })
  .openapi("NewObservationPause");
export type NewPause = z.output<typeof NewPause>;
export const Pause = z
  .object({
    observations: DueObservations,
    open_tasks: z
      .object({
        alerts: z.int().openapi({ description: "Open alerts" }),
        due_at: Timestamp.nullable().openapi({ description: "When the set was due that is now paused" }),
      })
      .openapi({ description: "What is open when the pause begins. A pause silences no alert" }),
  })
  .openapi("ObservationPause");
export const examplePause = {
  observations: {
    ...exampleDueObservations,
    status: "paused" as const,
    due_at: null,
    overdue_at: null,
    last_attempt: null,
    pause: { reason: "procedure" as const, from: EXAMPLES.time, expected_return_at: EXAMPLES.time, performer_id: EXAMPLES.user },
  },
  open_tasks: { alerts: 1, due_at: EXAMPLES.time },
};
export const EndedPause = z.object({ patient_id: Id, observations: DueObservations }).openapi("EndedObservationPause");
