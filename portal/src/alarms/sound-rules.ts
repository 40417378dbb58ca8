// What sounds, and when: one tone, of the most urgent alarm that nobody has seen. Nothing here needs a browser.
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";

export type Tone = AlertView["priority"];
type Heard = Pick<AlertView, "alert_id" | "priority" | "state" | "snoozed_until">;

/**
 * Modelled on IEC 60601-1-8, without claiming it: seconds from the start of a burst at which its pulses begin, their pitch, and
 * after how long it comes again.
 */
export const TONES: Readonly<Record<Tone, { pulses: readonly number[]; pulseS: number; hertz: number; everyMs: number }>> = {
  high: { pulses: [0, 0.25, 0.5, 0.9, 1.15, 1.75, 2, 2.25, 2.65, 2.9], pulseS: 0.15, hertz: 880, everyMs: 10_000 },
  medium: { pulses: [0, 0.4, 0.8], pulseS: 0.2, hertz: 660, everyMs: 25_000 },
  low: { pulses: [0], pulseS: 0.2, hertz: 440, everyMs: 30_000 },
};
const URGENCY: readonly Tone[] = ["high", "medium", "low"];
export const PAUSE_MS = 120_000;

/** `until`: epoch milliseconds of the server. `known`: the high alarms that were there; any other ends the pause. */
type Pause = { until: number; known: readonly string[] };
/** `burstAt`: when the tone that goes on last began a burst. */
export type Sounding = { tone: Tone | null; burstAt: number; pause: Pause | null };
export const SILENT: Sounding = { tone: null, burstAt: 0, pause: null };

const isSnoozed = ({ snoozed_until }: Heard, now: number) => snoozed_until !== null && Date.parse(snoozed_until) > now;
const newHighs = (alerts: readonly Heard[]) =>
  alerts.flatMap(({ alert_id, priority, state }) => (priority === "high" && state === "active" ? [alert_id] : []));

/** Of those that are new; one that was snoozed, seen or is over makes no sound. */
export function toneOf(alerts: readonly Heard[], now: number): Tone | null {
  const sounding = alerts.filter((alert) => alert.state === "active" && !isSnoozed(alert, now));
  return URGENCY.find((tone) => sounding.some(({ priority }) => priority === tone)) ?? null;
}

export function paused(before: Sounding, alerts: readonly Heard[], now: number): Sounding {
  return { ...before, pause: { until: now + PAUSE_MS, known: newHighs(alerts) } };
}

export const unpaused = (before: Sounding): Sounding => ({ ...before, tone: null, pause: null });

/** A high alarm that was not there when the pause began ends it, and so does one that came back after it was gone. */
function stillPaused({ pause }: Sounding, alerts: readonly Heard[], now: number): Pause | null {
  if (!pause || now >= pause.until) return null;
  const highs = newHighs(alerts);
  if (highs.some((id) => !pause.known.includes(id))) return null;
  return { ...pause, known: highs };
}

/**
 * One look at the alarms.
 * @returns what sounds from here on; `burst`: begin this tone now; `hush`: end what sounds first
 */
export function step(
  before: Sounding,
  alerts: readonly Heard[],
  now: number,
): { after: Sounding; burst: Tone | null; hush: boolean } {
  const pause = stillPaused(before, alerts, now);
  const tone = pause ? null : toneOf(alerts, now);
  const changed = tone !== before.tone;
  const due = tone !== null && (changed || now - before.burstAt >= TONES[tone].everyMs);
  return {
    after: { tone, burstAt: due ? now : before.burstAt, pause },
    burst: due ? tone : null,
    hush: changed && before.tone !== null,
  };
}
