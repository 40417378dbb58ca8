// How a patient is watched now, from the settings and the devices that send.
import type { Watch } from "../vitals/freshness.ts";
import type { AlarmMemory } from "./alarm-memory.ts";
import type { AlarmConfig } from "./model.ts";

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
