// Pure rules of the alarm sound: one tone, of the most urgent unacknowledged alarm.
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";

export type Tone = AlertView["priority"];
type AudibleAlarm = Pick<AlertView, "alert_id" | "priority" | "state" | "snoozed_until" | "sounds">;

/**
 * Modelled on IEC 60601-1-8, no claim of conformity: start of each pulse in seconds from the start of a burst, pitch,
 * and the interval between bursts.
 */
export const TONES: Readonly<Record<Tone, { pulses: readonly number[]; pulseS: number; hertz: number; everyMs: number }>> = {
  high: { pulses: [0, 0.25, 0.5, 0.9, 1.15, 1.75, 2, 2.25, 2.65, 2.9], pulseS: 0.15, hertz: 880, everyMs: 10_000 },
  medium: { pulses: [0, 0.4, 0.8], pulseS: 0.2, hertz: 660, everyMs: 25_000 },
  low: { pulses: [0], pulseS: 0.2, hertz: 440, everyMs: 30_000 },
};
const URGENCY: readonly Tone[] = ["high", "medium", "low"];
export const PAUSE_MS = 120_000;

/** `until`: server time, epoch milliseconds. `known`: high-priority alarms at the start; any other ends the pause. */
type Pause = { until: number; known: readonly string[] };
/** `burstAt`: when the current tone last started a burst. */
export type ToneState = { tone: Tone | null; burstAt: number; pause: Pause | null };
export const SILENT_STATE: ToneState = { tone: null, burstAt: 0, pause: null };

const isSnoozed = ({ snoozed_until }: AudibleAlarm, now: number) => snoozed_until !== null && Date.parse(snoozed_until) > now;
const listNewHighAlarms = (alerts: readonly AudibleAlarm[]) =>
  alerts.flatMap(({ alert_id, priority, state, sounds }) =>
    sounds !== false && priority === "high" && state === "active" ? [alert_id] : [],
  );

/** New alarms only: snoozed, acknowledged, closed and silent alarms make no sound. */
export function selectTone(alerts: readonly AudibleAlarm[], now: number): Tone | null {
  const sounding = alerts.filter((alert) => alert.sounds !== false && alert.state === "active" && !isSnoozed(alert, now));
  return URGENCY.find((tone) => sounding.some(({ priority }) => priority === tone)) ?? null;
}

export function startPause(before: ToneState, alerts: readonly AudibleAlarm[], now: number): ToneState {
  return { ...before, pause: { until: now + PAUSE_MS, known: listNewHighAlarms(alerts) } };
}

export const endPauseState = (before: ToneState): ToneState => ({ ...before, tone: null, pause: null });

/** A high-priority alarm that is new since the pause began ends it, and so does one that went away and came back. */
function continuePause({ pause }: ToneState, alerts: readonly AudibleAlarm[], now: number): Pause | null {
  if (!pause || now >= pause.until) return null;
  const highs = listNewHighAlarms(alerts);
  if (highs.some((id) => !pause.known.includes(id))) return null;
  return { ...pause, known: highs };
}

/**
 * One evaluation of the alarms.
 * @returns the next state; `startsTone`: start this tone now; `stopsTone`: stop the current sound first
 */
export function advanceTone(
  before: ToneState,
  alerts: readonly AudibleAlarm[],
  now: number,
): { after: ToneState; startsTone: Tone | null; stopsTone: boolean } {
  const pause = continuePause(before, alerts, now);
  const tone = pause ? null : selectTone(alerts, now);
  const isChanged = tone !== before.tone;
  const isDue = tone !== null && (isChanged || now - before.burstAt >= TONES[tone].everyMs);
  return {
    after: { tone, burstAt: isDue ? now : before.burstAt, pause },
    startsTone: isDue ? tone : null,
    stopsTone: isChanged && before.tone !== null,
  };
}
