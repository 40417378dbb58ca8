// What a sample and a vital sign are, between the wire, the rules and the store.

/** Ages that limits differ by, with their upper ends in years (FHIR has no code for these; see catalogue.ts for sources). */
export const AGE_BANDS = ["neonate", "infant", "toddler", "child", "adolescent", "adult"] as const;
export type AgeBand = (typeof AGE_BANDS)[number];

/** One value at one time, in the unit of the catalogue; of codes that the catalogue lacks, as the device said it. */
export type Sample = {
  /** LOINC, or what the device called it. */
  code: string;
  value: number;
  /** UCUM. */
  unit: string;
  /** When it was measured, epoch milliseconds, with the device's clock set right where its error is known. */
  at: number;
  /** The device's own number of it. */
  seq: number | null;
  /** `invalid`: not possible in a living body or not by this sensor; kept and shown, never scored, never alarmed by value. */
  status: "final" | "invalid";
};

/** Where limits lie: null is no limit on that side. Seconds and values in the catalogue's unit. */
export type Limits = {
  /** At or beyond this the alarm is of high priority. */
  critical_low: number | null;
  low: number | null;
  high: number | null;
  critical_high: number | null;
  /** How long it must last before it is raised. */
  duration_s: number;
  /** How far back inside a limit counts as recovered. */
  hysteresis: number;
  /** Change a minute, either way, that is raised; null for none. */
  rate_per_minute: number | null;
  /** Whether a drift from the patient's own baseline is raised. */
  trend: boolean;
  /** Without a sample for this long the vital is silent; null for vitals that are measured now and then. */
  silence_s: number | null;
};

/** A vital sign of the catalogue. */
export type Vital = {
  code: string;
  /** Short name of the wire: `heart_rate`. */
  name: string;
  display: string;
  unit: string;
  /** Other LOINC codes that mean the same here. */
  also: readonly string[];
  /** Accepted UCUM units (and common spellings) with value × factor + offset = the catalogue's unit. */
  units: Readonly<Record<string, { factor: number; offset: number }>>;
  /** Outside of it a value is kept as invalid. Inclusive. */
  plausible: { min: number; max: number; source: string };
  /** How many decimals are kept. */
  decimals: number;
  /** Default limits by age band; a band that is missing has none. */
  limits: Partial<Record<AgeBand, Limits>>;
  /** Where the default limits come from. */
  source: string;
};
