// Schemas and examples of observations, rollups, scores and quarantined samples.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Id, Timestamp } from "../../http/router.ts";
import { HELD_STATES } from "../../platform/db/vocabulary.ts";
import { DueObservations, exampleDueObservations } from "../rounds/due-schemas.ts";
import { ACTIVITIES } from "../vitals/model.ts";
import { exampleTrendMark, TrendMark } from "./trend-schema.ts";

const exampleObservationId = "agj2lmaaaadqaiaaaaaaaaaaae-1hn4k9q0o-0";
export const observationParam = z.object({
  observation_id: z
    .string()
    .min(1)
    .max(64)
    .openapi({ description: "observation_id of a response", example: exampleObservationId }),
});

const Code = z.string().openapi({ description: "LOINC, or the device's own code", example: "8867-4" });
const codeFields = {
  code: Code,
  name: z
    .string()
    .nullable()
    .openapi({ description: "Short name in the catalogue; null for an unknown code", example: "heart_rate" }),
};
const countFields = { n: z.int(), min: z.number(), max: z.number(), mean: z.number() };
const unit = z.string().nullable().openapi({ description: "UCUM; null for an unknown code" });

export const Observation = z
  .object({
    observation_id: z.string(),
    ...codeFields,
    value: z.number(),
    unit: z.string().openapi({ description: "UCUM" }),
    effective_at: Timestamp,
    received_at: Timestamp,
    device_id: z.string().nullable(),
    performer_id: z.string().nullable().openapi({ description: "The user who entered it; null for a sample from a device" }),
    status: z.enum(["final", "invalid", "amended", "entered-in-error"]),
    activity: z.enum(ACTIVITIES).optional().openapi({
      description: "As the source said, in the words of IEEE 1752.1; in the history, not in latest values and columns",
    }),
  })
  .openapi("Observation");
export const exampleObservation = {
  observation_id: exampleObservationId,
  code: "8867-4",
  name: "heart_rate",
  value: 72,
  unit: "/min",
  effective_at: EXAMPLES.time,
  received_at: EXAMPLES.time,
  device_id: EXAMPLES.device,
  performer_id: null,
  status: "final" as const,
};

export const Bucket = z
  .object({
    ...codeFields,
    unit,
    from: Timestamp,
    to: Timestamp,
    ...countFields,
    last: z.number().openapi({ description: "The value of the latest sample in the bucket" }),
    last_at: Timestamp.openapi({ description: "When that sample was measured" }),
  })
  .openapi("ObservationBucket");

export const Rollup = z
  .object({
    hour: Timestamp.openapi({ description: "Start of the hour, UTC" }),
    ...codeFields,
    unit,
    ...countFields,
    last: z.number(),
    last_at: Timestamp,
    open: z.boolean().openapi({ description: "true: the hour is not closed yet, and more samples may arrive" }),
  })
  .openapi("ObservationRollup");
const heartRate = { code: "8867-4", name: "heart_rate", unit: "/min" };
const exampleCounts = { n: 60, min: 64, max: 88, mean: 72.5 };
export const exampleRollup = {
  hour: "2026-11-21T09:00:00.000Z",
  ...heartRate,
  ...exampleCounts,
  last: 72,
  last_at: EXAMPLES.time,
  open: false,
};

export const HistoryEntry = z.object({
  value: z.number(),
  unit: z.string().openapi({ description: "UCUM; as sent if it was doubtful" }),
  at: Timestamp,
  device_id: z.string().nullable(),
  performer_id: z.string().nullable(),
});

const takenScore = {
  score: z.int(),
  risk: z.enum(["low", "low_medium", "medium", "high"]),
  parts: z.record(z.string(), z.int()).openapi({ description: "Points by parameter" }),
  as_of: Timestamp.openapi({ description: "When the newest value of the set was measured" }),
  observation_mode: z.enum(["continuous", "spot"]).openapi({ description: "How the patient is watched" }),
  due_at: Timestamp.openapi({ description: "When the next set of observations is due" }),
  overdue_at: Timestamp.openapi({ description: "From then on the score is overdue" }),
};
const completeScore = { status: z.literal("complete"), ...takenScore };
const overdueScore = {
  status: z
    .literal("overdue")
    .openapi({ description: "The last score, which describes the past: a new set of observations is due. Its alarm stays" }),
  ...takenScore,
};
const incompleteScore = {
  status: z.literal("incomplete"),
  missing: z.array(z.string()).openapi({ description: "Never measured" }),
  stale: z.array(z.string()).openapi({ description: "Measured too long ago, or not together with the others" }),
};
const notApplicableScore = { status: z.literal("not_applicable"), reason: z.enum(["age", "pregnancy", "age_unknown"]) };
export const Score = z
  .union([z.object(completeScore), z.object(overdueScore), z.object(incompleteScore), z.object(notApplicableScore)])
  .openapi("Score");
const patientFields = { patient_id: Id };
export const PatientScore = z
  .union([
    z.object({ ...patientFields, ...completeScore }),
    z.object({ ...patientFields, ...overdueScore }),
    z.object({ ...patientFields, ...incompleteScore }),
    z.object({ ...patientFields, ...notApplicableScore }),
  ])
  .openapi("PatientScore");
export const exampleScore = {
  status: "complete" as const,
  score: 1,
  risk: "low" as const,
  parts: { respiratory_rate: 0, spo2: 1, oxygen: 0, systolic: 0, pulse: 0, consciousness: 0, temperature: 0 },
  as_of: EXAMPLES.time,
  observation_mode: "spot" as const,
  due_at: EXAMPLES.time,
  overdue_at: EXAMPLES.time,
};

const limitValue = z.number().nullable();
export const LimitsInForce = z
  .object({
    code: z.string(),
    critical_low: limitValue,
    low: limitValue,
    high: limitValue,
    critical_high: limitValue,
    silence_s: z.int().nullable().openapi({ description: "Seconds without a sample after which the vital counts as silent" }),
    set_by: z.enum(["default", "ward", "patient"]).openapi({ description: "The most specific layer that sets a field" }),
  })
  .openapi("LimitsInForce");
export const LimitsSince = LimitsInForce.omit({ silence_s: true })
  .extend({ from: Timestamp.openapi({ description: "In effect from this time until the next entry of the same code" }) })
  .openapi("LimitsSince");
export const exampleLimits = {
  code: "8867-4",
  critical_low: 40,
  low: 50,
  high: 120,
  critical_high: 140,
  silence_s: 120,
  set_by: "patient" as const,
};

const latestFields = {
  patient_id: Id,
  latest: z.array(Observation.extend({ age_s: z.int().openapi({ description: "Seconds since it was measured" }) })),
  as_of: Timestamp,
};
export const SharedLatest = z
  .object(latestFields)
  .openapi("SharedLatestObservations", { description: "What a consent shares: samples of the granted time" });
export const Latest = z
  .object({
    ...latestFields,
    monitoring: z.enum(["off", "home", "ward"]),
    devices: z.array(
      z.object({
        device_id: Id,
        last_seen_at: Timestamp.nullable(),
        clock_skew_ms: z
          .int()
          .nullable()
          .openapi({ description: "The device's clock minus the server's; null until the device has sent its time" }),
        sequence_restarted_at: Timestamp.optional().openapi({
          description: "When the device last used a sequence number for a second moment, as after a restart",
        }),
        conditions: z.array(z.string()),
      }),
    ),
    news2: Score,
    observations: DueObservations,
    trend_mark: TrendMark.nullable().openapi({ description: "Null where the ward does not use it" }),
    limits: z.array(LimitsInForce),
  })
  .openapi("LatestObservations");
export const exampleLatest = {
  patient_id: EXAMPLES.patient,
  monitoring: "ward" as const,
  latest: [{ ...exampleObservation, age_s: 4 }],
  devices: [{ device_id: EXAMPLES.device, last_seen_at: EXAMPLES.time, clock_skew_ms: -120, conditions: [] }],
  news2: exampleScore,
  observations: exampleDueObservations,
  trend_mark: exampleTrendMark,
  limits: [exampleLimits],
  as_of: EXAMPLES.time,
};

export const VitalSummary = z
  .object({
    ...codeFields,
    display: z.string().nullable(),
    unit,
    ...countFields,
    latest: z.object({ value: z.number(), effective_at: Timestamp }).openapi({ description: "The last sample in the range" }),
  })
  .openapi("VitalSummary");
export const exampleVitalSummary = {
  ...heartRate,
  display: "Heart rate",
  ...exampleCounts,
  latest: { value: 72, effective_at: EXAMPLES.time },
};

export const HourStats = z
  .object({
    hour: Timestamp.openapi({ description: "Start of the hour or day, UTC" }),
    resolution: z.enum(["hour", "day"]).openapi({ description: "day: a whole day (UTC) before the last 60" }),
    ...codeFields,
    unit,
    patients: z.int(),
    ...countFields,
  })
  .openapi("HourStats");
export const exampleHourStats = {
  hour: "2026-11-21T09:00:00.000Z",
  resolution: "hour" as const,
  ...heartRate,
  patients: 12,
  ...exampleCounts,
};

export const HeldObservations = z
  .object({
    held_id: z.string(),
    hospital_id: Id,
    device_id: z.string(),
    patient_id: Id.nullable().openapi({ description: "The patient to whom the device was assigned, if known" }),
    reasons: z.array(z.string()),
    count: z.int(),
    measured_from: Timestamp.nullable().openapi({
      description: "First time of measurement as the device sent it; null where a sample's time cannot be read",
    }),
    measured_to: Timestamp.nullable().openapi({ description: "Last time of measurement, likewise" }),
    received_at: Timestamp,
    state: z.enum(HELD_STATES),
    filed_patient_id: Id.nullable().openapi({
      description: "The patient for whom it was filed; while it is held, the one for whom filing was begun",
    }),
    resolved_by: z.string().nullable(),
    resolved_at: Timestamp.nullable(),
  })
  .openapi("HeldObservations");
export const exampleHeldObservations = {
  held_id: EXAMPLES.request,
  hospital_id: EXAMPLES.hospital,
  device_id: EXAMPLES.device,
  patient_id: null,
  reasons: ["not_bound"],
  count: 1,
  measured_from: EXAMPLES.time,
  measured_to: EXAMPLES.time,
  received_at: EXAMPLES.time,
  state: "held" as const,
  filed_patient_id: null,
  resolved_by: null,
  resolved_at: null,
};
