// The rule for critical values that arrive as history, or after newer ones: an entry in the work list with the true time, without a sound.
import { presentWindowMs } from "../vitals/freshness.ts";
import type { RuleRun } from "./alarm-memory.ts";
import { findOpenAlert, raiseAlert } from "./alert-lifecycle.ts";
import { formatReading, hasNotLasted, isTold, locateValue } from "./limit-rule.ts";
import { getTakenScore } from "./news2-rule.ts";
import { resolveWatch } from "./watch.ts";

/** The newest late critical value of each vital in one input: a long backlog makes one entry per vital. `at`: epoch milliseconds. */
type LateValues = Map<string, { value: number; at: number }>;

/**
 * Values measured before `presentFrom`, epoch milliseconds, are history: no alarm of now, but `late` collects critical ones.
 * `isPartial`: they are of a set that was not completed.
 */
export type Arrival = { presentFrom: number; late: LateValues; isPartial?: true | undefined };

export function beginArrival({ memory, config, now }: RuleRun, isPartial = false): Arrival {
  const window = presentWindowMs(resolveWatch(memory, config, now), getTakenScore(memory, config));
  return { presentFrom: now - window, late: new Map(), ...(isPartial && { isPartial: true }) };
}

/** Notes a value beyond a critical limit that nobody was told of. Values come in order of measurement. */
export function noteLateValue(run: RuleRun, late: LateValues, code: string, value: number, at: number): void {
  const limits = run.config.limits[code];
  const position = limits && locateValue(code, value, limits);
  if (run.config.monitoring === "off" || !position?.critical) return;
  const vital = run.memory.vitals[code];
  if (isTold(vital, position.side, at) || (position.side === "high" && hasNotLasted(run, code, vital, at))) return;
  late.set(code, { value, at });
}

/** Raises one entry per vital, or renews an open one whose value is older. It stays until somebody acknowledges it. */
export function raiseLateAlerts(run: RuleRun, late: LateValues): void {
  for (const [code, { value, at }] of late) {
    const limits = run.config.limits[code];
    const position = limits && locateValue(code, value, limits);
    if (!position) continue;
    const key = `late_critical:${code}`;
    const measured_at = new Date(at).toISOString();
    const known = findOpenAlert(run, key)?.why.measured_at;
    if (known !== undefined && known >= measured_at) continue;
    const side = position.side === "low" ? "below" : "above";
    const text = `${formatReading(code, value)} was at or ${side} the critical limit ${position.bound} at ${measured_at} and arrived late`;
    const why = { value, bound: position.bound, side: position.side, window_s: null, measured_at, text };
    raiseAlert(run, { key, rule: "late_critical", code, device: null, priority: "medium", why, sounds: false }, true);
  }
}
