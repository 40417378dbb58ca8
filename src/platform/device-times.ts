// How late and how far ahead of our clock devices may be: samples and reports follow the same assignments.
import { DAY_MS } from "./time.ts";

/** How long after its end an assignment of a device still accepts what was measured before the end. */
export const MAX_BINDING_LATENESS_MS = 7 * DAY_MS;

/** How far a time of measurement may be ahead of the server's clock. */
export const MAX_CLOCK_LEAD_MS = 2 * 60_000;

/** Whether a time (Unix ms) is further ahead than clocks may differ. */
export const isAhead = (measuredAt: number | null, now: number): boolean =>
  measuredAt !== null && measuredAt > now + MAX_CLOCK_LEAD_MS;

/** How old a sample of a device may be when it arrives. */
export const MAX_SAMPLE_AGE_MS = 30 * DAY_MS;
