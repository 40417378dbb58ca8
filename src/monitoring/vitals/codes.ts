// Codes, units and fixed values of the known vital signs, without the rest of the catalogue: the portal loads this module too.

/** LOINC codes by short name. */
export const CODES = {
  heart_rate: "8867-4",
  pulse_rate: "8889-8",
  arterial_pulse_rate: "60978-4",
  spo2: "2708-6",
  systolic: "8480-6",
  diastolic: "8462-4",
  mean_pressure: "8478-0",
  respiratory_rate: "9279-1",
  temperature: "8310-5",
  skin_temperature: "39106-0",
  glucose: "2339-0",
  consciousness: "67775-7",
  inspired_oxygen: "3150-0",
  oxygen_flow: "3151-8",
  etco2: "19889-5",
  steps: "55423-8",
  sleep_minutes: "93832-4",
  energy: "41981-2",
  steps_day: "41950-7",
  energy_day: "41979-6",
  distance: "55430-3",
  distance_day: "41953-1",
  weight: "29463-7",
  height: "8302-2",
  bmi: "39156-5",
  body_fat: "41982-0",
  resting_heart_rate: "40443-4",
  heart_rate_variability: "80404-7",
} as const;

/** The pressures of one measurement. */
export const PRESSURES: readonly string[] = [CODES.systolic, CODES.mean_pressure, CODES.diastolic];

/** UCUM units in which values are stored and shown. */
export const UNITS: Readonly<Record<keyof typeof CODES, string>> = {
  heart_rate: "/min",
  pulse_rate: "/min",
  arterial_pulse_rate: "/min",
  spo2: "%",
  systolic: "mm[Hg]",
  diastolic: "mm[Hg]",
  mean_pressure: "mm[Hg]",
  respiratory_rate: "/min",
  temperature: "Cel",
  skin_temperature: "Cel",
  glucose: "mg/dL",
  consciousness: "{ACVPU}",
  inspired_oxygen: "%",
  oxygen_flow: "L/min",
  etco2: "mm[Hg]",
  steps: "{steps}",
  sleep_minutes: "min",
  energy: "kcal",
  steps_day: "{steps}",
  energy_day: "kcal",
  distance: "m",
  distance_day: "m",
  weight: "kg",
  height: "cm",
  bmi: "kg/m2",
  body_fat: "%",
  resting_heart_rate: "/min",
  heart_rate_variability: "ms",
};

/** Levels of consciousness; a sample has their index as its value. */
export const ACVPU = ["A", "C", "V", "P", "U"] as const;
export type Acvpu = (typeof ACVPU)[number];

/** The letters and words that RCP 2017 and monitors write for them, in lower case, with their index in ACVPU. */
const ACVPU_TEXTS: Readonly<Record<string, number>> = {
  ...{ a: 0, c: 1, v: 2, p: 3, u: 4 },
  alert: 0,
  confusion: 1,
  confused: 1,
  "new confusion": 1,
  "new-onset confusion": 1,
  voice: 2,
  pain: 3,
  unresponsive: 4,
};
/** The longest of these words has 19 characters. */
export const MAX_ACVPU_LENGTH = 20;

/** The index in ACVPU of a letter or word, in any case; null for any other text. */
export function parseAcvpu(text: string): number | null {
  const known = text.length > MAX_ACVPU_LENGTH ? "" : text.toLowerCase();
  return Object.hasOwn(ACVPU_TEXTS, known) ? (ACVPU_TEXTS[known] ?? null) : null;
}

/** Vitals that a monitor measures all the time: this many seconds without one is a fault. */
export const CONTINUOUS_SILENCE_S = 120;

/** RCP 2017 wants observations of the same time; older ones than this do not count together. */
export const NEWS2_WINDOW_MS = 30 * 60_000;

/** What NEWS2 is made of (RCP 2017), and the vitals any of which tell it. */
export const NEWS2_SOURCES = {
  respiratory_rate: [CODES.respiratory_rate],
  spo2: [CODES.spo2],
  oxygen: [CODES.inspired_oxygen, CODES.oxygen_flow],
  systolic: [CODES.systolic],
  pulse: [CODES.heart_rate],
  consciousness: [CODES.consciousness],
  temperature: [CODES.temperature],
} as const satisfies Record<string, readonly string[]>;
