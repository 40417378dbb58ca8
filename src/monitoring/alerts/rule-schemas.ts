// Schemas and examples of alert rules and monitoring settings.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Id, Timestamp } from "../../http/router.ts";
import { findVital, findVitalByName } from "../vitals/catalogue.ts";
import { OBSERVATION_MODES } from "../vitals/freshness.ts";
import { LIMIT_PROFILES } from "../vitals/home-limits.ts";
import { AGE_BANDS } from "../vitals/model.ts";

/** A vital sign, by LOINC code or short name. */
export const VitalRef = z
  .string()
  .min(1)
  .max(64)
  .transform((text, context) => {
    const exampleVital = findVitalByName(text) ?? findVital(text);
    if (exampleVital) return exampleVital;
    context.addIssue({ code: "custom", message: "Unknown vital sign" });
    return z.NEVER;
  })
  .openapi({ type: "string", maxLength: 64, description: "LOINC code or short name of a vital sign", example: "heart_rate" });
const limitValue = z.number().nullable();
const Limits = z
  .object({
    critical_low: limitValue,
    low: limitValue,
    high: limitValue,
    critical_high: limitValue,
    duration_s: z.number().openapi({ description: "Seconds that a value must stay beyond a limit before an alert is raised" }),
    hysteresis: z.number().openapi({ description: "Distance inside a limit that counts as recovered" }),
    rate_per_minute: limitValue.openapi({ description: "Change per minute, towards a side with a limit, that raises an alert" }),
    trend: z.boolean().openapi({ description: "Whether a drift from the patient's baseline raises an alert" }),
    silence_s: limitValue.openapi({ description: "Seconds without a sample after which the vital counts as silent" }),
  })
  .openapi("AlarmLimits", { description: "In the unit of the vital; null means no limit on that side" });
export const LimitsChange = z
  .strictObject(Limits.shape)
  .partial()
  .refine((limits) => Object.keys(limits).length > 0, "At least one field is required")
  .openapi("AlarmLimitsOverride", { description: "Absent fields are inherited; null switches a limit off" });
export const Rule = z
  .object({
    ward_id: Id.nullable(),
    patient_id: Id.nullable(),
    code: z.string(),
    name: z.string().nullable(),
    unit: z.string().nullable(),
    limits: Limits.partial(),
    version: z.number().int(),
    updated_by: z.string(),
    updated_at: Timestamp,
  })
  .openapi("AlertRule");
const exampleVital = { code: "8867-4", name: "heart_rate", unit: "/min" };
export const exampleOverride = { low: 45, high: 130 };
const exampleRuleFields = {
  ...exampleVital,
  limits: exampleOverride,
  version: 1,
  updated_by: EXAMPLES.user,
  updated_at: EXAMPLES.time,
};
export const exampleWardRule = { ...exampleRuleFields, ward_id: EXAMPLES.ward, patient_id: null };
export const examplePatientRule = { ...exampleRuleFields, ward_id: null, patient_id: EXAMPLES.patient };
const exampleLimits = {
  critical_low: 40,
  low: 45,
  high: 130,
  critical_high: 131,
  duration_s: 10,
  hysteresis: 10,
  rate_per_minute: 40,
  trend: true,
  silence_s: 120,
};

export const MonitoringProfile = z
  .enum(LIMIT_PROFILES)
  .openapi({ description: "Limits of patients on a ward, or of those monitored at home" });
export const DefaultRule = z
  .object({
    code: z.string(),
    name: z.string(),
    display: z.string(),
    unit: z.string(),
    plausible: z.object({ min: z.number(), max: z.number(), source: z.string() }),
    monitoring: MonitoringProfile,
    limits: Limits,
    source: z.string(),
  })
  .openapi("DefaultAlertRule");
const Layer = z.enum(["default", "ward", "patient"]);
export const EffectiveRules = z
  .object({
    patient_id: Id,
    ward_id: Id.nullable(),
    age_band: z.enum(AGE_BANDS).openapi({ description: "An unknown age counts as adult" }),
    monitoring: MonitoringProfile,
    rules: z.array(
      z.object({
        code: z.string(),
        name: z.string(),
        unit: z.string(),
        limits: Limits,
        from: z.record(z.string(), Layer).openapi({ description: "The layer that sets each field" }),
        version: z
          .number()
          .int()
          .nullable()
          .openapi({ description: "Version of the patient's own rule; null when there is none" }),
        updated_by: z.string().nullable().openapi({ description: "The user who last changed the patient's own rule" }),
        updated_at: Timestamp.nullable(),
      }),
    ),
  })
  .openapi("EffectiveAlertRules");
const PreviewCount = z.object({
  limits: Limits.nullable(),
  alarms: z.number().int(),
  high: z.number().int(),
  medium: z.number().int(),
  low: z.number().int(),
});
export const Preview = z
  .object({
    patient_id: Id,
    code: z.string(),
    name: z.string(),
    unit: z.string(),
    from: Timestamp,
    to: Timestamp,
    samples: z.number().int(),
    before: PreviewCount,
    after: PreviewCount,
  })
  .openapi("AlertRulePreview");
const ObservationModeField = z
  .enum(OBSERVATION_MODES)
  .nullable()
  .openapi({ description: "How the patient is watched; null: as the ward. `auto`: continuous while a bedside monitor sends" });
export const Monitoring = z
  .object({
    patient_id: Id,
    monitoring: z.enum(["off", "home", "ward"]).openapi({ description: "Read-only here; set by PATCH /patients/{patient_id}" }),
    spo2_scale: z.number().int(),
    pregnant: z.boolean(),
    observation_mode: ObservationModeField,
    version: z.number().int(),
    updated_by: z.string().nullable(),
    updated_at: Timestamp.nullable(),
  })
  .openapi("MonitoringSettings");
export const MonitoringChange = z
  .strictObject({
    spo2_scale: z
      .union([z.literal(1), z.literal(2)])
      .optional()
      .openapi({ description: "NEWS2 SpO2 scale; 2 for hypercapnic respiratory failure confirmed by a clinician" }),
    pregnant: z.boolean().optional().openapi({ description: "true: NEWS2 does not apply" }),
    observation_mode: ObservationModeField.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, "At least one field is required")
  .openapi("MonitoringChange");
const exampleSettings = {
  patient_id: EXAMPLES.patient,
  monitoring: "ward" as const,
  spo2_scale: 2,
  pregnant: false,
  observation_mode: null,
  version: 2,
};
export const exampleMonitoring = { ...exampleSettings, updated_by: EXAMPLES.user, updated_at: EXAMPLES.time };

export const exampleDefaultRule = {
  ...exampleVital,
  display: "Heart rate",
  plausible: { min: 0, max: 350, source: "Upper end of bedside monitors" },
  monitoring: "ward" as const,
  limits: { ...exampleLimits, low: null, high: null },
  source: "NEWS2 three points",
};
export const exampleEffectiveRules = {
  patient_id: EXAMPLES.patient,
  ward_id: EXAMPLES.ward,
  age_band: "adult" as const,
  monitoring: "ward" as const,
  rules: [
    {
      ...exampleVital,
      limits: exampleLimits,
      from: { low: "patient" as const, high: "patient" as const, critical_low: "default" as const },
      version: 1,
      updated_by: EXAMPLES.user,
      updated_at: EXAMPLES.time,
    },
  ],
};
export const examplePreview = {
  patient_id: EXAMPLES.patient,
  ...exampleVital,
  from: EXAMPLES.time,
  to: EXAMPLES.time,
  samples: 86_400,
  before: { limits: { ...exampleLimits, low: null, high: null }, alarms: 14, high: 1, medium: 13, low: 0 },
  after: { limits: exampleLimits, alarms: 2, high: 1, medium: 1, low: 0 },
};
