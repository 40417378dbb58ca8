// Types of samples, limits and vital signs.

/** Age bands of limits (FHIR has no codes for these; see findAgeBand in catalogue.ts for boundaries and sources). */
export const AGE_BANDS = ["neonate", "infant", "toddler", "child", "adolescent", "adult"] as const;
export type AgeBand = (typeof AGE_BANDS)[number];

/** IEEE 1752.1, temporal relationship to physical activity. */
export const ACTIVITIES = ["at rest", "active", "before exercise", "during exercise", "after exercise"] as const;
export type Activity = (typeof ACTIVITIES)[number];

/** One value at one time, in the unit of the catalogue, or as sent for unknown codes. */
export type Sample = {
  /** LOINC, or the device's own code. */
  code: string;
  value: number;
  /** UCUM. */
  unit: string;
  /** Measurement time, epoch milliseconds, corrected by the device's clock error if known. */
  at: number;
  /** The device's sequence number. */
  seq: number | null;
  /** `invalid`: physiologically impossible, or beyond what the sensor measures; stored and shown, but never scored or checked against limits. */
  status: "final" | "invalid";
  /** The unit is doubtful: value and unit are as sent, the status is `invalid`, and staff are told. */
  isUnitSuspect?: true;
  /** As its source said. */
  activity?: Activity | undefined;
  /** Measured during physical activity, by `activity`. For the alarm rules alone; not stored. */
  isExercise?: true;
};

/** When a sample counts as measured, epoch milliseconds: a clock that is ahead makes none newer than its receipt. */
export const shownAt = ({ at, received }: { at: number; received: number }) => Math.min(at, received);

/** Alarm limits in the catalogue's unit; null means no limit. */
export type Limits = {
  /** At or beyond this the alert has high priority. */
  critical_low: number | null;
  low: number | null;
  high: number | null;
  critical_high: number | null;
  /** Seconds that a value must stay beyond a limit before an alert is raised. */
  duration_s: number;
  /** Distance inside a limit that counts as recovered. */
  hysteresis: number;
  /** Change per minute, towards a side with a limit, that raises an alert; null for none. */
  rate_per_minute: number | null;
  /** Whether a drift from the patient's baseline raises an alert. */
  trend: boolean;
  /** Seconds without a sample after which the vital counts as silent; null for vitals measured occasionally. */
  silence_s: number | null;
};

/** A vital sign of the catalogue. */
export type Vital = {
  code: string;
  /** Short name in the API, e.g. `heart_rate`. */
  name: string;
  display: string;
  unit: string;
  /** Equivalent LOINC codes. */
  also: readonly string[];
  /** Accepted UCUM units (and common spellings) with value × factor + offset = the catalogue's unit. */
  units: Readonly<Record<string, { factor: number; offset: number }>>;
  /** Inclusive range; values outside are stored as invalid. */
  plausible: { min: number; max: number; source: string };
  /** Decimals to which values are rounded. */
  decimals: number;
  /** Default limits by age band; absent bands have none. */
  limits: Partial<Record<AgeBand, Limits>>;
  /** Source of the default limits. */
  source: string;
};
