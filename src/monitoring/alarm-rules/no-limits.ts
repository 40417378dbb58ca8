// The base limits of a vital, the fields that are bounds, and overrides. Imports nothing at run time, since the portal uses it too.
import type { Limits } from "../vitals/model.ts";

export const NO_LIMITS: Limits = {
  critical_low: null,
  low: null,
  high: null,
  critical_high: null,
  duration_s: 15,
  hysteresis: 0,
  rate_per_minute: null,
  trend: false,
  silence_s: null,
};

/** The fields that are values of the vital, in ascending order. */
export const BOUND_FIELDS = ["critical_low", "low", "high", "critical_high"] as const satisfies readonly (keyof Limits)[];

/** The limits with the fields of the override; undefined inherits, like an absent field. */
export function applyOverride(
  base: Limits,
  override: { readonly [field in keyof Limits]?: Limits[field] | undefined } | undefined,
): Limits {
  const overridden = Object.entries(override ?? {}).filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(overridden) };
}
