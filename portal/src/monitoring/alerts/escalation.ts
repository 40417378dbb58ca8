// Escalation of an unacknowledged alarm by the standard times: the board marks it as overdue, and the people of the tier are told.
import { ESCALATION_MINUTES } from "../../../../src/monitoring/alarm-rules/escalation.ts";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";

const MINUTE_MS = 60_000;

type EscalatingAlert = Pick<AlertView, "priority" | "state" | "raised_at" | "escalation_tier" | "snoozed_until">;

/**
 * Epoch milliseconds; null when no escalation follows or the time is unknown. A raised priority restarts the time, which
 * only the events show: counted from the start of the alarm it would be in the past, and then nothing is shown.
 * @param raisedAt when the priority was last raised, if known
 */
export function getEscalationTime(alert: EscalatingAlert, now: number, raisedAt: string = alert.raised_at): number | null {
  const minutes = ESCALATION_MINUTES[alert.priority][alert.escalation_tier];
  if (alert.state !== "active" || minutes === undefined) return null;
  const escalatesAtMs = Math.max(
    Date.parse(raisedAt) + minutes * MINUTE_MS,
    alert.snoozed_until ? Date.parse(alert.snoozed_until) : 0,
  );
  return escalatesAtMs > now ? escalatesAtMs : null;
}

/** The name of a tier; null where none is shown: only an alarm that still waits is overdue. */
export function getOverdueTier({ state, escalation_tier }: Pick<AlertView, "state" | "escalation_tier">): "1" | "2" | null {
  if (state !== "active" || escalation_tier === 0) return null;
  return escalation_tier === 1 ? "1" : "2";
}
