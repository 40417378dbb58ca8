// Limit alerts of blood pressures: systolic, mean and diastolic of one event have one alert, with the priority of the worst.
import { findVital, PRESSURES } from "../vitals/catalogue.ts";
import type { AlarmMemory, RuleRun, Side, VitalMemory } from "./alarm-memory.ts";
import { clearAlert, findOpenAlert, isOngoing, isStanding, raiseAlert, recoverAlert } from "./alert-lifecycle.ts";
import { describePosition, formatReading, PRESSURE_PANEL, toLimitKey } from "./limit-rule.ts";
import { type Alert, PRIORITIES } from "./model.ts";
import { standsUntil } from "./raise-counts.ts";

const PRESSURE_KEY = `limit:${PRESSURE_PANEL}`;
/** Pressures of one measurement arrive within this time. */
const ONE_MEASUREMENT_MS = 60_000;

type PressureInAlarm = { code: string; vital: VitalMemory; side: Side; bound: number; critical: boolean };

function listPressuresInAlarm(memory: AlarmMemory): PressureInAlarm[] {
  const members: PressureInAlarm[] = [];
  for (const code of PRESSURES) {
    const vital = memory.vitals[code];
    if (vital?.inAlarm) members.push({ code, vital, ...vital.inAlarm });
  }
  return members;
}

/**
 * Raises the alert of the pressures, or ends it when the last of them is back. Call it when all values of one time are evaluated. A
 * further pressure of the same or a lower priority changes nothing, since the alert names all of them already.
 */
export function evaluatePressures(run: RuleRun): void {
  const members = listPressuresInAlarm(run.memory);
  const alert = members.length === 0 && run.memory.alerts.length === 0 ? undefined : findOpenAlert(run, PRESSURE_KEY);
  const worst = members.find(({ critical }) => critical) ?? members[0];
  if (!worst) {
    if (isOngoing(alert) && !isStanding(run, alert)) recoverAlert(run, PRESSURE_KEY);
    return;
  }
  const isHigher = worst.critical && alert?.priority !== "high";
  const isKnown = isOngoing(alert) && members.some(({ code, side }) => code === alert.code && side === alert.why.side);
  if (isKnown && !isHigher) return;
  const { code, side, bound } = worst;
  const priority = worst.critical ? "high" : "medium";
  const window_s = worst.critical ? 0 : (run.config.limits[code]?.duration_s ?? 0);
  const why = { value: worst.vital.lastValue, bound, side, window_s, ...describePressures(run.memory, members, worst, window_s) };
  raiseAlert(run, { key: PRESSURE_KEY, rule: "limit", code, device: null, priority, why });
}

/** "Blood pressure systolic 87, mean 62 mm[Hg]: systolic is at or below the critical limit 90, mean is at or below the limit 64" */
function describePressures(memory: AlarmMemory, members: readonly PressureInAlarm[], worst: PressureInAlarm, window_s: number) {
  const values = PRESSURES.flatMap((code) => {
    const vital = memory.vitals[code];
    const isCurrent = vital && Math.abs(vital.measuredAt - worst.vital.measuredAt) <= ONE_MEASUREMENT_MS;
    return isCurrent ? [{ code, value: vital.lastValue }] : [];
  });
  const toText = (reasons: string) => (window_s > 0 ? `${reasons}, for ${window_s} s` : reasons);
  if (values.length === 1) return { text: toText(describePosition(formatReading(worst.code, worst.vital.lastValue), worst)) };
  const readings = values.map(({ code, value }) => `${nameOf(code)} ${value}`).join(", ");
  const reasons = members.map((member) => describePosition(nameOf(member.code), member)).join(", ");
  return { values, text: toText(`Blood pressure ${readings} mm[Hg]: ${reasons}`) };
}

/** "systolic", from the name of the catalogue. */
const nameOf = (code: string) => findVital(code)?.name.replace("_pressure", "") ?? code;

/** The alert was resolved by hand: only new values raise it again. */
export function ignorePressures(memory: AlarmMemory): void {
  for (const { vital } of listPressuresInAlarm(memory)) {
    const inside = { side: undefined, onsetAt: undefined, lastBeyondAt: undefined, insideSince: undefined };
    Object.assign(vital, { ...inside, inAlarm: undefined, resolved: true });
  }
}

/** When the alert, which stood for all changes of an hour, ends without another value, epoch milliseconds. */
export function listPressureDeadlines(memory: AlarmMemory): number[] {
  const alert = memory.alerts.find(({ key }) => key === PRESSURE_KEY);
  if (!isOngoing(alert) || listPressuresInAlarm(memory).length > 0) return [];
  return [standsUntil(memory.vitals[alert.code ?? ""], alert)];
}

/**
 * Makes one alert of the alerts that each pressure had in memories of earlier versions. The worst stays, with its acknowledgement; the
 * others are cleared, so that they do not stay open for ever.
 */
export function mergePressureAlerts(run: RuleRun): void {
  if (run.memory.alerts.length === 0) return;
  const old = run.memory.alerts.filter(
    ({ key, code }) => code !== null && key === `limit:${code}` && toLimitKey(code) === PRESSURE_KEY,
  );
  for (const { code, priority, state, why } of old) {
    const vital = run.memory.vitals[code ?? ""];
    if (vital && state !== "recovered" && why.side && why.bound !== null)
      vital.inAlarm = { side: why.side, bound: why.bound, critical: priority === "high" };
  }
  const [worst, ...others] = old.sort(
    (a, b) =>
      PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority) || stateOrder(a) - stateOrder(b) || a.number - b.number,
  );
  for (const alert of others) clearAlert(run, alert);
  if (!worst) return;
  if (findOpenAlert(run, PRESSURE_KEY)) clearAlert(run, worst);
  else worst.key = PRESSURE_KEY;
}

const stateOrder = ({ state }: Alert) => ["active", "acknowledged", "recovered", "cleared"].indexOf(state);
