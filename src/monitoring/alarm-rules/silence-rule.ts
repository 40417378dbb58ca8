// The silence rule: alerts for a vital or a device that stopped sending, by the server's clock and its own usual interval.
import { findVital } from "../vitals/catalogue.ts";
import type { AlarmMemory, DeviceMemory, RuleRun } from "./alarm-memory.ts";
import { clearAlertByKey, findOpenAlert, isOngoing, raiseAlert } from "./alert-lifecycle.ts";
import type { AlarmConfig } from "./model.ts";
import { allowedSilence, learnInterval, learnMean } from "./send-intervals.ts";

const SECOND_MS = 1000;

export function toSilenceKey(code: string): string {
  return `silence:${code}`;
}

export function toDeviceKey(id: string): string {
  return `device:${id}`;
}

/** Records that a device sent something, which ends its silence. @returns null for a device that is not assigned */
export function recordDeviceContact(run: RuleRun, id: string): DeviceMemory | null {
  if (!run.config.devices[id]) return null;
  const device = run.memory.devices[id] ?? { lastHeardAt: run.now, vitalsHeardAt: {} };
  const limit = run.config.devices[id].silence_s;
  const interval = limit === null ? undefined : learnInterval(device.interval, run.now - device.lastHeardAt, limit * SECOND_MS);
  const wasSilent = findOpenAlert(run, toDeviceKey(id)) !== undefined;
  run.memory.devices[id] = {
    ...device,
    lastHeardAt: run.now,
    interval,
    // What a device reported before a silence says nothing about the values after it.
    ...(wasSilent && { returnedAt: run.now, leadsOff: undefined }),
  };
  clearAlertByKey(run, toDeviceKey(id));
  return run.memory.devices[id];
}

/** Records a usable value of a vital. Implausible ones do not count, since a detached sensor may send them forever. */
export function recordVital(run: RuleRun, device: DeviceMemory, code: string): void {
  const limit = run.config.limits[code]?.silence_s ?? null;
  const before = device.vitalsHeardAt[code];
  if (limit !== null && before !== undefined && before < run.now) {
    device.vitalIntervals ??= {};
    const known = device.vitalIntervals[code];
    device.vitalIntervals[code] = learnMean(known, run.now - before, limit * SECOND_MS, device.interval?.learntMs);
  }
  device.vitalsHeardAt[code] = run.now;
  clearAlertByKey(run, toSilenceKey(code));
}

/** Stops waiting for a vital until it is sent again: the sensor was removed on purpose. */
export function ignoreVital(memory: AlarmMemory, code: string): void {
  for (const device of Object.values(memory.devices)) delete device.vitalsHeardAt[code];
}

type LastReading = { id: string; device: DeviceMemory; at: number; allowedMs: number };

/** The device that last sent a vital, and the allowed silence; null when silence of the vital raises no alert. */
function findLastReading(memory: AlarmMemory, config: AlarmConfig, code: string): LastReading | null {
  const limit = config.limits[code]?.silence_s ?? null;
  if (limit === null) return null;
  let last: LastReading | null = null;
  for (const [id, device] of Object.entries(memory.devices)) {
    const at = config.devices[id] && device.vitalsHeardAt[code];
    if (at !== undefined && (!last || at > last.at))
      last = { id, device, at, allowedMs: allowedSilence(device.vitalIntervals?.[code], limit * SECOND_MS) };
  }
  return last;
}

/**
 * Whether the device kept sending after the vital stopped (a detached sensor). Otherwise the device itself is silent and has one alert
 * for all its vitals. The threshold is half of the allowed silence, so that no silence goes unnoticed for longer than one and a half
 * times the allowed one.
 */
function isVitalSilentAlone(config: AlarmConfig, { id, device, at, allowedMs }: LastReading): boolean {
  return config.devices[id]?.silence_s === null || device.lastHeardAt - at >= allowedMs / 2;
}

/** When a vital becomes silent; null for never. Restarts when ward monitoring begins and when the device sends again. */
function vitalSilentAt(memory: AlarmMemory, config: AlarmConfig, code: string): number | null {
  const last = findLastReading(memory, config, code);
  if (!last || memory.ward === null || !isVitalSilentAlone(config, last)) return null;
  return Math.max(last.at, memory.ward, last.device.returnedAt ?? 0) + last.allowedMs;
}

/** When a device becomes silent: after its own allowed silence, or a shorter one of a vital that stopped with it. */
function deviceSilentAt(memory: AlarmMemory, config: AlarmConfig, id: string): number | null {
  const device = memory.devices[id];
  const allowedSeconds = config.devices[id]?.silence_s ?? null;
  if (!device || allowedSeconds === null || memory.ward === null) return null;
  return Math.max(device.lastHeardAt, memory.ward) + allowedSilenceMs(memory, config, id, allowedSeconds);
}

function allowedSilenceMs(memory: AlarmMemory, config: AlarmConfig, id: string, allowedSeconds: number): number {
  const codes = Object.keys(memory.devices[id]?.vitalsHeardAt ?? {});
  const allowances = codes.flatMap((code) => {
    const last = findLastReading(memory, config, code);
    return last?.id === id && !isVitalSilentAlone(config, last) ? [last.allowedMs] : [];
  });
  return Math.min(allowedSilence(memory.devices[id]?.interval?.meanMs, allowedSeconds * SECOND_MS), ...allowances);
}

function listWatchedCodes(memory: AlarmMemory): Set<string> {
  return new Set(Object.values(memory.devices).flatMap((device) => Object.keys(device.vitalsHeardAt)));
}

/** Raises alerts for silent vitals and devices, and clears those no longer monitored. */
export function evaluateSilence(run: RuleRun): void {
  const { memory, config, now } = run;
  memory.ward = config.monitoring === "ward" ? (memory.ward ?? now) : null;
  for (const id of Object.keys(memory.devices)) if (!config.devices[id]) delete memory.devices[id];
  for (const alert of [...memory.alerts])
    if (!isStillWatched(run, alert.rule, alert.code, alert.device)) clearAlertByKey(run, alert.key);
  for (const id of Object.keys(memory.devices)) {
    const due = deviceSilentAt(memory, config, id);
    if (due !== null && due <= now) raiseDeviceSilence(run, id);
  }
  for (const code of listWatchedCodes(memory)) {
    const due = vitalSilentAt(memory, config, code);
    if (due !== null && due <= now) raiseVitalSilence(run, code);
  }
}

function isStillWatched({ memory, config }: RuleRun, rule: string, code: string | null, device: string | null): boolean {
  if (rule === "silence") return memory.ward !== null && code !== null && findLastReading(memory, config, code) !== null;
  const boundDevice = device !== null && config.devices[device];
  if (rule === "device_silence") return memory.ward !== null && Boolean(boundDevice && boundDevice.silence_s !== null);
  if (rule !== "technical") return true;
  return (device === null || Boolean(boundDevice)) && (code === null || config.limits[code] !== undefined);
}

function raiseVitalSilence(run: RuleRun, code: string): void {
  if (findOpenAlert(run, toSilenceKey(code))) return;
  const allowedMs = findLastReading(run.memory, run.config, code)?.allowedMs ?? 0;
  const window_s = Math.round(allowedMs / SECOND_MS);
  const text = `${findVital(code)?.display ?? code}: no usable value for ${window_s} s, while its device goes on sending`;
  const why = { value: null, bound: null, side: null, window_s, text };
  raiseAlert(run, { key: toSilenceKey(code), rule: "silence", code, device: null, priority: "medium", why });
}

function raiseDeviceSilence(run: RuleRun, id: string): void {
  if (findOpenAlert(run, toDeviceKey(id))) return;
  const allowedSeconds = run.config.devices[id]?.silence_s ?? 0;
  const window_s = Math.round(allowedSilenceMs(run.memory, run.config, id, allowedSeconds) / SECOND_MS);
  const why = { value: null, bound: null, side: null, window_s, text: `The device has sent nothing for ${window_s} s` };
  raiseAlert(run, { key: toDeviceKey(id), rule: "device_silence", code: null, device: id, priority: "medium", why });
}

export function listSilenceDeadlines(memory: AlarmMemory, config: AlarmConfig): number[] {
  const open = (key: string) => isOngoing(memory.alerts.find((alert) => alert.key === key));
  const vitals = [...listWatchedCodes(memory)].map((code) =>
    open(toSilenceKey(code)) ? null : vitalSilentAt(memory, config, code),
  );
  const devices = Object.keys(memory.devices).map((id) => (open(toDeviceKey(id)) ? null : deviceSilentAt(memory, config, id)));
  return [...vitals, ...devices].filter((time) => time !== null);
}
