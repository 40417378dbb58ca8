// Default limits of patients who are monitored at home: nobody computes NEWS2 there all day, and activity is normal.
import { CODES } from "./codes.ts";
import type { AgeBand, Limits } from "./model.ts";

/** Which default limits apply. Without monitoring those of a ward are shown. */
export const LIMIT_PROFILES = ["ward", "home"] as const;
export type LimitProfile = (typeof LIMIT_PROFILES)[number];

/** The most that a limit may wait (ALLOWED_RANGES in alarm-rules/limits.ts). */
const LONG_S = 300;

type HomeChange = { source: string; limits: Partial<Limits>; adult?: Partial<Limits> };

/** What differs from the limits of a ward, by code; critical limits never do. `adult`: also for adults, whose ward limits leave it to NEWS2. */
const HOME_CHANGES: Readonly<Record<string, HomeChange>> = {
  [CODES.heart_rate]: {
    source: "Home: 120, the usual limit of watches, when it lasts five minutes; critical high ones last five minutes too",
    limits: { duration_s: LONG_S, rate_per_minute: null, trend: false },
    adult: { high: 120 },
  },
  [CODES.respiratory_rate]: {
    source: "Home: ordinary and critical high limits last five minutes, since walking upstairs reaches them",
    limits: { duration_s: LONG_S, rate_per_minute: null, trend: false },
  },
  [CODES.spo2]: { source: "Home: a minute, in which a finger probe settles", limits: { duration_s: 60 } },
  [CODES.systolic]: {
    source: "Home: 180, to be measured again after five minutes (ACC/AHA 2017)",
    limits: { duration_s: LONG_S },
    adult: { high: 180 },
  },
  [CODES.diastolic]: {
    source: "Home: to be measured again after five minutes (ACC/AHA 2017)",
    limits: { duration_s: LONG_S },
  },
  [CODES.temperature]: { source: "Home: fever of NEWS2 two points (39.1)", limits: {}, adult: { high: 39.1 } },
};

/** How long a high critical value must last at home until its alert, in seconds by code; every other critical limit is at once. */
export const HOME_CRITICAL_DELAYS: Readonly<Record<string, number>> = {
  [CODES.heart_rate]: LONG_S,
  [CODES.respiratory_rate]: LONG_S,
};

export function toHomeLimits(code: string, band: AgeBand, limits: Limits): Limits {
  const change = HOME_CHANGES[code];
  return change ? { ...limits, ...change.limits, ...(band === "adult" && change.adult) } : limits;
}

/** The source of the limits of a ward, with that of what differs at home. */
export function toHomeSource(code: string, source: string): string {
  const change = HOME_CHANGES[code];
  return change ? `${source}. ${change.source}` : source;
}
