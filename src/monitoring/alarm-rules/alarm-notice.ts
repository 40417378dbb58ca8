// Which changes of an alert people are told of by message.
import type { Alarm } from "../../notifications/alarms.ts";
import type { Transition } from "./model.ts";

const KINDS: Partial<Record<Transition["what"], Alarm["kind"]>> = {
  raised: "alert.raised",
  raised_priority: "alert.raised",
  raised_sound: "alert.raised",
  escalated: "alert.escalated",
  repeated: "alert.repeated",
};

/**
 * Null for a change that no message tells: of a silent alert or one of low priority, of one that goes on flapping, and a repeat of one
 * that is acknowledged or not high.
 */
export function toAlarmNotice({ what, alert, isFlapping }: Transition): Pick<Alarm, "kind" | "priority" | "tier"> | null {
  const { priority, tier, state, sounds } = alert;
  const kind = KINDS[what];
  if (!kind || priority === "low" || sounds === false || isFlapping) return null;
  if (kind === "alert.repeated" && (priority !== "high" || state !== "active")) return null;
  return { kind, priority, tier };
}
