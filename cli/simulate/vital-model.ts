// A simulated body: vital signs as smooth, seeded functions of the seconds since the start.
import { mulberry32, standardNormal, uniformBetween } from "../random.ts";

export const VITAL_NAMES = [
  "heart_rate",
  "spo2",
  "systolic",
  "diastolic",
  "respiratory_rate",
  "temperature",
  "inspired_oxygen",
  "consciousness",
] as const;
export type VitalName = (typeof VITAL_NAMES)[number];
/** Not rounded, in the units of the catalogue; consciousness is 0 to 4 along ACVPU. */
export type Vitals = Record<VitalName, number>;
/** @param seconds since the start; must not decrease between calls */
export type VitalModel = (seconds: number) => Vitals;

const ROOM_AIR = 21;
const ACVPU_ALERT = 0;
/** The simulated day starts at 09:00, whatever the wall clock says. */
const START_HOUR = 9;
/** Heart rate, pressure and temperature peak in the afternoon and are lowest before dawn. */
const PEAK_HOUR = 16;
/** In standard deviations: noise is clipped here, so that a healthy body has hard bounds. */
const MAX_NOISE_SD = 2.5;

/** One generator per varying quantity, so that adding one does not change the others (seed by FNV-1a). */
export function seededRandom(seed: number, patient: number, stream: string): () => number {
  let hash = 0x811c9dc5;
  for (const character of `${seed}:${patient}:${stream}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return mulberry32(hash);
}

/**
 * AR(1) noise of unit variance with one node per second and linear interpolation, so that the sampling rate has no effect.
 * @param memorySeconds time constant: seconds after which the correlation has fallen to 37 %
 * @returns a function of non-decreasing seconds, between -2.5 and 2.5
 */
export function createNoise(random: () => number, memorySeconds: number): (seconds: number) => number {
  const persistence = Math.exp(-1 / memorySeconds);
  const innovation = Math.sqrt(1 - persistence * persistence);
  let second = 0;
  let before = standardNormal(random);
  let after = persistence * before + innovation * standardNormal(random);
  return (seconds) => {
    while (seconds >= second + 1) {
      second++;
      before = after;
      after = persistence * before + innovation * standardNormal(random);
    }
    const between = before + (after - before) * (seconds - second);
    return Math.min(MAX_NOISE_SD, Math.max(-MAX_NOISE_SD, between));
  };
}

/**
 * A healthy adult at rest: individual baseline, time of day, breathing, an arousal that moves heart rate, pressure and
 * breathing together, and noise per sensor. Rounded values stay within heart rate 60–95, SpO2 95–99, respiration
 * 12–18, pressure 105–135 over 65–85 and temperature 36.4–37.3.
 */
export function createStableModel(seed: number, patient: number): VitalModel {
  const baselineRandom = seededRandom(seed, patient, "baseline");
  const baseline = {
    heartRate: uniformBetween(baselineRandom, 70, 80),
    spo2: uniformBetween(baselineRandom, 96.8, 98.2),
    systolic: uniformBetween(baselineRandom, 118, 128),
    diastolic: uniformBetween(baselineRandom, 70, 79),
    respiration: uniformBetween(baselineRandom, 14, 16),
    temperature: uniformBetween(baselineRandom, 36.76, 36.94),
  };
  const noise = (stream: string, memorySeconds: number) => createNoise(seededRandom(seed, patient, stream), memorySeconds);
  const arousal = noise("arousal", 90);
  const heart = noise("heart rate", 12);
  const oxygen = noise("spo2", 20);
  const systolic = noise("systolic", 15);
  const diastolic = noise("diastolic", 15);
  const breathing = noise("respiration", 25);
  const warmth = noise("temperature", 600);
  return (seconds) => {
    const day = Math.cos((2 * Math.PI * (START_HOUR + seconds / 3_600 - PEAK_HOUR)) / 24);
    const breath = Math.sin((2 * Math.PI * baseline.respiration * seconds) / 60);
    const arousalLevel = arousal(seconds);
    return {
      heart_rate: baseline.heartRate + 3 * day + 1.5 * breath + 1.2 * arousalLevel + 0.6 * heart(seconds),
      spo2: baseline.spo2 + 0.2 * day + 0.3 * oxygen(seconds),
      // Blood pressure falls during inspiration.
      systolic: baseline.systolic + 2.5 * day - breath + 0.8 * arousalLevel + 0.6 * systolic(seconds),
      diastolic: baseline.diastolic + 1.5 * day - 0.5 * breath + 0.5 * arousalLevel + 0.5 * diastolic(seconds),
      respiratory_rate: baseline.respiration + 0.5 * day + 0.2 * arousalLevel + 0.4 * breathing(seconds),
      temperature: baseline.temperature + 0.25 * day + 0.03 * warmth(seconds),
      inspired_oxygen: ROOM_AIR,
      consciousness: ACVPU_ALERT,
    };
  };
}
