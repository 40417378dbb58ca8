// Silence is not health: a vital or a whole device from which nothing comes any more, by the server's clock.
import { vitalOf } from "../vitals/catalogue.ts";
import { clearKey, isGoingOn, openAlert, raise } from "./lifecycle.ts";
import type { AlarmMemory, DeviceMemory, Run } from "./memory.ts";
import type { AlarmConfig } from "./model.ts";

const SECOND = 1000;

export function silenceKey(code: string): string {
  return `silence:${code}`;
}

export function deviceKey(id: string): string {
  return `device:${id}`;
}

/** Something came from a device: it is there, and its silence is over. Devices that are not bound are nobody's to miss. */
export function hear(run: Run, id: string): DeviceMemory | null {
  if (!run.config.devices[id]) return null;
  const device = run.memory.devices[id] ?? { lastHeardAt: run.now, vitalsHeardAt: {} };
  const wasSilent = openAlert(run, deviceKey(id)) !== undefined;
  run.memory.devices[id] = { ...device, lastHeardAt: run.now, returnedAt: wasSilent ? run.now : device.returnedAt };
  clearKey(run, deviceKey(id));
  return run.memory.devices[id];
}

/** A usable value came from a sensor. Implausible ones do not count: a sensor that is off may send them for ever. */
export function hearVital(run: Run, device: DeviceMemory, code: string): void {
  device.vitalsHeardAt[code] = run.now;
  clearKey(run, silenceKey(code));
}

/** Forgets what is not to be missed any more: the sensor was taken off on purpose, until it sends again. */
export function expectNoVital(memory: AlarmMemory, code: string): void {
  for (const device of Object.values(memory.devices)) delete device.vitalsHeardAt[code];
}

type Heard = { id: string; device: DeviceMemory; at: number; wait: number };

/** The device that sent a vital last, and how long the vital may be silent; null where it cannot be. */
function lastHeard(memory: AlarmMemory, config: AlarmConfig, code: string): Heard | null {
  const wait = config.limits[code]?.silence_s ?? null;
  if (wait === null) return null;
  let last: Heard | null = null;
  for (const [id, device] of Object.entries(memory.devices)) {
    const at = config.devices[id] && device.vitalsHeardAt[code];
    if (at !== undefined && (!last || at > last.at)) last = { id, device, at, wait: wait * SECOND };
  }
  return last;
}

/**
 * Whether the device went on speaking when the vital had stopped: then the sensor is off. Otherwise the device itself is silent, and
 * has one alarm for all that it measures. Half of the allowed silence tells them apart, however seldom a device speaks. A device that
 * speaks once more within that half and then no more has its own alarm, so that no silence lasts longer than one and a half times.
 */
function isVitalAlone(config: AlarmConfig, { id, device, at, wait }: Heard): boolean {
  return config.devices[id]?.silence_s === null || device.lastHeardAt - at >= wait / 2;
}

/** When a vital is silent; null where that cannot be. Counted anew when silence begins to matter and when its device comes back. */
function vitalDue(memory: AlarmMemory, config: AlarmConfig, code: string): number | null {
  const last = lastHeard(memory, config, code);
  if (!last || memory.ward === null || !isVitalAlone(config, last)) return null;
  return Math.max(last.at, memory.ward, last.device.returnedAt ?? 0) + last.wait;
}

/** When a device is silent: after its own time, or that of a vital which fell silent with it, so that no vital is missed longer. */
function deviceDue(memory: AlarmMemory, config: AlarmConfig, id: string): number | null {
  const device = memory.devices[id];
  const own = config.devices[id]?.silence_s ?? null;
  if (!device || own === null || memory.ward === null) return null;
  return Math.max(device.lastHeardAt, memory.ward) + allowance(memory, config, id, own);
}

function allowance(memory: AlarmMemory, config: AlarmConfig, id: string, own: number): number {
  const codes = Object.keys(memory.devices[id]?.vitalsHeardAt ?? {});
  const waits = codes.flatMap((code) => {
    const last = lastHeard(memory, config, code);
    return last?.id === id && !isVitalAlone(config, last) ? [last.wait] : [];
  });
  return Math.min(own * SECOND, ...waits);
}

function watchedCodes(memory: AlarmMemory): Set<string> {
  return new Set(Object.values(memory.devices).flatMap((device) => Object.keys(device.vitalsHeardAt)));
}

/** Raises what is silent now, and ends what nobody waits for any more. */
export function judgeSilence(run: Run): void {
  const { memory, config, now } = run;
  memory.ward = config.monitoring === "ward" ? (memory.ward ?? now) : null;
  for (const id of Object.keys(memory.devices)) if (!config.devices[id]) delete memory.devices[id];
  for (const alert of [...memory.alerts])
    if (!isStillWatched(run, alert.rule, alert.code, alert.device)) clearKey(run, alert.key);
  for (const id of Object.keys(memory.devices)) {
    const due = deviceDue(memory, config, id);
    if (due !== null && due <= now) raiseDevice(run, id);
  }
  for (const code of watchedCodes(memory)) {
    const due = vitalDue(memory, config, code);
    if (due !== null && due <= now) raiseVital(run, code);
  }
}

function isStillWatched({ memory, config }: Run, rule: string, code: string | null, device: string | null): boolean {
  if (rule === "silence") return memory.ward !== null && code !== null && lastHeard(memory, config, code) !== null;
  const known = device !== null && config.devices[device];
  if (rule === "device_silence") return memory.ward !== null && Boolean(known && known.silence_s !== null);
  return rule !== "technical" || Boolean(known);
}

function raiseVital(run: Run, code: string): void {
  if (openAlert(run, silenceKey(code))) return;
  const window_s = run.config.limits[code]?.silence_s ?? null;
  const text = `${vitalOf(code)?.display ?? code}: no usable value for ${window_s} s, while its device goes on sending`;
  const why = { value: null, bound: null, side: null, window_s, text };
  raise(run, { key: silenceKey(code), rule: "silence", code, device: null, priority: "medium", why });
}

function raiseDevice(run: Run, id: string): void {
  if (openAlert(run, deviceKey(id))) return;
  const own = run.config.devices[id]?.silence_s ?? 0;
  const window_s = allowance(run.memory, run.config, id, own) / SECOND;
  const why = { value: null, bound: null, side: null, window_s, text: `The device has sent nothing for ${window_s} s` };
  raise(run, { key: deviceKey(id), rule: "device_silence", code: null, device: id, priority: "medium", why });
}

export function silenceDeadlines(memory: AlarmMemory, config: AlarmConfig): number[] {
  const open = (key: string) => isGoingOn(memory.alerts.find((alert) => alert.key === key));
  const vitals = [...watchedCodes(memory)].map((code) => (open(silenceKey(code)) ? null : vitalDue(memory, config, code)));
  const devices = Object.keys(memory.devices).map((id) => (open(deviceKey(id)) ? null : deviceDue(memory, config, id)));
  return [...vitals, ...devices].filter((time) => time !== null);
}
