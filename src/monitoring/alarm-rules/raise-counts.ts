// Count of the alerts that a device's conditions or a vital's rules raise in a clock hour, and when one alert stands for the rest.
import { HOUR_MS } from "../../platform/time.ts";
import type { RaiseCount, VitalMemory } from "./alarm-memory.ts";
import type { Alert } from "./model.ts";

/**
 * Per device for its conditions, and per vital for its limits, rate and trend, and for its sensor. A real device or patient has a few. Beyond them one
 * standing alert covers the rest of the hour, so that a loose contact neither floods the ward nor the database.
 */
export const MAX_RAISED_PER_HOUR = 60;

/** Of these raises, so many are told to people; the alert stays open on every screen, and its escalation tells again. */
export const MAX_NOTIFIED_PER_HOUR = 12;

export function countInHour(raised: RaiseCount | undefined, now: number): number {
  return raised?.hour === Math.floor(now / HOUR_MS) ? raised.count : 0;
}

export function addRaises(raised: RaiseCount | undefined, now: number, added: number): RaiseCount {
  return { hour: Math.floor(now / HOUR_MS), count: countInHour(raised, now) + added };
}

/**
 * Until when an alert covers every change of its vital, epoch milliseconds; 0 for an alert that does not. Only an alert that everybody
 * sees as open can: after an acknowledgement or a snooze, which people give one by one, the next change is signalled.
 */
export function standsUntil(vital: Pick<VitalMemory, "raised"> | undefined, alert: Alert): number {
  const isSignalled = alert.state === "active" && alert.snoozed_until === null;
  return isSignalled && vital?.raised && vital.raised.count >= MAX_RAISED_PER_HOUR ? (vital.raised.hour + 1) * HOUR_MS : 0;
}
