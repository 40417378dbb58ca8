// How a patient is watched now, from the settings and the devices that send.
import type { Watch } from "../vitals/freshness.ts";
import type { AlarmMemory } from "./alarm-memory.ts";
import type { AlarmConfig } from "./model.ts";

/**
 * A monitor counts as sending for this long after its last message. Longer than any score is current (12 hours and an hour of grace),
 * so that a monitor that falls silent never makes an overdue score current again.
 */
const SENDING_MS = 24 * 3_600_000;

/** @param now epoch milliseconds */
export function resolveWatch(
  memory: Pick<AlarmMemory, "devices">,
  { watch, devices }: Pick<AlarmConfig, "watch" | "devices">,
  now: number,
): Watch {
  const { mode, grace_ms } = watch;
  if (mode !== "auto") return { mode, grace_ms };
  const isMonitored = Object.entries(devices).some(([id, { isContinuous }]) => {
    const lastHeardAt = memory.devices[id]?.lastHeardAt;
    return isContinuous && lastHeardAt !== undefined && now - lastHeardAt <= SENDING_MS;
  });
  return { mode: isMonitored ? "continuous" : "spot", grace_ms };
}
