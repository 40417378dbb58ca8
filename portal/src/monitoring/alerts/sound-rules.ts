// What sounds, and when: one tone, of the most urgent alarm that nobody has seen. Nothing here needs a browser.
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";

export type Tone = AlertView["priority"];
type AudibleAlarm = Pick<AlertView, "alert_id" | "priority" | "state" | "snoozed_until">;

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
export type ToneState = { tone: Tone | null; burstAt: number; pause: Pause | null };
export const SILENT_STATE: ToneState = { tone: null, burstAt: 0, pause: null };

const isSnoozed = ({ snoozed_until }: AudibleAlarm, now: number) => snoozed_until !== null && Date.parse(snoozed_until) > now;
const listNewHighAlarms = (alerts: readonly AudibleAlarm[]) =>
  alerts.flatMap(({ alert_id, priority, state }) => (priority === "high" && state === "active" ? [alert_id] : []));

/** Of those that are new; one that was snoozed, seen or is over makes no sound. */
export function selectTone(alerts: readonly AudibleAlarm[], now: number): Tone | null {
  const sounding = alerts.filter((alert) => alert.state === "active" && !isSnoozed(alert, now));
  return URGENCY.find((tone) => sounding.some(({ priority }) => priority === tone)) ?? null;
}

export function startPause(before: ToneState, alerts: readonly AudibleAlarm[], now: number): ToneState {
  return { ...before, pause: { until: now + PAUSE_MS, known: listNewHighAlarms(alerts) } };
}

export const endPauseState = (before: ToneState): ToneState => ({ ...before, tone: null, pause: null });

/** A high alarm that was not there when the pause began ends it, and so does one that came back after it was gone. */
function continuePause({ pause }: ToneState, alerts: readonly AudibleAlarm[], now: number): Pause | null {
  if (!pause || now >= pause.until) return null;
  const highs = listNewHighAlarms(alerts);
  if (highs.some((id) => !pause.known.includes(id))) return null;
  return { ...pause, known: highs };
}

/**
 * One look at the alarms.
 * @returns what sounds from here on; `burst`: begin this tone now; `hush`: end what sounds first
 */
export function advanceTone(
  before: ToneState,
  alerts: readonly AudibleAlarm[],
  now: number,
): { after: ToneState; burst: Tone | null; hush: boolean } {
  const pause = continuePause(before, alerts, now);
  const tone = pause ? null : selectTone(alerts, now);
  const isChanged = tone !== before.tone;
  const isDue = tone !== null && (isChanged || now - before.burstAt >= TONES[tone].everyMs);
  return {
    after: { tone, burstAt: isDue ? now : before.burstAt, pause },
    burst: isDue ? tone : null,
    hush: isChanged && before.tone !== null,
  };
}
