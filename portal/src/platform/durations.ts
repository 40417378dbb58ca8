// Lengths of time in milliseconds.
export const HOUR_MS = 3_600_000;
/** Of elapsed time; a calendar day may be shorter or longer where clocks change. */
export const DAY_MS = 24 * HOUR_MS;
