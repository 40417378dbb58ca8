// When an alarm that nobody acknowledges is told to the next tier.
import { ESCALATION_MINUTES } from "../../../../src/monitoring/alarm-rules/escalation.ts";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";

const MINUTE_MS = 60_000;

type EscalatingAlert = Pick<AlertView, "priority" | "state" | "raised_at" | "escalation_tier" | "snoozed_until">;

/**
 * Epoch milliseconds, or null where none follows or it is not known. An alarm that rose in priority counts from when it rose,
 * which only its events tell: counted from its beginning the time is over early, and then nothing is said.
 * @param raisedAt when it was last raised, where that is known
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
