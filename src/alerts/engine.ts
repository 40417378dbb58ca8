// The alarm engine: what happens to a patient goes in, changes of alerts come out. Pure; the caller keeps the memory and the clock.
import type { Sample } from "../vitals/model.ts";
import { forgetOnset, HELD_MS, judgeLimit, limitDeadline, limitKey, position } from "./conditions.ts";
import { acknowledge, alertDeadlines, alertNumbered, assign, clear, raise, recover, runClocks, snooze } from "./lifecycle.ts";
import type { AlarmMemory, DeviceMemory, Run, VitalMemory, Watched } from "./memory.ts";
import { beginRun } from "./memory.ts";
import type { AlarmConfig, AlarmInput, Alert, Transition } from "./model.ts";
import { acceptScore, judgeNews2, NEWS2_CODES, news2Deadlines } from "./score.ts";
import { expectNoVital, hear, hearVital, judgeSilence, silenceDeadlines } from "./silence.ts";
import { changeDeadlines, endRate, endTrend, forgetOld, judgeRate, judgeTrend } from "./trend.ts";

export { AlarmError } from "./lifecycle.ts";
export type { AlarmMemory } from "./memory.ts";
export { emptyMemory } from "./memory.ts";

/** What was measured longer ago is history: kept and shown, never judged. */
const HISTORY_MS = 7 * 24 * 3_600_000;
/** A device that reports more conditions than these at a time is not describing itself. */
const MOST_CONDITIONS = 16;

/**
 * Judges one input at `now`, epoch ms of the server. The memory that is given stays as it is; the new one is plain JSON. Every
 * transition bears the alert as it was after it, in the order in which they came about. A `config` that changed takes effect with the
 * next step, of which the caller makes one for it. A clock that goes back stands still.
 * @throws AlarmError for an act on an alert that is unknown or over; then nothing has changed
 */
export function step(
  memory: AlarmMemory,
  input: AlarmInput,
  config: AlarmConfig,
  now: number,
): { state: AlarmMemory; transitions: Transition[] } {
  const run = beginRun(memory, config, now);
  take(run, input);
  if (config.monitoring === "off") endAll(run);
  else judgeStanding(run);
  return { state: run.memory, transitions: run.transitions };
}

function take(run: Run, input: AlarmInput): void {
  switch (input.kind) {
    case "samples":
      takeSamples(run, input.device, input.samples);
      break;
    case "conditions":
      takeConditions(run, input.device, input.conditions);
      break;
    case "corrected":
      takeCorrected(run, input.code, input.newest);
      break;
    case "tick":
      break;
    case "acknowledge":
      acknowledge(run, input.number, input.by);
      break;
    case "assign":
      assign(run, input.number, input.by, input.to);
      break;
    case "snooze":
      snooze(run, input.number, input.by, input.until);
      break;
    case "resolve":
      resolve(run, alertNumbered(run, input.number), input.by);
  }
}

/** In the order of measurement, so that a batch that was shuffled on its way is judged as it happened. */
function takeSamples(run: Run, id: string | null, samples: readonly Sample[]): void {
  const device = id === null ? null : hear(run, id);
  const ordered =
    samples.length < 2 ? samples : [...samples].sort((a, b) => a.at - b.at || (a.seq ?? 0) - (b.seq ?? 0) || a.value - b.value);
  for (const sample of ordered) takeSample(run, device, sample);
}

function takeSample(run: Run, device: DeviceMemory | null, { code, value, at, status }: Sample): void {
  const limits = run.config.limits[code];
  const time = Math.min(at, run.now);
  const known = run.memory.vitals[code];
  if (status === "invalid" || run.now - time > HISTORY_MS || (known && time < known.measuredAt)) return;
  if (!limits && !NEWS2_CODES.has(code)) return;
  if (device) hearVital(run, device, code);
  const vital = known ?? { lastValue: value, measuredAt: time, receivedAt: run.now };
  run.memory.vitals[code] = vital;
  if (limits && run.config.monitoring !== "off") judgeSample({ run, code, vital, limits }, value, time, known === undefined);
  Object.assign(vital, { lastValue: value, measuredAt: time, receivedAt: run.now, resolved: undefined });
}

/**
 * What rested on a wrong value ends, and the right one is judged as if it had come in its place. The usual of the vital stays as it is:
 * no one value weighs much in it.
 */
function takeCorrected(run: Run, code: string, newest: { value: number; at: number; received: number } | null): void {
  const vital = run.memory.vitals[code];
  if (!vital) return;
  endRate(run, code, vital);
  forgetOnset(vital);
  const limits = run.config.limits[code];
  if (!limits || !newest || !position(code, newest.value, limits)) recover(run, limitKey(code));
  if (!newest || run.now - newest.at > HISTORY_MS) {
    delete run.memory.vitals[code];
    return;
  }
  const time = Math.min(newest.at, run.now);
  Object.assign(vital, { lastValue: newest.value, measuredAt: time, receivedAt: newest.received, resolved: undefined });
  if (limits && run.config.monitoring !== "off") judgeLimit({ run, code, vital, limits }, newest.value, time);
}

function judgeSample(watched: Watched, value: number, time: number, isFirst: boolean): void {
  if (!isFirst) judgeHeld(watched, time);
  judgeLimit(watched, value, time);
  // Another value of the same instant has no time in which it could have changed.
  if (!isFirst && time === watched.vital.measuredAt) return;
  judgeRate(watched, value, time);
  judgeTrend(watched, value, time);
}

/** The last value stands until the next: what became due in between did so without a sample. */
function judgeHeld(watched: Watched, time: number): void {
  const { vital } = watched;
  if (!vital.resolved) judgeLimit(watched, vital.lastValue, Math.min(time, vital.measuredAt + HELD_MS));
}

/** What the clock or a changed config brings about without any input. */
function judgeStanding(run: Run): void {
  for (const [code, vital] of Object.entries(run.memory.vitals)) {
    const limits = run.config.limits[code];
    if (limits) judgeHeld({ run, code, vital, limits }, run.now);
    else endVital(run, code, vital);
    forgetOld(run, code, vital);
  }
  judgeNews2(run);
  judgeSilence(run);
  runClocks(run);
}

function endVital(run: Run, code: string, vital: VitalMemory): void {
  forgetOnset(vital);
  recover(run, limitKey(code));
  endRate(run, code, vital);
  endTrend(run, code, vital);
  if (!NEWS2_CODES.has(code)) delete run.memory.vitals[code];
}

/** Nobody is watched: nothing stays open, latched or not. Values and devices are remembered for when somebody is again. */
function endAll(run: Run): void {
  for (const alert of [...run.memory.alerts]) clear(run, alert);
  for (const vital of Object.values(run.memory.vitals)) {
    forgetOnset(vital);
    Object.assign(vital, { ratePoints: undefined, baseline: undefined });
  }
  Object.assign(run.memory, { ward: null, news2: {} });
}

function technicalKey(device: string, condition: string): string {
  return `technical:${device}:${condition}`;
}

/** Raises what the device reports now and ends what it reports no longer. */
function takeConditions(run: Run, id: string, reported: readonly string[]): void {
  const device = hear(run, id);
  if (!device || run.config.monitoring === "off") return;
  const conditions = [...new Set(reported)].slice(0, MOST_CONDITIONS);
  device.resolvedConditions = device.resolvedConditions?.filter((condition) => conditions.includes(condition));
  const keys = new Set(conditions.map((condition) => technicalKey(id, condition)));
  for (const alert of [...run.memory.alerts]) {
    if (alert.rule === "technical" && alert.device === id && !keys.has(alert.key)) recover(run, alert.key);
  }
  for (const condition of conditions) if (!device.resolvedConditions?.includes(condition)) raiseTechnical(run, id, condition);
}

function raiseTechnical(run: Run, device: string, condition: string): void {
  const why = { value: null, bound: null, side: null, window_s: null, text: `The device reports: ${condition}` };
  raise(run, { key: technicalKey(device, condition), rule: "technical", code: null, device, priority: "low", why });
}

/** Somebody has dealt with it. What it was about is raised again by new evidence alone, not by what that person has seen. */
function resolve(run: Run, alert: Alert, by: string): void {
  clear(run, alert, by);
  const vital = alert.code === null ? undefined : run.memory.vitals[alert.code];
  switch (alert.rule) {
    case "limit":
      if (vital) forgetOnset(Object.assign(vital, { resolved: true }));
      break;
    case "rate":
      if (vital) vital.ratePoints = undefined;
      break;
    case "trend":
      if (vital) vital.baseline = undefined;
      break;
    case "news2":
      acceptScore(run);
      break;
    case "silence":
      expectNoVital(run.memory, alert.code ?? "");
      break;
    case "device_silence":
      delete run.memory.devices[alert.device ?? ""];
      break;
    case "technical":
      expectCondition(run.memory, alert);
  }
}

function expectCondition(memory: AlarmMemory, { device: id, key }: Alert): void {
  const device = id === null ? undefined : memory.devices[id];
  if (id !== null && device)
    device.resolvedConditions = [...(device.resolvedConditions ?? []), key.slice(technicalKey(id, "").length)];
}

/** When the next step is needed though nothing happens, epoch ms; null for never. It may lie in the past: then it is due now. */
export function nextDeadline(memory: AlarmMemory, config: AlarmConfig): number | null {
  if (config.monitoring === "off") return null;
  const vitals = Object.entries(memory.vitals).flatMap(([code, vital]) => vitalDeadlines(memory, config, code, vital));
  const alerts = memory.alerts.flatMap(alertDeadlines);
  const all = [...vitals, ...alerts, ...news2Deadlines(memory, config), ...silenceDeadlines(memory, config)];
  return all.length > 0 ? Math.min(...all) : null;
}

function vitalDeadlines(memory: AlarmMemory, config: AlarmConfig, code: string, vital: VitalMemory): number[] {
  const limits = config.limits[code];
  if (!limits) return [];
  const alert = memory.alerts.find((open) => open.key === limitKey(code));
  const limit = limitDeadline(code, vital, limits, alert);
  return [...(limit === null ? [] : [limit]), ...changeDeadlines({ memory }, code, vital)];
}
