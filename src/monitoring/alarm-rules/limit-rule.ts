// The limit rule: onset, duration and recovery of a value beyond a limit.
import { CODES, findVital, PRESSURES } from "../vitals/catalogue.ts";
import type { Limits } from "../vitals/model.ts";
import type { RuleRun, Side, VitalMemory, WatchedVital } from "./alarm-memory.ts";
import { findOpenAlert, isOngoing, isStanding, raiseAlert, recoverAlert } from "./alert-lifecycle.ts";
import type { Alert } from "./model.ts";
import { standsUntil } from "./raise-counts.ts";
import { confirmationMs } from "./watch.ts";

/** A value holds until the next one, at most half an hour, as long as NEWS2 inputs stay fresh. */
export const MAX_VALUE_HOLD_MS = 30 * 60_000;

/** Vitals whose value 0 raises a high-priority alert whatever the limits are, unless it is technical (zero-rule.ts). */
const ZERO_IS_CRITICAL: ReadonlySet<string> = new Set([CODES.heart_rate, CODES.respiratory_rate]);

/** LOINC of the blood pressure panel: systolic, mean and diastolic have one alert (pressure-group.ts). */
export const PRESSURE_PANEL = "85354-9";

export type LimitPosition = { side: Side; bound: number; critical: boolean };

/** The position of a value beyond a limit; null when inside. Limits are inclusive, like NEWS2's bands ("91 or less"). */
export function locateValue(code: string, value: number, limits: Limits): LimitPosition | null {
  if (value <= 0 && ZERO_IS_CRITICAL.has(code)) return { side: "low", bound: 0, critical: true };
  const { critical_low, low, high, critical_high } = limits;
  if (critical_low !== null && value <= critical_low) return { side: "low", bound: critical_low, critical: true };
  if (critical_high !== null && value >= critical_high) return { side: "high", bound: critical_high, critical: true };
  if (low !== null && value <= low) return { side: "low", bound: low, critical: false };
  if (high !== null && value >= high) return { side: "high", bound: high, critical: false };
  return null;
}

/** Whether a value is inside by more than the hysteresis. A side without limits always counts as recovered. */
function hasRecoveredFrom(side: Side, value: number, limits: Limits): boolean {
  const bounds = side === "low" ? [limits.low, limits.critical_low] : [limits.high, limits.critical_high];
  return bounds.every((bound) => {
    if (bound === null) return true;
    return side === "low" ? value > bound + limits.hysteresis : value < bound - limits.hysteresis;
  });
}

export function toLimitKey(code: string): string {
  return `limit:${PRESSURES.includes(code) ? PRESSURE_PANEL : code}`;
}

/** The side on which a vital is in alarm; undefined when it has none, also where another pressure has. */
function findAlarmSide(code: string, vital: VitalMemory, alert: Alert | undefined): Side | undefined {
  if (PRESSURES.includes(code)) return vital.inAlarm?.side;
  return isOngoing(alert) ? (alert.why.side ?? "low") : undefined;
}

/**
 * Evaluates the value at a time, a new or a held one.
 *
 * Beyond a critical limit the alert is raised at once, since monitors already average over seconds; beyond an ordinary one after
 * `duration_s`. A return inside that is shorter than `duration_s` and within the hysteresis does not restart the duration. An alert
 * recovers when the value has been inside by more than the hysteresis for `duration_s` without interruption, a standing one after the
 * clock hour, one of a spot patient that somebody has acknowledged after `confirmationMs`.
 */
export function evaluateLimit(watched: WatchedVital, value: number, time: number, isExercise = watched.vital.isExercise): void {
  const { run, code, vital, limits } = watched;
  const located = locateValue(code, value, limits);
  vital.criticalSince = isHighCritical(located) ? (vital.criticalSince ?? time) : undefined;
  const position = settlePosition(watched, located, time, isExercise);
  const alert = findOpenAlert(run, toLimitKey(code));
  if (position) {
    if (vital.side !== position.side) Object.assign(vital, { side: position.side, onsetAt: time });
    Object.assign(vital, { lastBeyondAt: time, insideSince: undefined });
    if (position.critical) noteTold(vital, position.side, time);
    if (position.critical || time - (vital.onsetAt ?? time) >= limits.duration_s * 1000)
      raiseLimitAlert(watched, value, position);
    return;
  }
  const alarmSide = findAlarmSide(code, vital, alert);
  if (alarmSide) {
    if (isBackInside(watched, alarmSide, value, time) && isConfirmed(watched, alert)) endLimitAlarm(watched, alert);
  } else if (
    vital.side &&
    (hasRecoveredFrom(vital.side, value, limits) || time - (vital.lastBeyondAt ?? time) > limits.duration_s * 1000)
  ) {
    clearOnset(vital);
  }
}

/** Notes that the event is told: it began after the value before it, which was inside, at most as long ago as a value holds. */
function noteTold(vital: VitalMemory, side: Side, time: number): void {
  const { told, measuredAt } = vital;
  if (told?.side === side && told.until >= measuredAt) {
    vital.told = { ...told, until: Math.max(told.until, time) };
    return;
  }
  const earliest = time - MAX_VALUE_HOLD_MS;
  vital.told = { side, from: measuredAt < time ? Math.max(measuredAt + 1, earliest) : earliest, until: time };
}

/** Whether a critical value that arrives after newer ones belongs to an event that raised its alert. */
export function isTold(vital: VitalMemory | undefined, side: Side, at: number): boolean {
  return vital?.told?.side === side && at >= vital.told.from && at <= vital.told.until;
}

/** Whether a newer value came before a high critical one had lasted long enough to raise its alert. */
export function hasNotLasted(run: Pick<RuleRun, "config">, code: string, vital: VitalMemory | undefined, at: number): boolean {
  return vital !== undefined && vital.measuredAt > at && vital.measuredAt < criticalDueAt(run, code, at, undefined);
}

const isHighCritical = (position: LimitPosition | null) => position?.critical === true && position.side === "high";

/**
 * A high rate during physical activity is normal for as long as a session takes: 20 to 60 minutes of vigorous exercise (ACSM, Garber et
 * al. 2011). One that lasts longer is beyond its critical limit.
 */
const EXERCISE_CRITICAL_DELAY_S = 3600;

/** When a value that is beyond a high critical limit has lasted long enough, epoch milliseconds. */
function criticalDueAt(run: Pick<RuleRun, "config">, code: string, since: number, isExercise: true | undefined): number {
  return since + (isExercise ? EXERCISE_CRITICAL_DELAY_S : (run.config.critical_delay_s?.[code] ?? 0)) * 1000;
}

/**
 * What a position means at a time: a high critical one that has not lasted long enough is an ordinary one where there is an ordinary
 * limit, and an ordinary one during physical activity is none.
 */
function settlePosition(
  { run, code, vital, limits }: Omit<WatchedVital, "run"> & { run: Pick<RuleRun, "config"> },
  located: LimitPosition | null,
  time: number,
  isExercise: true | undefined,
): LimitPosition | null {
  if (located?.side !== "high") return located;
  const isLasting = located.critical && time >= criticalDueAt(run, code, vital.criticalSince ?? time, isExercise);
  if (isLasting) return located;
  if (isExercise || limits.high === null) return null;
  return { side: "high", bound: limits.high, critical: false };
}

export function isInLimitAlarm(run: RuleRun, code: string, vital: VitalMemory): boolean {
  return findAlarmSide(code, vital, findOpenAlert(run, toLimitKey(code))) !== undefined;
}

function isBackInside({ vital, limits }: WatchedVital, side: Side, value: number, time: number): boolean {
  if (!hasRecoveredFrom(side, value, limits)) {
    vital.insideSince = undefined;
    return false;
  }
  vital.insideSince ??= time;
  return time - vital.insideSince >= limits.duration_s * 1000;
}

function isConfirmed({ run, vital }: WatchedVital, alert: Alert | undefined): boolean {
  return run.now - (vital.insideSince ?? run.now) >= confirmationMs(run, alert);
}

function endLimitAlarm({ run, code, vital }: WatchedVital, alert: Alert | undefined): void {
  if (PRESSURES.includes(code)) vital.inAlarm = undefined;
  else if (alert && isStanding(run, alert)) return;
  else recoverAlert(run, toLimitKey(code));
  clearOnset(vital);
}

/** Ends the alarm of a vital whose value was wrong or which is not watched any more. */
export function dropLimitAlarm(run: RuleRun, code: string, vital: VitalMemory): void {
  if (PRESSURES.includes(code)) vital.inAlarm = undefined;
  else recoverAlert(run, toLimitKey(code));
}

export function clearOnset(vital: VitalMemory): void {
  Object.assign(vital, { side: undefined, onsetAt: undefined, lastBeyondAt: undefined, insideSince: undefined });
}

function raiseLimitAlert({ run, code, vital, limits }: WatchedVital, value: number, position: LimitPosition): void {
  if (PRESSURES.includes(code)) {
    vital.inAlarm = position;
    return;
  }
  const window_s = position.critical ? 0 : limits.duration_s;
  const reading = formatReading(code, value);
  const isApnoea = code === CODES.respiratory_rate && value === 0;
  const text = isApnoea ? `${reading}: apnoea or sensor off` : describePosition(reading, position);
  raiseAlert(run, {
    key: toLimitKey(code),
    rule: "limit",
    code,
    device: null,
    priority: position.critical ? "high" : "medium",
    why: {
      value,
      bound: position.bound,
      side: position.side,
      window_s,
      text: window_s > 0 ? `${text}, for ${window_s} s` : text,
    },
  });
}

/** "Heart rate 132 /min is at or above the critical limit 131" */
export function describePosition(reading: string, { side, bound, critical }: LimitPosition): string {
  return `${reading} is at or ${side === "low" ? "below" : "above"} the ${critical ? "critical " : ""}limit ${bound}`;
}

/** "Heart rate 132 /min" */
export function formatReading(code: string, value: number): string {
  const vital = findVital(code);
  return vital ? `${vital.display} ${value} ${vital.unit}` : `${code} ${value}`;
}

/** When the onset or recovery of the held value completes, epoch milliseconds; null when it needs another value. */
export function limitDeadline(
  run: Pick<RuleRun, "memory" | "config">,
  code: string,
  vital: VitalMemory,
  limits: Limits,
): number | null {
  if (vital.resolved) return null;
  const alert = run.memory.alerts.find((open) => open.key === toLimitKey(code));
  const located = locateValue(code, vital.lastValue, limits);
  const position = settlePosition({ run, code, vital, limits }, located, vital.measuredAt, vital.isExercise);
  const alarmSide = findAlarmSide(code, vital, alert);
  const start = position ? findOnset(vital, position, alarmSide) : alarmSide && vital.insideSince;
  const starts = start === undefined ? [] : [start + limits.duration_s * 1000];
  if (isHighCritical(located) && !position?.critical && !(isOngoing(alert) && alert.priority === "high"))
    starts.push(criticalDueAt(run, code, vital.criticalSince ?? vital.measuredAt, vital.isExercise));
  const dueAt = Math.min(...starts);
  if (dueAt > vital.measuredAt + MAX_VALUE_HOLD_MS) return null;
  if (position || !alert || isHighCritical(located)) return dueAt;
  const confirmedAt = (vital.insideSince ?? dueAt) + confirmationMs({ ...run, now: run.memory.now }, alert);
  return Math.max(dueAt, confirmedAt, standsUntil(vital, alert));
}

/** Since when the value has been on its side; undefined when the alert was already raised for it. */
function findOnset(vital: VitalMemory, position: LimitPosition, alarmSide: Side | undefined): number | undefined {
  return alarmSide === position.side || vital.side !== position.side ? undefined : vital.onsetAt;
}
