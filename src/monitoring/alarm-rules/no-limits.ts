// The base limits of a vital without defaults. A file of its own, since the portal uses it too.
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
