// Schemas and examples of alerts.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Id, Timestamp } from "../../http/router.ts";
import { ALERT_STATES, PRIORITIES, RULE_NAMES } from "../alarm-rules/model.ts";
import { toAlertId } from "../patient-object/samples/ids.ts";
import { MAX_EVENTS } from "./alerts.ts";

export const AlertId = z
  .string()
  .min(1)
  .max(64)
  .openapi({ example: toAlertId(EXAMPLES.patient, 7) });
export const Code = z.string().max(64).openapi({ description: "LOINC", example: "8867-4" });

export const Alert = z
  .object({
    alert_id: AlertId,
    patient_id: Id,
    rule: z.enum(RULE_NAMES),
    code: Code.nullable().openapi({
      description: "LOINC; null for alerts about a device or NEWS2. Of blood pressures, the worst",
    }),
    device_id: Id.nullable(),
    priority: z.enum(PRIORITIES),
    state: z
      .enum(ALERT_STATES)
      .openapi({ description: "`recovered`: a high-priority alert whose condition ended before it was acknowledged" }),
    why: z
      .object({
        value: z.number().nullable(),
        bound: z.number().nullable(),
        side: z.enum(["low", "high"]).nullable(),
        window_s: z.number().nullable(),
        measured_at: Timestamp.optional().openapi({
          description: "When a value of the past was measured (rule `late_critical`)",
        }),
        text: z.string(),
        values: z
          .array(z.object({ code: Code, value: z.number() }))
          .optional()
          .openapi({ description: "Every value of one event: blood pressures have one alert" }),
      })
      .openapi({ description: "Value, limit and time window that caused the alert. Decision support, not a diagnosis" }),
    sounds: z.boolean().openapi({ description: "false: shown, ranked and listed, but without a sound and a push message" }),
    raised_at: Timestamp,
    acknowledged_at: Timestamp.nullable(),
    acknowledged_by: z.string().nullable(),
    assigned_to: z.string().nullable(),
    escalation_tier: z.number().int().openapi({
      description: "0 until the first escalation, 1 overdue, 2 and 3 long overdue; the people of each tier are notified",
    }),
    snoozed_until: Timestamp.nullable(),
    escalates_at: Timestamp.nullable().openapi({
      description:
        "When the next escalation follows if nobody acknowledges, by the minutes in force at the alert's last change; " +
        "null without one",
    }),
    recovered_at: Timestamp.nullable(),
    cleared_at: Timestamp.nullable(),
    duration_s: z.number().nullable(),
  })
  .openapi("Alert");
const AlertEvent = z.object({
  what: z.string(),
  at: Timestamp,
  by: z.string().nullable(),
  priority: z.enum(PRIORITIES).nullable(),
  state: z.enum(ALERT_STATES).nullable(),
  comment: z.string().nullable(),
});
export const AlertPage = Alert.extend({
  events: z
    .array(AlertEvent)
    .openapi({ description: `The newest ${MAX_EVENTS}, oldest first; up to two seconds behind the alert` }),
}).openapi("AlertPage");

export const exampleAlert = {
  alert_id: toAlertId(EXAMPLES.patient, 7),
  patient_id: EXAMPLES.patient,
  rule: "limit" as const,
  code: "8867-4",
  device_id: EXAMPLES.device,
  priority: "high" as const,
  state: "acknowledged" as const,
  why: { value: 34, bound: 40, side: "low" as const, window_s: 0, text: "Heart rate 34 /min is at or below 40" },
  sounds: true,
  raised_at: EXAMPLES.time,
  acknowledged_at: EXAMPLES.time,
  acknowledged_by: EXAMPLES.user,
  assigned_to: null,
  escalation_tier: 0,
  snoozed_until: null,
  escalates_at: null,
  recovered_at: null,
  cleared_at: null,
  duration_s: null,
};
const exampleEvent = { at: EXAMPLES.time, by: null, priority: "high" as const, state: "active" as const, comment: null };
export const exampleAlertPage = { ...exampleAlert, events: [{ ...exampleEvent, what: "raised" }] };
