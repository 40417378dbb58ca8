// The alarm engine: a pure function from inputs to changes of alerts. The caller keeps the memory and the clock.
import { presentWindowMs } from "../vitals/freshness.ts";
import type { Sample } from "../vitals/model.ts";
import type { AlarmMemory, DeviceMemory, RuleRun, VitalMemory, WatchedVital } from "./alarm-memory.ts";
import { beginRuleRun } from "./alarm-memory.ts";
import {
  acknowledgeAlert,
  assignAlert,
  clearAlert,
  findOpenAlert,
  isOngoing,
  listAlertDeadlines,
  recoverAlert,
  requireOpenAlert,
  runDueReminders,
  snoozeAlert,
} from "./alert-lifecycle.ts";
import {
  clearRate,
  evaluateRate,
  evaluateTrend,
  expireChangeAlerts,
  listChangeDeadlines,
  resetBaseline,
} from "./change-rules.ts";
import { applyConditions, ignoreCondition } from "./condition-rule.ts";
import { type LateValues, noteLateValue, raiseLateAlerts } from "./late-critical-rule.ts";
import { clearOnset, evaluateLimit, limitDeadline, locateValue, MAX_VALUE_HOLD_MS, toLimitKey } from "./limit-rule.ts";
import type { AlarmConfig, AlarmInput, Alert, Transition } from "./model.ts";
import { correctSet, evaluateNews2, getTakenScore, ignoreScore, NEWS2_CODES, news2Deadlines, rememberSet } from "./news2-rule.ts";
import { evaluateSilence, ignoreVital, listSilenceDeadlines, recordDeviceContact, recordVital } from "./silence-rule.ts";
import { resolveWatch } from "./watch.ts";

export type { AlarmMemory } from "./alarm-memory.ts";
export { emptyAlarmMemory as emptyMemory } from "./alarm-memory.ts";
export { AlarmError } from "./alert-lifecycle.ts";

/** Older samples are stored and shown but not evaluated. */
const MAX_EVALUATED_AGE_MS = 7 * 24 * 3_600_000;

/**
 * Evaluates one input at `now` (server's clock, epoch milliseconds). Returns a new memory (plain JSON) and the transitions in order,
 * each with the alert after it. After a change of `config` the caller runs a `tick`. A clock that goes back counts as stopped.
 * @throws AlarmError for an action on an unknown or cleared alert; nothing has changed then
 */
export function stepAlarms(
  memory: AlarmMemory,
  input: AlarmInput,
  config: AlarmConfig,
  now: number,
): { state: AlarmMemory; transitions: Transition[] } {
  const run = beginRuleRun(memory, config, now);
  applyInput(run, input);
  rememberSet(run);
  if (config.monitoring === "off") clearAllAlerts(run);
  else evaluateStandingValues(run);
  return { state: run.memory, transitions: run.transitions };
}

function applyInput(run: RuleRun, input: AlarmInput): void {
  switch (input.kind) {
    case "samples":
      applySamples(run, input.device, input.samples);
      break;
    case "conditions":
      applyConditions(run, input.device, input.conditions);
      break;
    case "corrected":
      if (input.measured) correctSet(run, input.code, input.measured.at, input.measured.value);
      applyCorrection(run, input.code, input.newest);
      break;
    case "corrected_set":
      correctSet(run, input.code, input.at, input.value);
      break;
    case "tick":
      break;
    case "acknowledge":
      acknowledgeAlert(run, input.number, input.by);
      break;
    case "assign":
      assignAlert(run, input.number, input.by, input.to);
      break;
    case "snooze":
      snoozeAlert(run, input.number, input.by, input.until);
      break;
    case "resolve":
      resolveAlert(run, requireOpenAlert(run, input.number), input.by);
  }
}

/** Applies samples in order of measurement, whatever their order in the batch. */
function applySamples(run: RuleRun, id: string | null, samples: readonly Sample[]): void {
  const device = id === null ? null : recordDeviceContact(run, id);
  const ordered =
    samples.length < 2 ? samples : [...samples].sort((a, b) => a.at - b.at || (a.seq ?? 0) - (b.seq ?? 0) || a.value - b.value);
  const last = getTakenScore(run.memory, run.config);
  const presentFrom = run.now - presentWindowMs(resolveWatch(run.memory, run.config, run.now), last);
  const late: LateValues = new Map();
  for (const sample of ordered) applySample(run, device, sample, presentFrom, late);
  raiseLateAlerts(run, late);
}

/** @param presentFrom earlier values are history: no alarm of now, but `late` collects critical ones */
function applySample(
  run: RuleRun,
  device: DeviceMemory | null,
  { code, value, at, status }: Sample,
  presentFrom: number,
  late: LateValues,
): void {
  const limits = run.config.limits[code];
  const time = Math.min(at, run.now);
  const previous = run.memory.vitals[code];
  if (status === "invalid" || run.now - time > MAX_EVALUATED_AGE_MS) return;
  const isHistory = time < presentFrom;
  if (isHistory) noteLateValue(run, late, code, value, time);
  if (previous && time < previous.measuredAt) return;
  if (!limits && !NEWS2_CODES.has(code)) return;
  if (device && !isHistory) recordVital(run, device, code);
  const vital = previous ?? { lastValue: value, measuredAt: time, receivedAt: run.now };
  run.memory.vitals[code] = vital;
  if (isHistory) {
    // Kept for the score, which judges its own age, and never held against the limits.
    if (!isOngoing(findOpenAlert(run, toLimitKey(code)))) clearOnset(vital);
    Object.assign(vital, { lastValue: value, measuredAt: time, receivedAt: run.now, resolved: true });
    return;
  }
  if (limits && run.config.monitoring !== "off")
    evaluateSample({ run, code, vital, limits }, value, time, previous === undefined);
  Object.assign(vital, { lastValue: value, measuredAt: time, receivedAt: run.now, resolved: undefined });
}

/**
 * Ends what the wrong value caused and evaluates the newest one instead. The baseline is kept, since a single value has little weight
 * in it.
 */
function applyCorrection(run: RuleRun, code: string, newest: { value: number; at: number; received: number } | null): void {
  const vital = run.memory.vitals[code];
  if (!vital) return;
  clearRate(run, code, vital);
  clearOnset(vital);
  const limits = run.config.limits[code];
  if (!limits || !newest || !locateValue(code, newest.value, limits)) recoverAlert(run, toLimitKey(code));
  if (!newest || run.now - newest.at > MAX_EVALUATED_AGE_MS) {
    delete run.memory.vitals[code];
    return;
  }
  const time = Math.min(newest.at, run.now);
  Object.assign(vital, { lastValue: newest.value, measuredAt: time, receivedAt: newest.received, resolved: undefined });
  if (limits && run.config.monitoring !== "off") evaluateLimit({ run, code, vital, limits }, newest.value, time);
}

function evaluateSample(watched: WatchedVital, value: number, time: number, isFirst: boolean): void {
  if (!isFirst) evaluateHeldValue(watched, time);
  evaluateLimit(watched, value, time);
  // Two values of the same time have no rate of change.
  if (!isFirst && time === watched.vital.measuredAt) return;
  evaluateRate(watched, value, time);
  evaluateTrend(watched, value, time);
}

/** Evaluates the last value, which holds until the next one, for durations that ended in between. */
function evaluateHeldValue(watched: WatchedVital, time: number): void {
  const { vital } = watched;
  if (!vital.resolved) evaluateLimit(watched, vital.lastValue, Math.min(time, vital.measuredAt + MAX_VALUE_HOLD_MS));
}

/** Evaluates what is due by the clock or a changed config. */
function evaluateStandingValues(run: RuleRun): void {
  for (const [code, vital] of Object.entries(run.memory.vitals)) {
    const limits = run.config.limits[code];
    if (limits) evaluateHeldValue({ run, code, vital, limits }, run.now);
    else stopWatchingVital(run, code, vital);
    expireChangeAlerts(run, code, vital);
  }
  evaluateNews2(run);
  evaluateSilence(run);
  runDueReminders(run);
}

function stopWatchingVital(run: RuleRun, code: string, vital: VitalMemory): void {
  clearOnset(vital);
  recoverAlert(run, toLimitKey(code));
  clearRate(run, code, vital);
  resetBaseline(run, code, vital);
  if (!NEWS2_CODES.has(code)) delete run.memory.vitals[code];
}

/** Monitoring is off: clears all alerts, even latched ones. Values and devices are kept for when it is switched on. */
function clearAllAlerts(run: RuleRun): void {
  for (const alert of [...run.memory.alerts]) clearAlert(run, alert);
  for (const vital of Object.values(run.memory.vitals)) {
    clearOnset(vital);
    Object.assign(vital, { ratePoints: undefined, baseline: undefined });
  }
  Object.assign(run.memory, { ward: null, news2: { set: run.memory.news2.set } });
}

/** Clears an alert by hand. Only new evidence raises it again, not the values known now. */
function resolveAlert(run: RuleRun, alert: Alert, by: string): void {
  clearAlert(run, alert, by);
  const vital = alert.code === null ? undefined : run.memory.vitals[alert.code];
  switch (alert.rule) {
    case "limit":
      if (vital) clearOnset(Object.assign(vital, { resolved: true }));
      break;
    case "rate":
      if (vital) vital.ratePoints = undefined;
      break;
    case "trend":
      if (vital) vital.baseline = undefined;
      break;
    case "news2":
      ignoreScore(run);
      break;
    case "silence":
      ignoreVital(run.memory, alert.code ?? "");
      break;
    case "device_silence":
      delete run.memory.devices[alert.device ?? ""];
      break;
    case "technical":
      ignoreCondition(run.memory, alert);
  }
}

/** When the next `tick` is due, epoch milliseconds; null for never. A past time means now. */
export function nextDeadline(memory: AlarmMemory, config: AlarmConfig): number | null {
  if (config.monitoring === "off") return null;
  const vitals = Object.entries(memory.vitals).flatMap(([code, vital]) => vitalDeadlines(memory, config, code, vital));
  const alerts = memory.alerts.flatMap(listAlertDeadlines);
  const deadlines = [...vitals, ...alerts, ...news2Deadlines(memory, config), ...listSilenceDeadlines(memory, config)];
  return deadlines.length > 0 ? Math.min(...deadlines) : null;
}

function vitalDeadlines(memory: AlarmMemory, config: AlarmConfig, code: string, vital: VitalMemory): number[] {
  const limits = config.limits[code];
  if (!limits) return [];
  const alert = memory.alerts.find((open) => open.key === toLimitKey(code));
  const limit = limitDeadline(code, vital, limits, alert);
  return [...(limit === null ? [] : [limit]), ...listChangeDeadlines({ memory }, code, vital)];
}
