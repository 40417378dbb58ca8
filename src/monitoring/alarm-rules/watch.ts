// How a patient is watched now, from the settings and the devices that send.
import { HOUR_MS } from "../../platform/time.ts";
import type { Watch } from "../vitals/freshness.ts";
import type { AlarmMemory, RuleRun } from "./alarm-memory.ts";
import type { AlarmConfig, Alert } from "./model.ts";

/**
 * A monitor counts as sending for this long after its last message. Longer than any score is current (12 hours and an hour of grace),
 * so that a monitor that falls silent never makes an overdue score current again.
 */
const SENDING_MS = 24 * 3_600_000;

/** When the last monitor that sends stops counting, epoch milliseconds; null without one. */
export function findSendingEnd(
  memory: Pick<AlarmMemory, "devices">,
  { watch, devices }: Pick<AlarmConfig, "watch" | "devices">,
): number | null {
  const ends = Object.entries(devices).flatMap(([id, { isContinuous }]) => {
    const lastHeardAt = memory.devices[id]?.lastHeardAt;
    return watch.mode === "auto" && isContinuous && lastHeardAt !== undefined ? [lastHeardAt + SENDING_MS] : [];
  });
  return ends.length > 0 ? Math.max(...ends) : null;
}

/** @param now epoch milliseconds */
export function resolveWatch(
  memory: Pick<AlarmMemory, "devices">,
  { watch, devices }: Pick<AlarmConfig, "watch" | "devices">,
  now: number,
): Watch {
  const { mode, grace_ms } = watch;
  if (mode !== "auto") return { mode, grace_ms };
  const end = findSendingEnd(memory, { watch, devices });
  return { mode: end !== null && now <= end ? "continuous" : "spot", grace_ms };
}

/**
 * How long the values must be better before an alert ends, beyond the rule's own duration. A spot patient with three points in one
 * parameter, or 5 or 6 in sum, is measured every hour (RCP 2017): one better set among them is not the end of the event, and a medium
 * alert that somebody has acknowledged ends when the next set would be due and its grace is over. A high one ends at once, so that
 * every return beyond a critical limit is signalled, and so does one that nobody has seen: it would go on asking for help.
 */
export function confirmationMs(run: Pick<RuleRun, "memory" | "config" | "now">, alert: Alert | undefined): number {
  if (alert?.state !== "acknowledged" || alert.priority !== "medium") return 0;
  const { mode, grace_ms } = resolveWatch(run.memory, run.config, run.now);
  return mode === "spot" ? HOUR_MS + grace_ms : 0;
}
