// Escalation of an unacknowledged alarm: the board marks it as overdue, and the people of the tier are notified.
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";

/** Epoch milliseconds; null when no escalation follows, and when it is due: its frame is on the way. */
export function getEscalationTime(
  { state, escalates_at }: Pick<AlertView, "state" | "escalates_at">,
  now: number,
): number | null {
  const escalatesAtMs = Date.parse(escalates_at ?? "");
  return state === "active" && escalatesAtMs > now ? escalatesAtMs : null;
}

/** The name of a tier; null where none is shown: only an alarm that still waits is overdue. */
export function getOverdueTier({ state, escalation_tier }: Pick<AlertView, "state" | "escalation_tier">): "1" | "2" | null {
  if (state !== "active" || escalation_tier === 0) return null;
  return escalation_tier === 1 ? "1" : "2";
}
