// Synthesis of a 12-lead resting ECG whose rate, intervals and axes match given metrics.

import { mulberry32, standardNormal, uniformBetween, uniformIntegerBetween } from "../random.ts";

/** Rate in 1/min, durations and intervals in ms, frontal-plane axes in degrees (lead I is 0, aVF is +90). */
export type EcgMetrics = {
  heart_rate: number;
  rr_interval_ms: number;
  p_duration_ms: number;
  pr_interval_ms: number;
  qrs_duration_ms: number;
  qt_interval_ms: number;
  qtc_bazett_ms: number;
  qtc_fridericia_ms: number;
  p_axis_deg: number;
  qrs_axis_deg: number;
  t_axis_deg: number;
};

type MeasuredLead = "I" | "II" | "V1" | "V2" | "V3" | "V4" | "V5" | "V6";
export type LeadName = MeasuredLead | "III" | "aVR" | "aVL" | "aVF";

/** Each lead holds sampleRate × durationS samples in millivolts, all leads simultaneous. */
export type EcgSignal = { sampleRate: 500; durationS: 10; leads: Record<LeadName, Float64Array> };

/** The heart's dipole: its projection on leads I and II in mV, and its posterior part (Frank Z). */
type Dipole = { I: number; II: number; posterior: number };

/** One Gaussian deflection: peak in s after QRS onset, its two standard deviations in s. */
type Wave = { peak: number; rise: number; fall: number; dipole: Dipole };

const SAMPLE_RATE = 500;
const DURATION_S = 10;
const SAMPLE_COUNT = SAMPLE_RATE * DURATION_S;

/** A Gaussian has fallen to 5 % of its peak this many standard deviations away; there a wave starts and ends. */
const EDGE_DEVIATIONS = Math.sqrt(2 * Math.log(20));

/**
 * Activation of the ventricles in order; peak and half-width are fractions of the QRS duration, `along`
 * and `across` the QRS axis in mV. The sum of across × half-width is 0, which keeps the net axis exact.
 * The ends overhang by 3 %, because the small first and last waves cross a threshold set by R late.
 */
const QRS_SEQUENCE = [
  { peak: 0.16, halfWidth: 0.19, along: -0.13, across: 0.05, posterior: -0.34 }, // septum
  { peak: 0.42, halfWidth: 0.25, along: 0.95, across: 0, posterior: -0.1 }, // apex
  { peak: 0.6, halfWidth: 0.24, along: 0.45, across: 0, posterior: 0.95 }, // left lateral wall
  { peak: 0.84, halfWidth: 0.19, along: -0.16, across: -0.05, posterior: 0.2 }, // base
];

const P_SEQUENCE = [
  { peak: 0.4, halfWidth: 0.45, along: 0.085, posterior: -0.05 }, // right atrium
  { peak: 0.6, halfWidth: 0.45, along: 0.085, posterior: 0.045 }, // left atrium
];

const T_WAVE = { along: 0.28, posterior: -0.17 };

/** Plausible, mutually consistent resting values of an adult. */
export function generateEcgMetrics(seed: number): EcgMetrics {
  const random = mulberry32(seed);
  const heartRate = uniformIntegerBetween(random, 56, 94);
  const rr = Math.round(60_000 / heartRate);
  const qt = Math.round(uniformBetween(random, 385, 435) * Math.sqrt(rr / 1000));
  const qrsAxis = uniformIntegerBetween(random, 15, 75);
  return {
    heart_rate: heartRate,
    rr_interval_ms: rr,
    p_duration_ms: uniformIntegerBetween(random, 86, 108),
    pr_interval_ms: uniformIntegerBetween(random, 138, 188),
    qrs_duration_ms: uniformIntegerBetween(random, 80, 104),
    qt_interval_ms: qt,
    qtc_bazett_ms: Math.round(qt / Math.sqrt(rr / 1000)),
    qtc_fridericia_ms: Math.round(qt / Math.cbrt(rr / 1000)),
    p_axis_deg: uniformIntegerBetween(random, 35, 65),
    qrs_axis_deg: qrsAxis,
    t_axis_deg: Math.round(25 + 0.4 * qrsAxis + uniformBetween(random, -12, 12)),
  };
}

/**
 * Sums Gaussian waves as McSharry et al. (IEEE Trans Biomed Eng 2003;50:289) do, each a dipole that the
 * leads project through Dower's coefficients. The seed sets amplitude, beat phase, breathing and noise.
 */
export function synthesizeEcg(metrics: EcgMetrics, seed: number): EcgSignal {
  const random = mulberry32(seed ^ 0x5eed);
  const gain = uniformBetween(random, 0.85, 1.05);
  const onsets = generateBeatOnsets(metrics.rr_interval_ms / 1000, random);
  const waves = buildBeatWaves(metrics);
  const wander = { phase: uniformBetween(random, 0, 2 * Math.PI), hz: uniformBetween(random, 0.2, 0.28) };

  function synthesizeLead(lead: MeasuredLead): Float64Array {
    const drift = uniformBetween(random, 0.01, 0.03);
    const samples = Float64Array.from({ length: SAMPLE_COUNT }, (_, k) => {
      const breath = Math.sin(wander.phase + (2 * Math.PI * wander.hz * k) / SAMPLE_RATE);
      return drift * breath + 0.004 * standardNormal(random);
    });
    for (const wave of waves) {
      const amplitude = gain * projectToLeads(wave.dipole)[lead];
      for (const onset of onsets) addWave(samples, wave, onset + wave.peak, amplitude);
    }
    return samples;
  }

  const I = synthesizeLead("I");
  const II = synthesizeLead("II");
  return {
    sampleRate: SAMPLE_RATE,
    durationS: DURATION_S,
    leads: {
      I,
      II,
      III: combineLeads(I, II, (one, two) => two - one),
      aVR: combineLeads(I, II, (one, two) => -(one + two) / 2),
      aVL: combineLeads(I, II, (one, two) => one - two / 2),
      aVF: combineLeads(I, II, (one, two) => two - one / 2),
      V1: synthesizeLead("V1"),
      V2: synthesizeLead("V2"),
      V3: synthesizeLead("V3"),
      V4: synthesizeLead("V4"),
      V5: synthesizeLead("V5"),
      V6: synthesizeLead("V6"),
    },
  };
}

/** QRS onsets in s, from before the trace to after it, with 2 % respiratory sinus arrhythmia. */
function generateBeatOnsets(rr: number, random: () => number): number[] {
  const phase = uniformBetween(random, 0, 2 * Math.PI);
  const onsets: number[] = [];
  let time = -rr * uniformBetween(random, 1, 2);
  while (time < DURATION_S + rr) {
    onsets.push(time);
    time += rr * (1 + 0.02 * Math.sin(phase + 2 * Math.PI * 0.25 * time));
  }
  return onsets;
}

function buildBeatWaves(metrics: EcgMetrics): Wave[] {
  const p = metrics.p_duration_ms / 1000;
  const pr = metrics.pr_interval_ms / 1000;
  const qrs = metrics.qrs_duration_ms / 1000;
  const qt = metrics.qt_interval_ms / 1000;
  const repolarisation = qt - qrs;
  const tFall = (0.3 * repolarisation) / EDGE_DEVIATIONS;
  const atria = P_SEQUENCE.map((part) => {
    const width = (part.halfWidth * p) / EDGE_DEVIATIONS;
    const dipole = toDipole(metrics.p_axis_deg, part.along, 0, part.posterior);
    return { peak: part.peak * p - pr, rise: width, fall: width, dipole };
  });
  const ventricles = QRS_SEQUENCE.map((part) => {
    const width = (part.halfWidth * qrs) / EDGE_DEVIATIONS;
    const dipole = toDipole(metrics.qrs_axis_deg, part.along, part.across, part.posterior);
    return { peak: part.peak * qrs, rise: width, fall: width, dipole };
  });
  const recovery = {
    peak: qt - EDGE_DEVIATIONS * tFall,
    rise: (0.5 * repolarisation) / EDGE_DEVIATIONS,
    fall: tFall,
    dipole: toDipole(metrics.t_axis_deg, T_WAVE.along, 0, T_WAVE.posterior),
  };
  return [...atria, ...ventricles, recovery];
}

/** Projects a frontal vector on Einthoven's triangle, where lead I lies at 0° and lead II at 60°. */
function toDipole(axisDeg: number, along: number, across: number, posterior: number): Dipole {
  const axis = (axisDeg * Math.PI) / 180;
  const left = along * Math.cos(axis) - across * Math.sin(axis);
  const down = along * Math.sin(axis) + across * Math.cos(axis);
  return { I: left, II: left / 2 + (down * Math.sqrt(3)) / 2, posterior };
}

/**
 * Dower's 12-lead coefficients (Dower, Machado, Osborne, Clin Cardiol 1980;3:87). Frank's X and Y are
 * solved from the rows of leads I and II, so that the frontal axes are exactly as stated.
 */
function projectToLeads({ I, II, posterior: z }: Dipole): Record<MeasuredLead, number> {
  const one = I - 0.059 * z;
  const two = II + 0.132 * z;
  const determinant = 0.632 * 1.066 + 0.235 * 0.235;
  const x = (1.066 * one + 0.235 * two) / determinant;
  const y = (0.632 * two - 0.235 * one) / determinant;
  return {
    I,
    II,
    V1: -0.515 * x + 0.157 * y - 0.917 * z,
    V2: 0.044 * x + 0.164 * y - 1.387 * z,
    V3: 0.882 * x + 0.098 * y - 1.277 * z,
    V4: 1.213 * x + 0.127 * y - 0.601 * z,
    V5: 1.125 * x + 0.127 * y - 0.086 * z,
    V6: 0.831 * x + 0.076 * y + 0.23 * z,
  };
}

function addWave(samples: Float64Array, wave: Wave, peak: number, amplitude: number): void {
  const first = Math.max(0, Math.ceil((peak - 5 * wave.rise) * SAMPLE_RATE));
  const last = Math.min(SAMPLE_COUNT - 1, Math.floor((peak + 5 * wave.fall) * SAMPLE_RATE));
  for (let k = first; k <= last; k++) {
    const offset = k / SAMPLE_RATE - peak;
    const deviations = offset / (offset < 0 ? wave.rise : wave.fall);
    samples[k] = (samples[k] ?? 0) + amplitude * Math.exp(-(deviations ** 2) / 2);
  }
}

function combineLeads(a: Float64Array, b: Float64Array, join: (a: number, b: number) => number): Float64Array {
  return a.map((value, k) => join(value, b[k] ?? 0));
}
