// The reason of each default limit for adults and of its delay; docs/alarms.md shows this table.
import type { Limits } from "./model.ts";

type Bound = "critical_low" | "low" | "high" | "critical_high";
export type LimitReasons = { readonly [bound in Bound]?: string } & {
  /** Why the ordinary limits wait for `duration_s`; critical limits never wait. */
  readonly delay: string;
};

const SPOT = "none: measured now and then, and the next value may be hours away";
const CONTINUOUS = "Görges et al. 2009: 14 s remove half of the alarms that needed no action";

/** By the name of the vital. */
export const LIMIT_REASONS: Readonly<Record<string, LimitReasons>> = {
  heart_rate: {
    critical_low: "NEWS2 three points",
    low: "common default of monitors",
    high: "common default of monitors",
    critical_high: "NEWS2 three points",
    delay: "10 s, shorter than Görges et al. 2009, since a pulse may be lost",
  },
  spo2: { critical_low: "severe desaturation, EdgeCare's choice", low: "NEWS2 scale 1 three points", delay: CONTINUOUS },
  respiratory_rate: {
    critical_low: "NEWS2 three points; no ordinary limit, since 9 to 11 is one point and the rate of many who sleep",
    high: "NEWS2 three points",
    critical_high: "common default of monitors",
    delay: CONTINUOUS,
  },
  systolic: {
    critical_low: "NEWS2 three points",
    low: "NEWS2 two points",
    high: "hypertensive crisis of ACC/AHA 2017",
    critical_high: "NEWS2 three points",
    delay: SPOT,
  },
  diastolic: {
    low: "common default of monitors",
    high: "grade 3 hypertension of ESC/ESH 2018",
    critical_high: "hypertensive crisis of ACC/AHA 2017",
    delay: SPOT,
  },
  mean_pressure: {
    critical_low: "Walsh et al. 2013: myocardial and kidney injury below 55",
    low: "Surviving Sepsis Campaign: at least 65",
    high: "mean of 180/120",
    delay: SPOT,
  },
  temperature: {
    critical_low: "moderate hypothermia",
    low: "NEWS2 three points",
    high: "NEWS2 two points",
    critical_high: "heat stroke",
    delay: SPOT,
  },
  glucose: {
    critical_low: "ADA level 2 hypoglycaemia",
    low: "ADA level 1 hypoglycaemia",
    high: "ADA level 2 hyperglycaemia",
    critical_high: "mean critical limit of Kost 1990",
    delay: SPOT,
  },
  consciousness: {
    high: "NEWS2 three points from C on",
    critical_high: "P is about Glasgow 8",
    delay: SPOT,
  },
  etco2: {
    critical_low: "AHA 2020: next to no circulation or no breath",
    low: "common default of monitors",
    high: "common default of monitors",
    delay: CONTINUOUS,
  },
};

const BOUNDS: readonly Bound[] = ["critical_low", "low", "high", "critical_high"];

/** The bounds of the limits that have no reason. */
export function listUnexplainedBounds(name: string, limits: Limits): Bound[] {
  return BOUNDS.filter((bound) => limits[bound] !== null && !LIMIT_REASONS[name]?.[bound]);
}

/** The rows of the table in docs/alarms.md for one vital: vital, limit, value, delay, reason. */
export function toReasonRows(name: string, display: string, limits: Limits): string[][] {
  const reasons = LIMIT_REASONS[name];
  const rows = BOUNDS.flatMap((bound) => {
    const value = limits[bound];
    if (value === null) return [];
    const sign = bound.endsWith("low") ? "≤" : "≥";
    const delay = bound.startsWith("critical") || limits.duration_s === 0 ? "at once" : `${limits.duration_s} s`;
    return [[display, bound.replace("_", " "), `${sign} ${value}`, delay, reasons?.[bound] ?? ""]];
  });
  return [...rows, [display, "delay", "", "", reasons?.delay ?? ""]];
}
