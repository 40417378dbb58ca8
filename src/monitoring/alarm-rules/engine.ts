// The alarm engine: a pure function from inputs to changes of alerts. The caller keeps the memory and the clock.
import type { Sample } from "../vitals/model.ts";
import type { AlarmMemory, RuleRun, VitalMemory, WatchedVital } from "./alarm-memory.ts";
import { beginRuleRun } from "./alarm-memory.ts";
import {
  acknowledgeAlert,
  assignAlert,
  clearAlert,
  listAlertDeadlines,
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
import { applyConditions } from "./condition-rule.ts";
import { type Arrival, beginArrival, noteLateValue, raiseLateAlerts } from "./late-critical-rule.ts";
import {
  clearOnset,
  dropLimitAlarm,
  evaluateLimit,
  isInLimitAlarm,
  limitDeadline,
  locateValue,
  MAX_VALUE_HOLD_MS,
} from "./limit-rule.ts";
import type { AlarmConfig, AlarmInput, Correction, Transition } from "./model.ts";
import { correctSet, evaluateNews2, NEWS2_CODES, news2Deadlines, noteSet, rememberSet } from "./news2-rule.ts";
import { evaluatePressures, listPressureDeadlines, mergePressureAlerts } from "./pressure-group.ts";
import { resolveAlert } from "./resolve-alert.ts";
import { applyRound, evaluateRounds, listRoundDeadlines } from "./rounds-rule.ts";
import { evaluateSilence, listSilenceDeadlines, recordDeviceContact, recordVital } from "./silence-rule.ts";
import { endUnitAlert, raiseUnitAlert } from "./unit-rule.ts";
import {
  applyTechnicalZero,
  correctTechnicalZero,
  endTechnicalZero,
  forgetChange,
  isTechnicalZero,
  listConfirmedZeros,
  NO_SOURCE,
  readChannels,
  recordLeads,
  type SampleSource,
  toKnownSample,
} from "./zero-rule.ts";

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
  mergePressureAlerts(run);
  applyInput(run, input);
  rememberSet(run);
  if (config.monitoring === "off") clearAllAlerts(run);
  else evaluateStandingValues(run);
  return { state: run.memory, transitions: run.transitions };
}

function applyInput(run: RuleRun, input: AlarmInput): void {
  switch (input.kind) {
    case "samples":
      applySamples(run, input);
      break;
    case "conditions":
      applyConditions(run, input.device, input.conditions);
      break;
    case "corrected":
      if (input.measured) correctSet(run, input.code, input.measured.at, input.measured.value);
      applyCorrection(run, input);
      break;
    case "corrected_set":
      correctSet(run, input.code, input.at, input.value);
      break;
    case "round":
      applyRound(run, input.event);
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
function applySamples(
  run: RuleRun,
  { device: id, samples, conditions, isPartial }: Extract<AlarmInput, { kind: "samples" }>,
): void {
  const device = id === null ? null : recordDeviceContact(run, id);
  if (device && conditions) recordLeads(device, conditions, run.now);
  const source = readChannels(run, id, device, samples);
  const ordered =
    samples.length < 2 ? samples : [...samples].sort((a, b) => a.at - b.at || (a.seq ?? 0) - (b.seq ?? 0) || a.value - b.value);
  const arrival = beginArrival(run, isPartial);
  for (const [index, sample] of ordered.entries()) {
    applySample(run, source, sample, arrival);
    if (ordered[index + 1]?.at === sample.at) continue;
    // The pressures of one measurement have one alert, and each set of a batch is a reading.
    evaluatePressures(run);
    noteSet(run);
  }
  for (const { code, at } of listConfirmedZeros(run, source)) applySample(run, NO_SOURCE, toKnownSample(code, 0, at), arrival);
  raiseLateAlerts(run, arrival.late);
}

function applySample(run: RuleRun, source: SampleSource, sample: Sample, { presentFrom, late, isPartial }: Arrival): void {
  const { code, value, at, status } = sample;
  const limits = run.config.limits[code];
  const time = Math.min(at, run.now);
  if (run.now - time > MAX_EVALUATED_AGE_MS) return;
  const previous = run.memory.vitals[code];
  const isNewest = !previous || time >= previous.measuredAt;
  // A value that newer ones have followed is no alarm of now either.
  if (time < presentFrom || !isNewest) {
    if (status === "invalid" || isTechnicalZero(source, sample, time)) return;
    if (!sample.isExercise) noteLateValue(run, late, code, value, time);
    if (isNewest && (limits || NEWS2_CODES.has(code))) rememberHistory(run, sample, time, isPartial);
    return;
  }
  if (applyTechnicalZero(run, source, sample, time)) return;
  if (!limits && !NEWS2_CODES.has(code)) return;
  const isMonitored = run.config.monitoring !== "off";
  if (sample.isUnitSuspect && isMonitored && run.now - time <= MAX_VALUE_HOLD_MS) raiseUnitAlert(run, sample);
  if (status === "invalid") return;
  if (source.device) recordVital(run, source.device, code);
  endUnitAlert(run, code);
  endTechnicalZero(run, source, code, value, time);
  const vital = previous ?? { lastValue: value, measuredAt: time, receivedAt: run.now };
  run.memory.vitals[code] = vital;
  if (limits && isMonitored) evaluateSample({ run, code, vital, limits }, sample, time, previous === undefined);
  const { isExercise } = sample;
  Object.assign(vital, { lastValue: value, measuredAt: time, receivedAt: run.now, resolved: undefined, isExercise, isPartial });
}

/** Keeps a value of the past for the score, which judges its own age. It is never held against the limits. */
function rememberHistory(
  run: RuleRun,
  { code, value: lastValue, isExercise }: Sample,
  measuredAt: number,
  isPartial: true | undefined,
): void {
  const vital = run.memory.vitals[code];
  if (vital && !isInLimitAlarm(run, code, vital)) clearOnset(vital);
  run.memory.vitals[code] = { ...vital, lastValue, measuredAt, receivedAt: run.now, resolved: true, isExercise, isPartial };
}

/**
 * Ends what the wrong value caused and evaluates the newest one instead. The baseline is kept, since a single value has little weight
 * in it.
 */
function applyCorrection(run: RuleRun, { code, newest, isInvalidNewer }: Correction): void {
  if (!isInvalidNewer) endUnitAlert(run, code);
  const vital = run.memory.vitals[code];
  const isTechnicalZero = newest !== null && newest.value === 0 && newest.at === run.memory.zeros?.[code]?.measuredAt;
  if (isTechnicalZero) return;
  correctTechnicalZero(run, code, newest);
  if (!vital) {
    if (newest) applySample(run, NO_SOURCE, toKnownSample(code, newest.value, newest.at), beginArrival(run));
    return;
  }
  clearRate(run, code, vital);
  clearOnset(vital);
  vital.told = undefined;
  const limits = run.config.limits[code];
  if (!limits || !newest || !locateValue(code, newest.value, limits)) dropLimitAlarm(run, code, vital);
  if (!newest || run.now - newest.at > MAX_EVALUATED_AGE_MS) {
    delete run.memory.vitals[code];
    return;
  }
  const time = Math.min(newest.at, run.now);
  // Whether an earlier value belonged to a partial set is not known any more; one that completed a set is in the set.
  const { isPartial } = vital;
  const isExercise = time === vital.measuredAt ? vital.isExercise : undefined;
  Object.assign(vital, {
    lastValue: newest.value,
    measuredAt: time,
    receivedAt: newest.received,
    resolved: undefined,
    isPartial,
    isExercise,
  });
  if (limits && run.config.monitoring !== "off") evaluateLimit({ run, code, vital, limits }, newest.value, time);
}

function evaluateSample(watched: WatchedVital, { value, isExercise }: Sample, time: number, isFirst: boolean): void {
  if (!isFirst) evaluateHeldValue(watched, time);
  evaluateLimit(watched, value, time, isExercise);
  if (value === 0 || isExercise) forgetChange(watched.vital);
  // Two values of the same time have no rate of change, and neither has a heart that stands still or works.
  if (value === 0 || isExercise || (!isFirst && time === watched.vital.measuredAt)) return;
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
  evaluatePressures(run);
  evaluateNews2(run);
  evaluateSilence(run);
  evaluateRounds(run);
  runDueReminders(run);
}

function stopWatchingVital(run: RuleRun, code: string, vital: VitalMemory): void {
  clearOnset(vital);
  dropLimitAlarm(run, code, vital);
  clearRate(run, code, vital);
  resetBaseline(run, code, vital);
  if (!NEWS2_CODES.has(code)) delete run.memory.vitals[code];
}

/** Monitoring is off: clears all alerts, even latched ones. Values and devices are kept for when it is switched on. */
function clearAllAlerts(run: RuleRun): void {
  for (const alert of [...run.memory.alerts]) clearAlert(run, alert);
  for (const vital of Object.values(run.memory.vitals)) {
    clearOnset(vital);
    Object.assign(vital, { ratePoints: undefined, baseline: undefined, inAlarm: undefined });
  }
  Object.assign(run.memory, { ward: null, news2: { set: run.memory.news2.set } });
}

/** When the next `tick` is due, epoch milliseconds; null for never. A past time means now. */
export function nextDeadline(memory: AlarmMemory, config: AlarmConfig): number | null {
  if (config.monitoring === "off") return null;
  const vitals = Object.entries(memory.vitals).flatMap(([code, vital]) => vitalDeadlines(memory, config, code, vital));
  const alerts = memory.alerts.flatMap(listAlertDeadlines);
  const deadlines = [
    ...vitals,
    ...alerts,
    ...news2Deadlines(memory, config),
    ...listSilenceDeadlines(memory, config),
    ...listPressureDeadlines(memory),
    ...listRoundDeadlines(memory, config),
  ];
  return deadlines.length > 0 ? Math.min(...deadlines) : null;
}

function vitalDeadlines(memory: AlarmMemory, config: AlarmConfig, code: string, vital: VitalMemory): number[] {
  const limits = config.limits[code];
  if (!limits) return [];
  const limit = limitDeadline({ memory, config }, code, vital, limits);
  return [...(limit === null ? [] : [limit]), ...listChangeDeadlines({ memory }, code, vital)];
}
