// The reason of each default limit for adults and of its delay; docs/alarms.md shows this table.
import type { Limits } from "./model.ts";

type Bound = "critical_low" | "low" | "high" | "critical_high";
export type LimitReasons = { readonly [bound in Bound]?: string } & {
  /** Why the ordinary limits wait for `duration_s`; critical limits never wait. */
  readonly delay: string;
  /** Why the alarm ends only this far inside. */
  readonly hysteresis: string;
};

const SPOT = "none: measured now and then, and the next value may be hours away";
const CONTINUOUS = "Görges et al. 2009: 14 s remove half of the alarms that needed no action";

const OWN_HYSTERESIS = "EdgeCare's choice: a value that varies around a limit is one alarm";

/**
 * By the name of the vital. A limit stands where NEWS2 gives three points or a guideline calls the value critical: RCP 2017 acts on a
 * single parameter only at three points, and judges one or two points in sum.
 */
export const LIMIT_REASONS: Readonly<Record<string, LimitReasons>> = {
  heart_rate: {
    critical_low: "NEWS2 three points",
    critical_high: "NEWS2 three points",
    delay: "10 s until it ends, shorter than Görges et al. 2009, since a pulse may be lost",
    hysteresis: "from 51 NEWS2 has no points; on the high side the alarm ends within its two points",
  },
  spo2: {
    critical_low: "severe desaturation, EdgeCare's choice",
    low: "NEWS2 scale 1 three points",
    delay: CONTINUOUS,
    hysteresis: "above 93 NEWS2 has at most one point",
  },
  respiratory_rate: {
    critical_low: "NEWS2 three points; no ordinary limit, since 9 to 11 is one point and the rate of many who sleep",
    high: "NEWS2 three points",
    critical_high: "IDSA/ATS 2007: a sign of severe pneumonia from 30",
    delay: CONTINUOUS,
    hysteresis: "from 12 to 20 NEWS2 has no points",
  },
  systolic: {
    critical_low: "NEWS2 three points",
    critical_high: "NEWS2 three points; from 180 without symptoms needs no action at once (AHA 2024, acute care)",
    delay: SPOT,
    hysteresis: "above 100 NEWS2 has at most one point",
  },
  diastolic: {
    high: "grade 3 hypertension of ESC/ESH 2018",
    critical_high: "hypertensive crisis of ACC/AHA 2017",
    delay: SPOT,
    hysteresis: "grade 2 of ESC/ESH 2018 ends at 100",
  },
  mean_pressure: {
    critical_low: "Walsh et al. 2013: myocardial and kidney injury below 55",
    low: "Surviving Sepsis Campaign: at least 65",
    high: "mean of 180/120",
    delay: SPOT,
    hysteresis: "from 70 SOFA (Vincent et al. 1996) has no points",
  },
  temperature: {
    critical_low: "moderate hypothermia",
    low: "NEWS2 three points",
    critical_high: "heat stroke",
    delay: SPOT,
    hysteresis: OWN_HYSTERESIS,
  },
  glucose: {
    critical_low: "ADA level 2 hypoglycaemia is below 54",
    low: "ADA level 1 hypoglycaemia: at most 70 in 2017, below 70 since",
    high: "ADA level 2 hyperglycaemia is above 250",
    critical_high: "mean critical limit of Kost 1990",
    delay: SPOT,
    hysteresis: OWN_HYSTERESIS,
  },
  consciousness: {
    high: "NEWS2 three points from C on",
    critical_high: "P is about Glasgow 8",
    delay: SPOT,
    hysteresis: "none: letters",
  },
  etco2: {
    critical_low: "AHA 2020: next to no circulation or no breath",
    high: "BTS/ICS 2016: ventilation from 6.5 kPa of arterial carbon dioxide, which is not below the end-tidal",
    delay: CONTINUOUS,
    hysteresis: OWN_HYSTERESIS,
  },
};

const BOUNDS: readonly Bound[] = ["critical_low", "low", "high", "critical_high"];

/** The bounds of the limits that have no reason. */
export function listUnexplainedBounds(name: string, limits: Limits): Bound[] {
  return BOUNDS.filter((bound) => limits[bound] !== null && !LIMIT_REASONS[name]?.[bound]);
}

/** The rows of the table in docs/alarms.md for one vital: vital, limit, value, when it is raised, reason. */
export function toReasonRows(name: string, display: string, limits: Limits): string[][] {
  const reasons = LIMIT_REASONS[name];
  const rows = BOUNDS.flatMap((bound) => {
    const value = limits[bound];
    if (value === null) return [];
    const sign = bound.endsWith("low") ? "≤" : "≥";
    const delay = bound.startsWith("critical") || limits.duration_s === 0 ? "at once" : `${limits.duration_s} s`;
    return [[display, bound.replace("_", " "), `${sign} ${value}`, delay, reasons?.[bound] ?? ""]];
  });
  const hysteresis = [display, "hysteresis", `${limits.hysteresis}`, "", reasons?.hysteresis ?? ""];
  return [...rows, [display, "delay", "", "", reasons?.delay ?? ""], hysteresis];
}
