// Times of escalation and repeat, and their settings. A module without imports at run time, since the portal uses it too.
import type { TierEntry } from "../../notifications/alarms.ts";
import type { AlarmConfig, Priority } from "./model.ts";

/** Minutes without acknowledgement until the alert is overdue, then long overdue: it is marked, and the people of the tier are notified. */
export const ESCALATION_MINUTES: AlarmConfig["escalation"] = { high: [3, 10], medium: [15, 45], low: [] };
/** Minutes until an ongoing alert is repeated. */
export const REPEAT_MINUTES: AlarmConfig["repeat_minutes"] = { high: 15, medium: 60, low: 240 };

/** What a hospital or a ward has chosen; what is absent is inherited. */
export type EscalationSettings = {
  escalation_minutes?: Record<Priority, number[]> | undefined;
  repeat_minutes?: Record<Priority, number | null> | undefined;
  /** The first entry is tier 1. */
  tiers?: TierEntry[][] | undefined;
};

/** The minutes in force for a patient. */
export type Reminders = Pick<AlarmConfig, "escalation" | "repeat_minutes">;

export const DEFAULT_REMINDERS: Reminders = { escalation: ESCALATION_MINUTES, repeat_minutes: REPEAT_MINUTES };

/** The ward's choice before the hospital's before the default. */
export function toReminders(hospital: EscalationSettings | null, ward: EscalationSettings | null): Reminders {
  return {
    escalation: ward?.escalation_minutes ?? hospital?.escalation_minutes ?? ESCALATION_MINUTES,
    repeat_minutes: ward?.repeat_minutes ?? hospital?.repeat_minutes ?? REPEAT_MINUTES,
  };
}
