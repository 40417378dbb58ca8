// Times to the second, for single values.
import { clock, date } from "../design/time.ts";

/** "21 Nov 2026, 08:34:05" */
export const seconds = (at: string | number, zone: string | undefined): string => `${date(at, zone)}, ${clock(at, zone)}`;
