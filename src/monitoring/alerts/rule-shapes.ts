// The shapes of alarm limits on the wire, with an example of each.
import { z } from "@hono/zod-openapi";
import { EXAMPLE, Id, Timestamp } from "../../http/router.ts";
import { vitalNamed, vitalOf } from "../vitals/catalogue.ts";
import { AGE_BANDS } from "../vitals/model.ts";

/** A vital by LOINC or by its short name. */
export const VitalName = z
  .string()
  .min(1)
  .max(64)
  .transform((text, context) => {
    const vital = vitalNamed(text) ?? vitalOf(text);
    if (vital) return vital;
    context.addIssue({ code: "custom", message: "Only vital signs of the catalogue have limits" });
    return z.NEVER;
  })
  .openapi({ type: "string", maxLength: 64, description: "LOINC, or the short name of the catalogue", example: "heart_rate" });
const limit = z.number().nullable();
const Limits = z
  .object({
    critical_low: limit,
    low: limit,
    high: limit,
    critical_high: limit,
    duration_s: z.number().openapi({ description: "How long it must last before it is raised" }),
    hysteresis: z.number().openapi({ description: "How far back inside a limit counts as recovered" }),
    rate_per_minute: limit.openapi({ description: "Change a minute, either way, that is raised" }),
    trend: z.boolean().openapi({ description: "Whether a drift from the patient's own usual is raised" }),
    silence_s: limit.openapi({ description: "Without a sample for this long the vital is silent" }),
  })
  .openapi("AlarmLimits", { description: "In the unit of the vital; null is no limit on that side" });
export const LimitsChange = z
  .strictObject(Limits.shape)
  .partial()
  .refine((limits) => Object.keys(limits).length > 0, "Nothing to set")
  .openapi("AlarmLimitsOverride", { description: "What is absent is inherited; null switches a limit off" });
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
const vital = { code: "8867-4", name: "heart_rate", unit: "/min" };
export const exampleOverride = { low: 45, high: 130 };
const told = { ...vital, limits: exampleOverride, version: 1, updated_by: EXAMPLE.user, updated_at: EXAMPLE.time };
export const exampleWardRule = { ...told, ward_id: EXAMPLE.ward, patient_id: null };
export const examplePatientRule = { ...told, ward_id: null, patient_id: EXAMPLE.patient };
const effective = {
  critical_low: 40,
  low: 45,
  high: 130,
  critical_high: 131,
  duration_s: 10,
  hysteresis: 3,
  rate_per_minute: 40,
  trend: true,
  silence_s: 120,
};

export const Default = z
  .object({
    code: z.string(),
    name: z.string(),
    display: z.string(),
    unit: z.string(),
    plausible: z.object({ min: z.number(), max: z.number(), source: z.string() }),
    limits: Limits,
    source: z.string(),
  })
  .openapi("DefaultAlertRule");
const Layer = z.enum(["default", "ward", "patient"]);
export const Effective = z
  .object({
    patient_id: Id,
    ward_id: Id.nullable(),
    age_band: z.enum(AGE_BANDS).openapi({ description: "An unknown age is judged as an adult's" }),
    rules: z.array(
      z.object({
        code: z.string(),
        name: z.string(),
        unit: z.string(),
        limits: Limits,
        from: z.record(z.string(), Layer).openapi({ description: "Where each field comes from" }),
        version: z.number().int().nullable().openapi({ description: "Of the patient's own rule; null for none" }),
        updated_by: z.string().nullable().openapi({ description: "Who changed the patient's own rule last" }),
        updated_at: Timestamp.nullable(),
      }),
    ),
  })
  .openapi("EffectiveAlertRules");
const Count = z.object({
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
    before: Count,
    after: Count,
  })
  .openapi("AlertRulePreview");
export const Monitoring = z
  .object({
    patient_id: Id,
    monitoring: z.enum(["off", "home", "ward"]).openapi({ description: "Changed with the patient" }),
    spo2_scale: z.number().int(),
    pregnant: z.boolean(),
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
      .openapi({ description: "NEWS2: 2 for hypercapnic respiratory failure that a clinician has confirmed" }),
    pregnant: z.boolean().optional().openapi({ description: "NEWS2 does not apply then" }),
  })
  .refine((change) => Object.keys(change).length > 0, "Nothing to change")
  .openapi("MonitoringChange");
const settings = { patient_id: EXAMPLE.patient, monitoring: "ward" as const, spo2_scale: 2, pregnant: false, version: 2 };
export const exampleMonitoring = { ...settings, updated_by: EXAMPLE.user, updated_at: EXAMPLE.time };

export const exampleDefault = {
  ...vital,
  display: "Heart rate",
  plausible: { min: 0, max: 350, source: "Upper end of bedside monitors" },
  limits: { ...effective, low: 50, high: 120 },
  source: "NEWS2 three points and common monitor defaults",
};
export const exampleEffective = {
  patient_id: EXAMPLE.patient,
  ward_id: EXAMPLE.ward,
  age_band: "adult" as const,
  rules: [
    {
      ...vital,
      limits: effective,
      from: { low: "patient" as const, high: "patient" as const, critical_low: "default" as const },
      version: 1,
      updated_by: EXAMPLE.user,
      updated_at: EXAMPLE.time,
    },
  ],
};
export const examplePreview = {
  patient_id: EXAMPLE.patient,
  ...vital,
  from: EXAMPLE.time,
  to: EXAMPLE.time,
  samples: 86_400,
  before: { limits: { ...effective, low: 50, high: 120 }, alarms: 14, high: 1, medium: 13, low: 0 },
  after: { limits: effective, alarms: 2, high: 1, medium: 1, low: 0 },
};
