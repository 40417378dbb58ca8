// Schemas of escalation settings and of the staff of a ward.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Id, Timestamp } from "../../http/router.ts";
import { ESCALATION_MINUTES, REPEAT_MINUTES } from "../../monitoring/alarm-rules/escalation.ts";
import { DEFAULT_TIERS, MAX_TIERS } from "../../notifications/alarms.ts";
import { STAFF_ROLES } from "../../platform/db/schema.ts";
import { ALARM_SCOPES } from "./alarm-scope.ts";

/** Minutes of escalation and repeat. */
export const MINUTES = { min: 1, max: 240 } as const;
export const MAX_TIER_ENTRIES = 20;
export const MAX_WARD_STAFF = 100;

const Minutes = z.int().min(MINUTES.min).max(MINUTES.max);
const isIncreasing = (minutes: readonly number[]) => minutes.every((value, i) => i === 0 || value > (minutes[i - 1] ?? 0));
const TierMinutes = z.array(Minutes).max(MAX_TIERS).refine(isIncreasing, "Each tier must come later than the one before");

const EscalationMinutes = z
  .strictObject({
    high: TierMinutes.min(1).openapi({ description: "At least one: an alert of high priority always escalates" }),
    medium: TierMinutes,
    low: TierMinutes,
  })
  .openapi({
    description:
      "Minutes without acknowledgement until each tier, from when the alert was raised; alerts of low priority tell nobody",
  });
const RepeatMinutes = z.strictObject({ high: Minutes.nullable(), medium: Minutes.nullable(), low: Minutes.nullable() }).openapi({
  description: "Minutes until an ongoing alert is repeated; null for never. Repeats of high ones are sent to people",
});
const TierEntry = z.union([
  z.strictObject({ role: z.enum(STAFF_ROLES) }),
  z.strictObject({ user_id: Id }),
  z.strictObject({ group: z.enum(["care_team", "ward_staff"]) }),
]);
const Tiers = z
  .array(z.array(TierEntry).min(1).max(MAX_TIER_ENTRIES))
  .min(1)
  .max(MAX_TIERS)
  .openapi({
    description:
      "Recipients of each tier, besides those who have the patient; the first entry is tier 1. Being named grants no access: only " +
      "active members of the hospital who may see the patient are notified",
  });

export const EscalationChange = z
  .strictObject({
    escalation_minutes: EscalationMinutes.optional(),
    repeat_minutes: RepeatMinutes.optional(),
    tiers: Tiers.optional(),
  })
  .refine((change) => Object.values(change).some((part) => part !== undefined), "At least one part is required")
  .openapi("EscalationChange", {
    description: "What is absent is inherited: by a ward from its hospital, by a hospital from the default",
  });

const AlarmScope = z.enum(ALARM_SCOPES).openapi({
  description:
    "Patients whose alarms the person can receive. `care_team_patients`: doctors of a hospital where doctors see only the patients of " +
    "their care teams; `nobody`: no active member",
});
const NamedPerson = z.object({
  user_id: Id,
  full_name: z.string(),
  role: z.enum(STAFF_ROLES).nullable(),
  alarm_scope: AlarmScope,
});
const Layer = z.enum(["default", "hospital", "ward"]);

export const Escalation = z
  .object({
    hospital_id: Id,
    ward_id: Id.nullable(),
    own: EscalationChange.nullable().openapi({ description: "What this hospital or ward has chosen itself" }),
    in_force: z.object({ escalation_minutes: EscalationMinutes, repeat_minutes: RepeatMinutes, tiers: Tiers }),
    from: z.object({ escalation_minutes: Layer, repeat_minutes: Layer, tiers: Layer }),
    doctors_alarm_scope: AlarmScope,
    people: z.array(NamedPerson).openapi({ description: "Whom the tiers name" }),
    version: z.number().int().nullable().openapi({ description: "Null while nothing is chosen here" }),
    updated_by: Id.nullable(),
    updated_at: Timestamp.nullable(),
  })
  .openapi("Escalation");

export const exampleEscalationChange = { escalation_minutes: { high: [2, 5], medium: [15, 45], low: [] } };
const inForce = {
  escalation_minutes: { high: [2, 5], medium: [15, 45], low: [] },
  repeat_minutes: { ...REPEAT_MINUTES },
  tiers: DEFAULT_TIERS.map((tier) => [...tier]),
};
export const exampleEscalation = {
  hospital_id: EXAMPLES.hospital,
  ward_id: EXAMPLES.ward,
  own: exampleEscalationChange,
  in_force: inForce,
  from: { escalation_minutes: "ward" as const, repeat_minutes: "default" as const, tiers: "default" as const },
  doctors_alarm_scope: "care_team_patients" as const,
  people: [],
  version: 1,
  updated_by: EXAMPLES.user,
  updated_at: EXAMPLES.time,
};
/** After the ward's choice was deleted. */
export const exampleInherited = {
  ...exampleEscalation,
  own: null,
  in_force: {
    ...inForce,
    escalation_minutes: {
      high: [...ESCALATION_MINUTES.high],
      medium: [...ESCALATION_MINUTES.medium],
      low: [...ESCALATION_MINUTES.low],
    },
  },
  from: { escalation_minutes: "default" as const, repeat_minutes: "default" as const, tiers: "default" as const },
  version: null,
  updated_by: null,
  updated_at: null,
};

export const WardStaff = z
  .object({
    ward_id: Id,
    hospital_id: Id,
    people: z.array(NamedPerson).openapi({
      description:
        "Recipients of the ward's alarms besides care teams. While nobody active is listed, all nurses of the hospital are recipients",
    }),
    version: z.number().int().openapi({ description: "Of the ward" }),
  })
  .openapi("WardStaff");
export const WardStaffChange = z
  .strictObject({
    user_ids: z
      .array(Id)
      .max(MAX_WARD_STAFF)
      .refine((ids) => new Set(ids).size === ids.length, "A person can be listed once"),
  })
  .openapi("WardStaffChange");
export const exampleWardStaff = {
  ward_id: EXAMPLES.ward,
  hospital_id: EXAMPLES.hospital,
  people: [{ user_id: EXAMPLES.user, full_name: "Anita Nair", role: "nurse" as const, alarm_scope: "every_patient" as const }],
  version: 2,
};
