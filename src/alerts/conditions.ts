// The limit rule: when a value is beyond a limit, for how long, and when it is back.
import { CODES, vitalOf } from "../vitals/catalogue.ts";
import type { Limits } from "../vitals/model.ts";
import { isGoingOn, openAlert, raise, recover } from "./lifecycle.ts";
import type { Side, VitalMemory, Watched } from "./memory.ts";
import type { Alert } from "./model.ts";

/** A value stands until the next one, but not for longer: half an hour, as long as NEWS2 inputs stay fresh by default. */
export const HELD_MS = 30 * 60_000;

/** No pulse, no oxygen, no breath: of the highest priority whatever the limits are. */
const NOTHING_IS_CRITICAL: ReadonlySet<string> = new Set([CODES.heart_rate, CODES.spo2, CODES.respiratory_rate]);

export type Position = { side: Side; bound: number; critical: boolean };

/** Where a value lies against limits; null is inside. A limit is met at its value, as NEWS2's bands are written ("91 or less"). */
export function position(code: string, value: number, limits: Limits): Position | null {
  if (value <= 0 && NOTHING_IS_CRITICAL.has(code)) return { side: "low", bound: 0, critical: true };
  const { critical_low, low, high, critical_high } = limits;
  if (critical_low !== null && value <= critical_low) return { side: "low", bound: critical_low, critical: true };
  if (critical_high !== null && value >= critical_high) return { side: "high", bound: critical_high, critical: true };
  if (low !== null && value <= low) return { side: "low", bound: low, critical: false };
  if (high !== null && value >= high) return { side: "high", bound: high, critical: false };
  return null;
}

/** Back from the side by more than the hysteresis. A side without limits has nothing to come back from. */
function isBackFrom(side: Side, value: number, limits: Limits): boolean {
  const bounds = side === "low" ? [limits.low, limits.critical_low] : [limits.high, limits.critical_high];
  return bounds.every((bound) => {
    if (bound === null) return true;
    return side === "low" ? value > bound + limits.hysteresis : value < bound - limits.hysteresis;
  });
}

export function limitKey(code: string): string {
  return `limit:${code}`;
}

/**
 * Judges the value that holds at a time, new or still standing.
 *
 * Beyond a critical limit the alarm is raised at once: what monitors send is averaged over seconds already. Beyond an ordinary one it
 * is raised after `duration_s` on that side. A dip back across the limit that is shorter than the duration, and not by more than the
 * hysteresis, does not start the time anew: a value that dithers at its limit is beyond it. An alert recovers when the value has been
 * inside by more than the hysteresis for `duration_s` without a break.
 */
export function judgeLimit(watched: Watched, value: number, time: number): void {
  const { run, code, vital, limits } = watched;
  const where = position(code, value, limits);
  const alert = openAlert(run, limitKey(code));
  if (where) {
    if (vital.side !== where.side) Object.assign(vital, { side: where.side, onsetAt: time });
    Object.assign(vital, { lastBeyondAt: time, insideSince: undefined });
    if (where.critical || time - (vital.onsetAt ?? time) >= limits.duration_s * 1000) raiseLimit(watched, value, where);
  } else if (isGoingOn(alert)) {
    judgeRecovery(watched, alert, value, time);
  } else if (
    vital.side &&
    (isBackFrom(vital.side, value, limits) || time - (vital.lastBeyondAt ?? time) > limits.duration_s * 1000)
  ) {
    forgetOnset(vital);
  }
}

function judgeRecovery({ run, vital, limits }: Watched, alert: Alert, value: number, time: number): void {
  if (!isBackFrom(alert.why.side ?? "low", value, limits)) {
    vital.insideSince = undefined;
    return;
  }
  vital.insideSince ??= time;
  if (time - vital.insideSince < limits.duration_s * 1000) return;
  forgetOnset(vital);
  recover(run, alert.key);
}

export function forgetOnset(vital: VitalMemory): void {
  Object.assign(vital, { side: undefined, onsetAt: undefined, lastBeyondAt: undefined, insideSince: undefined });
}

function raiseLimit({ run, code, limits }: Watched, value: number, where: Position): void {
  const window_s = where.critical ? 0 : limits.duration_s;
  const text = `${said(code, value)} is at or ${where.side === "low" ? "below" : "above"} the ${where.critical ? "critical " : ""}limit ${where.bound}`;
  raise(run, {
    key: limitKey(code),
    rule: "limit",
    code,
    device: null,
    priority: where.critical ? "high" : "medium",
    why: { value, bound: where.bound, side: where.side, window_s, text: window_s > 0 ? `${text}, for ${window_s} s` : text },
  });
}

/** "Heart rate 132 /min" */
export function said(code: string, value: number): string {
  const vital = vitalOf(code);
  return vital ? `${vital.display} ${value} ${vital.unit}` : `${code} ${value}`;
}

/** When a standing value will be judged anew: its onset or its recovery is complete. Null when that needs another value. */
export function limitDeadline(code: string, vital: VitalMemory, limits: Limits, alert: Alert | undefined): number | null {
  if (vital.resolved) return null;
  const where = position(code, vital.lastValue, limits);
  const start = where ? onsetOf(vital, where, alert) : isGoingOn(alert) ? vital.insideSince : undefined;
  const due = start === undefined ? null : start + limits.duration_s * 1000;
  return due !== null && due <= vital.measuredAt + HELD_MS ? due : null;
}

/** Since when a value has been on its side; undefined where that is what the alert says already. */
function onsetOf(vital: VitalMemory, where: Position, alert: Alert | undefined): number | undefined {
  const told = isGoingOn(alert) && alert.why.side === where.side;
  return told || vital.side !== where.side ? undefined : vital.onsetAt;
}
