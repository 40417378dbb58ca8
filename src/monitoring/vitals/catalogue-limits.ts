// Default alarm limits by age band, with sources. Wards and patients can override them.
import { CONTINUOUS_SILENCE_S } from "./codes.ts";
import type { AgeBand, Limits } from "./model.ts";

type LimitsByBand = Partial<Record<AgeBand, Limits>>;
/** Critical low, low, high, critical high. Limits are inclusive, so "below 60" in a source is 59 here. */
type Bounds = readonly [number | null, number | null, number | null, number | null];
type AlarmTiming = Pick<Limits, "duration_s" | "hysteresis"> & Partial<Pick<Limits, "rate_per_minute" | "trend" | "silence_s">>;

/** `timing`: see `LIMIT_REASONS`. The hysteresis of children has no external source; `adultHysteresis` has those reasons. */
function limitsByBand(
  timing: AlarmTiming,
  bounds: Partial<Record<AgeBand, Bounds>>,
  adultHysteresis = timing.hysteresis,
): LimitsByBand {
  const toLimits = ([critical_low, low, high, critical_high]: Bounds, hysteresis: number): Limits => ({
    critical_low,
    low,
    high,
    critical_high,
    rate_per_minute: null,
    trend: false,
    silence_s: null,
    ...timing,
    hysteresis,
  });
  return Object.fromEntries(
    Object.entries(bounds).map(([band, ofBand]) => [
      band,
      toLimits(ofBand, band === "adult" ? adultHysteresis : timing.hysteresis),
    ]),
  );
}

const CONTINUOUS_TIMING = { trend: true, silence_s: CONTINUOUS_SILENCE_S } as const;

export const HEART_RATE = {
  source:
    "Adult: NEWS2 three points (≤ 40, ≥ 131). Child: PALS 2020 asleep low end and awake high end; 60 is where PALS starts " +
    "compressions, 220 and 180 where it suspects supraventricular tachycardia; 50 is ours",
  limits: limitsByBand(
    { duration_s: 10, hysteresis: 3, rate_per_minute: 40, ...CONTINUOUS_TIMING },
    {
      neonate: [60, 89, 206, 220],
      infant: [60, 89, 181, 220],
      toddler: [60, 79, 141, 180],
      child: [50, 57, 121, 180],
      adolescent: [40, 49, null, 131],
      adult: [40, null, null, 131],
    },
    10,
  ),
};

const CHILD_SATURATION_BOUNDS: Bounds = [85, 90, null, null];
export const SATURATION = {
  source: "Adult: NEWS2 scale 1 three points (≤ 91). Child: 90, below which PALS 2020 acts. 85 for severe desaturation is ours",
  limits: limitsByBand(
    { duration_s: 15, hysteresis: 2, rate_per_minute: 8, ...CONTINUOUS_TIMING },
    {
      neonate: CHILD_SATURATION_BOUNDS,
      infant: CHILD_SATURATION_BOUNDS,
      toddler: CHILD_SATURATION_BOUNDS,
      child: CHILD_SATURATION_BOUNDS,
      adolescent: [85, 91, null, null],
      adult: [85, 91, null, null],
    },
  ),
};

export const RESPIRATION = {
  source:
    "Adult: NEWS2 three points (≤ 8, ≥ 25) and the common monitor default 30; 9 to 11, one point and the rate of many who sleep, is none. Child: " +
    "one beyond the PALS 2020 normal range; below 10 or above 60 PALS calls abnormal at any age; 80 of neonates is ours",
  limits: limitsByBand(
    { duration_s: 15, hysteresis: 2, rate_per_minute: 15, ...CONTINUOUS_TIMING },
    {
      neonate: [9, 29, 61, 80],
      infant: [9, 29, 54, 61],
      toddler: [9, 21, 38, 61],
      child: [9, 17, 29, 61],
      adolescent: [8, null, 25, 30],
      adult: [8, null, 25, 30],
    },
    4,
  ),
};

export const SYSTOLIC = {
  source:
    "Adult: NEWS2 three points (≤ 90, ≥ 220). Child: hypotension of PALS 2020 for the youngest of the band, up to 11 years one below " +
    "its normal range, stage 2 of AAP 2017 (140) and its emergency (180)",
  limits: limitsByBand(
    { duration_s: 0, hysteresis: 5 },
    {
      neonate: [59, 66, null, null],
      infant: [69, 71, null, null],
      toddler: [71, 85, null, null],
      child: [75, 88, 140, 180],
      adolescent: [89, null, 140, 180],
      adult: [90, null, null, 220],
    },
    10,
  ),
};

export const DIASTOLIC = {
  source:
    "Adult: grade 3 hypertension of ESC/ESH 2018 (110), crisis of ACC/AHA 2017 (120). Child: up to 11 years one below the PALS 2020 " +
    "normal range; stage 2 of AAP 2017 (90) and its emergency (120)",
  limits: limitsByBand(
    { duration_s: 0, hysteresis: 3 },
    {
      neonate: [null, 34, null, null],
      infant: [null, 36, null, null],
      toddler: [null, 41, null, null],
      child: [null, 45, 90, 120],
      adolescent: [null, null, 90, 120],
      adult: [null, null, 110, 120],
    },
    10,
  ),
};

export const MEAN_PRESSURE = {
  source:
    "Adult: below the 65 of the Surviving Sepsis Campaign; 55 from Walsh et al. 2013 (Anesthesiology); 140 is the mean of 180/120. " +
    "Child from one year: fifth centile 40 + 1.5 × age of Haque and Zaritsky 2007, for the youngest of the band",
  limits: limitsByBand(
    { duration_s: 0, hysteresis: 3 },
    {
      toddler: [null, 41, null, null],
      child: [null, 44, null, null],
      adolescent: [null, 58, null, null],
      adult: [55, 64, 140, null],
    },
    5,
  ),
};

const TEMPERATURE_BOUNDS: Bounds = [32, 35, 39.1, 40];
export const TEMPERATURE = {
  source:
    "NEWS2 three points (≤ 35.0) and, up to 11 years, its two points (≥ 39.1); moderate hypothermia (32) and heat stroke (40). Neonate: moderate and severe hypothermia of WHO (< 36.0, < 32.0), fever " +
    "of NICE NG143 under 3 months (38.0); infant: fever of NICE NG143 at 3 to 6 months (39.0)",
  limits: limitsByBand(
    { duration_s: 0, hysteresis: 0.2 },
    {
      neonate: [31.9, 35.9, 38, 40],
      infant: [32, 35, 39, 40],
      toddler: TEMPERATURE_BOUNDS,
      child: TEMPERATURE_BOUNDS,
      adolescent: [32, 35, null, 40],
      adult: [32, 35, null, 40],
    },
  ),
};

const GLUCOSE_BOUNDS: Bounds = [54, 70, 250, 484];
export const GLUCOSE = {
  source:
    "Hypoglycaemia of ADA levels 2 and 1 (54, 70), hyperglycaemia level 2 (250), mean critical limit of Kost 1990 (484). Neonate: " +
    "2.6 mmol/L and the operational threshold of BAPM 2017, 2.0 mmol/L",
  limits: limitsByBand(
    { duration_s: 0, hysteresis: 5 },
    {
      neonate: [36, 47, 250, 484],
      infant: GLUCOSE_BOUNDS,
      toddler: GLUCOSE_BOUNDS,
      child: GLUCOSE_BOUNDS,
      adolescent: GLUCOSE_BOUNDS,
      adult: GLUCOSE_BOUNDS,
    },
  ),
};

const CHILD_CONSCIOUSNESS_BOUNDS: Bounds = [null, null, 2, 3];
export const CONSCIOUSNESS = {
  source:
    "Adult: NEWS2 three points from C on; P is about Glasgow 8. Younger than NEWS2: from V on, since C is not in their AVPU",
  limits: limitsByBand(
    { duration_s: 0, hysteresis: 0 },
    {
      neonate: CHILD_CONSCIOUSNESS_BOUNDS,
      infant: CHILD_CONSCIOUSNESS_BOUNDS,
      toddler: CHILD_CONSCIOUSNESS_BOUNDS,
      child: CHILD_CONSCIOUSNESS_BOUNDS,
      adolescent: CHILD_CONSCIOUSNESS_BOUNDS,
      adult: [null, null, 1, 3],
    },
  ),
};

const ETCO2_BOUNDS: Bounds = [10, 30, 50, null];
export const END_TIDAL_CO2 = {
  source:
    "Ventilation of BTS/ICS 2016 from 6.5 kPa (50); up to 11 years the common monitor default 30; 10 or less is next to no circulation or no " +
    "breath (AHA 2020 on resuscitation)",
  limits: limitsByBand(
    { duration_s: 15, hysteresis: 2, rate_per_minute: 15 },
    {
      neonate: ETCO2_BOUNDS,
      infant: ETCO2_BOUNDS,
      toddler: ETCO2_BOUNDS,
      child: ETCO2_BOUNDS,
      adolescent: [10, null, 50, null],
      adult: [10, null, 50, null],
    },
  ),
};

export const NO_LIMITS = {
  source: "None: not a vital that alarms by its value",
  limits: limitsByBand({ duration_s: 0, hysteresis: 0 }, {}),
};
