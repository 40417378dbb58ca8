// The zero rule: a value of 0 is a patient without heartbeat or breath, or a sensor that is off.
import { CODES, findVital } from "../vitals/catalogue.ts";
import type { Sample } from "../vitals/model.ts";
import type { ChannelReading, DeviceMemory, RuleRun, VitalMemory, ZeroMemory } from "./alarm-memory.ts";
import { raiseAlert, recoverUnlessStanding } from "./alert-lifecycle.ts";
import { formatReading } from "./limit-rule.ts";
import { recordVital } from "./silence-rule.ts";

/** A channel contradicts a zero only when it was measured this close to it. */
export const MAX_CONTRADICTION_MS = 10_000;

/**
 * Vitals whose zero is an emergency unless a channel of the same function contradicts it. A heart rate is contradicted by a pulse
 * alone: breath, carbon dioxide, temperature and cuff pressures outlast a heartbeat or come from before it stopped. The second
 * respiratory rates are the LOINC codes with a stated method that FHIR R4 counts as respiratory rate; the catalogue lacks them.
 */
const CONTRADICTING_CHANNELS: Readonly<Record<string, readonly string[]>> = {
  [CODES.heart_rate]: [CODES.pulse_rate, CODES.arterial_pulse_rate],
  [CODES.respiratory_rate]: ["76170-0", "76171-8", "76172-6", "76270-8"],
};
const CHANNELS: ReadonlySet<string> = new Set(Object.values(CONTRADICTING_CHANNELS).flat());

/** How long values must be usable until the alert of their sensor ends. */
export const USABLE_HOLD_MS = 2 * 60_000;

/** Vitals whose zero is a technical condition: their sensors send it when they are off. */
const SENSOR_ZEROS: ReadonlySet<string> = new Set([
  CODES.spo2,
  CODES.temperature,
  CODES.systolic,
  CODES.diastolic,
  CODES.mean_pressure,
  CODES.pulse_rate,
  CODES.arterial_pulse_rate,
]);

/** Conditions that end the heart rate of an ECG and the respiratory rate of its impedance. */
const LEADS_OFF: ReadonlySet<string> = new Set(["leads_off", "lead_disconnected"]);

type Reading = ChannelReading & { code: string };
/** Where samples come from. `readings`: of the channels, known and new. */
export type SampleSource = { id: string | null; device: DeviceMemory | null; readings: readonly Reading[] };
/** Values that a person entered: no channel and no device says anything about them. */
export const NO_SOURCE: SampleSource = { id: null, device: null, readings: [] };

/** A value that no device and no channel says anything about. */
export const toKnownSample = (code: string, value: number, at: number): Sample => ({
  code,
  value,
  unit: "",
  at,
  seq: null,
  status: "final",
});

export function toSensorKey(code: string): string {
  return `sensor:${code}`;
}

/** Collects the channels of a batch, in any order, with those known from before, and keeps the newest of each. */
export function readChannels(
  run: RuleRun,
  id: string | null,
  device: DeviceMemory | null,
  samples: readonly Sample[],
): SampleSource {
  if (!device) return NO_SOURCE;
  const before = Object.entries(run.memory.channels ?? {}).map(([code, reading]) => ({ code, ...reading }));
  const added = samples.flatMap(({ code, value, at, status }) =>
    CHANNELS.has(code) && status === "final" ? [{ code, value, measuredAt: Math.min(at, run.now) }] : [],
  );
  for (const { code, ...reading } of added) {
    const newest = run.memory.channels?.[code];
    if (!newest || reading.measuredAt >= newest.measuredAt) run.memory.channels = { ...run.memory.channels, [code]: reading };
  }
  return { id, device, readings: [...before, ...added] };
}

/** Whether the channel's reading nearest to the time is a pulse or a breath; of two equally near ones, the lower counts. */
function isMeasuredBy(channel: string, readings: readonly Reading[], at: number): boolean {
  let nearest: Reading | null = null;
  for (const reading of readings) {
    const distance = Math.abs(reading.measuredAt - at);
    if (reading.code !== channel || distance > MAX_CONTRADICTION_MS) continue;
    const best = nearest && Math.abs(nearest.measuredAt - at);
    if (nearest === null || best === null || distance < best || (distance === best && reading.value < nearest.value))
      nearest = reading;
  }
  return nearest !== null && nearest.value > 0;
}

/** Why a zero is no value of the patient; null when nothing contradicts it. */
function findContradiction({ device, readings }: SampleSource, code: string, at: number): "sensor" | "channel" | "leads" | null {
  if (SENSOR_ZEROS.has(code)) return "sensor";
  const channels = CONTRADICTING_CHANNELS[code];
  if (!channels) return null;
  if (device?.leadsOff && !device.leadsOff.measured.includes(code)) return "leads";
  return channels.some((channel) => isMeasuredBy(channel, readings, at)) ? "channel" : null;
}

/** Whether a sample is 0 because its sensor is off. @param time of measurement */
export function isTechnicalZero(source: SampleSource, { code, value }: Sample, time: number): boolean {
  return value === 0 && findContradiction(source, code, time) !== null;
}

/**
 * Handles a sample that is 0 because its sensor is off: raises its technical alert and leaves everything else as it is, so that no
 * physiological alert is cleared, hidden or lowered.
 * @param time of measurement  @returns false for any other sample, which the other rules evaluate
 */
export function applyTechnicalZero(run: RuleRun, source: SampleSource, { code, value }: Sample, time: number): boolean {
  if (value !== 0) return false;
  const contradiction = findContradiction(source, code, time);
  if (contradiction === null) return false;
  const before = run.memory.zeros?.[code];
  if (before && time < before.measuredAt) return true;
  const zero: ZeroMemory = {
    raised: before?.raised,
    resolved: before?.resolved,
    measuredAt: time,
    device: source.id,
    isStanding: true,
  };
  run.memory.zeros = { ...run.memory.zeros, [code]: zero };
  forgetChange(run.memory.vitals[code]);
  // The device's own alert tells that its leads are off.
  if (contradiction === "leads" || run.config.monitoring === "off" || !run.config.limits[code]) return true;
  if (source.device) recordVital(run, source.device, code);
  if (zero.resolved) return true;
  const detail = contradiction === "channel" ? "another channel measures it: check the sensor" : "check the sensor";
  const why = { value: 0, bound: null, side: null, window_s: null, text: `${formatReading(code, 0)}: ${detail}` };
  raiseAlert(run, { key: toSensorKey(code), rule: "technical", code, device: source.id, priority: "medium", why });
  return true;
}

/**
 * Ends the technical condition when values have been usable for a while: a loose sensor is one alarm, not one per contact. A zero that
 * is no technical one is a value of the patient.
 */
export function endTechnicalZero(run: RuleRun, { device }: SampleSource, code: string, value: number, time: number): void {
  if (value > 0 && device?.leadsOff && time > device.leadsOff.since && CONTRADICTING_CHANNELS[code])
    device.leadsOff = { ...device.leadsOff, measured: [...new Set([...device.leadsOff.measured, code])] };
  const zero = run.memory.zeros?.[code];
  if (!zero || time < zero.measuredAt) return;
  zero.isStanding = false;
  zero.resolved = undefined;
  zero.usableSince ??= time;
  if (value === 0 || time - zero.usableSince >= USABLE_HOLD_MS) recoverUnlessStanding(run, toSensorKey(code));
}

/** Ends the technical condition of a zero that was wrong. @param newest the newest value of the vital now, null when none is left */
export function correctTechnicalZero(run: RuleRun, code: string, newest: { at: number } | null): void {
  const zero = run.memory.zeros?.[code];
  if (!zero || (newest && newest.at < zero.measuredAt && isInvalidZero(code))) return;
  Object.assign(zero, { isStanding: false, resolved: undefined });
  recoverUnlessStanding(run, toSensorKey(code));
}

/** Invalid zeros, such as a temperature, are never the newest value of their vital. */
const isInvalidZero = (code: string) => (findVital(code)?.plausible.min ?? 0) > 0;

/** No change is computed across a sensor that was off: the next values start anew. An open alert stays. */
export function forgetChange(vital: VitalMemory | undefined): void {
  if (!vital) return;
  vital.ratePoints = undefined;
  if (vital.baseline) Object.assign(vital.baseline, { driftSince: undefined, driftSide: undefined });
}

/**
 * The zeros that were technical and are not any more: a channel that contradicted now reads 0, and no other one contradicts. Times are
 * those of the channel's zero.
 */
export function listConfirmedZeros(run: RuleRun, { readings }: SampleSource): { code: string; at: number }[] {
  return Object.entries(run.memory.zeros ?? {}).flatMap(([code, zero]) => {
    const channels = CONTRADICTING_CHANNELS[code] ?? [];
    const stopped = channels
      .map((channel) => run.memory.channels?.[channel])
      .filter((reading) => reading !== undefined && reading.value === 0 && reading.measuredAt > zero.measuredAt);
    const at = Math.max(...stopped.map((reading) => reading?.measuredAt ?? 0));
    if (!zero.isStanding || stopped.length === 0) return [];
    const device = zero.device === null ? null : (run.memory.devices[zero.device] ?? null);
    return findContradiction({ id: zero.device, device, readings }, code, at) === null ? [{ code, at }] : [];
  });
}

/** What devices say about their leads. @param reported every condition that the device reports now */
export function recordLeads(device: DeviceMemory, reported: readonly string[], now: number): void {
  device.leadsOff = reported.some((word) => LEADS_OFF.has(word)) ? (device.leadsOff ?? { since: now, measured: [] }) : undefined;
}

/** A resolved alert is raised again only after the sensor has sent a usable value. */
export function ignoreZero(run: RuleRun, code: string): void {
  const zero = run.memory.zeros?.[code];
  if (zero) zero.resolved = true;
}
