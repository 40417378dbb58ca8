// How a patient is watched now, from the settings and the devices that send.
import { HOUR_MS } from "../../platform/time.ts";
import { CONTINUOUS_VALID_MS, type Watch } from "../vitals/freshness.ts";
import type { AlarmMemory, RuleRun } from "./alarm-memory.ts";
import type { AlarmConfig, Alert } from "./model.ts";

/**
 * A monitor counts as sending for this long after its last message. Longer than any score is current (12 hours and an hour of grace),
 * so that a monitor that falls silent never makes an overdue score current again.
 */
const SENDING_MS = 24 * 3_600_000;

type Monitored = Pick<AlarmConfig, "watch" | "devices">;

/** When a monitor of the patient was last heard, epoch milliseconds; null without one. */
function findLastHeard(memory: Pick<AlarmMemory, "devices">, { devices }: Pick<AlarmConfig, "devices">): number | null {
  const times = Object.entries(devices).flatMap(([id, { isContinuous }]) => {
    const lastHeardAt = memory.devices[id]?.lastHeardAt;
    return isContinuous && lastHeardAt !== undefined ? [lastHeardAt] : [];
  });
  return times.length > 0 ? Math.max(...times) : null;
}

/** When the last monitor that sends stops counting, epoch milliseconds; null without one. */
export function findSendingEnd(memory: Pick<AlarmMemory, "devices">, config: Monitored): number | null {
  const lastHeardAt = config.watch.mode === "auto" ? findLastHeard(memory, config) : null;
  return lastHeardAt === null ? null : lastHeardAt + SENDING_MS;
}

/** When the values of the last monitor no longer count, so that sets are due from then on; null for a patient without one. */
export function findSilentFrom(memory: Pick<AlarmMemory, "devices">, config: Pick<AlarmConfig, "devices">): number | null {
  const lastHeardAt = findLastHeard(memory, config);
  return lastHeardAt === null ? null : lastHeardAt + CONTINUOUS_VALID_MS;
}

/** @param now epoch milliseconds */
export function resolveWatch(memory: Pick<AlarmMemory, "devices">, { watch, devices }: Monitored, now: number): Watch {
  const { mode, grace_ms } = watch;
  if (mode !== "auto") return { mode, grace_ms };
  const end = findSendingEnd(memory, { watch, devices });
  return { mode: end !== null && now <= end ? "continuous" : "spot", grace_ms };
}

/** Whether a monitor takes the place of rounds: not once its values no longer count. */
export function isMonitorWatching(memory: Pick<AlarmMemory, "devices">, config: Monitored, now: number): boolean {
  const silentFrom = findSilentFrom(memory, config);
  return resolveWatch(memory, config, now).mode === "continuous" && (silentFrom === null || now <= silentFrom);
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
