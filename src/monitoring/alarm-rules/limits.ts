// Limit overrides of wards and patients: validation, and merging with the defaults.
import { findVital } from "../vitals/catalogue.ts";
import type { Limits } from "../vitals/model.ts";
import { applyOverride, BOUND_FIELDS, NO_LIMITS } from "./no-limits.ts";

/** Absent fields are inherited; null switches a limit off. */
export type LimitsOverride = Partial<Limits>;
export type LimitsOverrides = Readonly<Record<string, LimitsOverride>>;

/**
 * The limits in effect by code, merged field by field: patient before ward before default. A code without defaults starts from
 * `NO_LIMITS`. Layers may contradict each other after one changes; the rules check the critical limit first, and so alarm sooner.
 */
export function mergeLimits(
  defaults: Readonly<Record<string, Limits>>,
  ward: LimitsOverrides,
  patient: LimitsOverrides,
): Record<string, Limits> {
  const codes = new Set([...Object.keys(defaults), ...Object.keys(ward), ...Object.keys(patient)]);
  const toMerged = (code: string) => ({
    ...applyOverride(applyOverride(defaults[code] ?? NO_LIMITS, ward[code]), patient[code]),
  });
  return Object.fromEntries([...codes].map((code) => [code, toMerged(code)]));
}

export type LimitProblem = { field: keyof Limits | "code"; code: keyof typeof PROBLEM_MESSAGES; message: string };
const PROBLEM_MESSAGES = {
  unknown_code: "Unknown vital sign",
  out_of_range: "Value out of range",
  crossed: "Limits must increase from critical low, low, high to critical high; low and high must differ",
  too_wide: "The hysteresis must be less than half of the range between low and high",
  unguarded: "A critical limit can only be switched off while the ordinary limit of the same side is on",
  too_far: "A critical limit may be at most halfway between the one it replaces and the end of the plausible range",
} as const;

/** Allowed seconds: an alert delayed by more than five minutes is late, and a silence longer than a day is no fault. */
const ALLOWED_RANGES = { duration_s: [0, 300], silence_s: [30, 86_400] } as const;

/**
 * Validates an override. `base` has the inherited limits, for checks of the limits in effect; without it only the override's own
 * fields are compared. A critical limit is switched off only by an explicit null while the ordinary limit of that side is on, and it
 * cannot be moved far out. A heart rate or respiratory rate of 0 raises an alert whatever is set here.
 */
export function checkLimits(override: LimitsOverride, code: string, base: Limits = NO_LIMITS): LimitProblem[] {
  const vital = findVital(code);
  if (!vital) return [toProblem("code", "unknown_code")];
  const merged = applyOverride(base, override);
  const { min, max } = vital.plausible;
  const outOfRange = BOUND_FIELDS.filter((side) => !isWithin(override[side], min, max));
  return [
    ...outOfRange.map((side) => toProblem(side, "out_of_range")),
    ...checkOrder(merged),
    ...checkTiming(override, merged),
    ...checkCriticalGuards(override, base, merged, vital.plausible),
  ];
}

function toProblem(field: LimitProblem["field"], code: LimitProblem["code"]): LimitProblem {
  return { field, code, message: PROBLEM_MESSAGES[code] };
}

function isWithin(value: number | null | undefined, min: number, max: number): boolean {
  return value === null || value === undefined || (Number.isFinite(value) && value >= min && value <= max);
}

function checkOrder({ critical_low, low, high, critical_high }: Limits): LimitProblem[] {
  const lowest = low ?? critical_low;
  const highest = high ?? critical_high;
  return [
    ...(critical_low !== null && low !== null && critical_low > low ? [toProblem("critical_low", "crossed")] : []),
    ...(lowest !== null && highest !== null && lowest >= highest
      ? [toProblem(low === null ? "critical_low" : "low", "crossed")]
      : []),
    ...(high !== null && critical_high !== null && critical_high < high ? [toProblem("critical_high", "crossed")] : []),
  ];
}

function checkTiming(override: LimitsOverride, { low, high, hysteresis: margin }: Limits): LimitProblem[] {
  const { duration_s, silence_s, hysteresis, rate_per_minute } = override;
  const halfRange = low !== null && high !== null && high > low ? (high - low) / 2 : Number.POSITIVE_INFINITY;
  const isRateValid =
    rate_per_minute === null || rate_per_minute === undefined || (Number.isFinite(rate_per_minute) && rate_per_minute > 0);
  return [
    ...(isWithin(duration_s, ...ALLOWED_RANGES.duration_s) ? [] : [toProblem("duration_s", "out_of_range")]),
    ...(isWithin(silence_s, ...ALLOWED_RANGES.silence_s) ? [] : [toProblem("silence_s", "out_of_range")]),
    ...(isWithin(hysteresis, 0, Number.MAX_VALUE) ? [] : [toProblem("hysteresis", "out_of_range")]),
    ...(margin >= halfRange ? [toProblem("hysteresis", "too_wide")] : []),
    ...(isRateValid ? [] : [toProblem("rate_per_minute", "out_of_range")]),
  ];
}

type PlausibleRange = { min: number; max: number };

function checkCriticalGuards(
  override: LimitsOverride,
  base: Limits,
  merged: Limits,
  { min, max }: PlausibleRange,
): LimitProblem[] {
  const sides = [
    { critical: "critical_low", ordinary: "low", end: min },
    { critical: "critical_high", ordinary: "high", end: max },
  ] as const;
  return sides.flatMap(({ critical, ordinary, end }) => {
    const [before, now] = [base[critical], merged[critical]];
    if (before === null) return [];
    if (now === null) return merged[ordinary] === null ? [toProblem(critical, "unguarded")] : [];
    const isFar = override[critical] !== undefined && Math.abs(now - end) < Math.abs(before - end) / 2;
    return isFar ? [toProblem(critical, "too_far")] : [];
  });
}
