// Formats times to the second, for individual values.
import { formatDate, formatTime } from "../../platform/design/format.ts";

/** "21 Nov 2026, 08:34:05" */
export const formatDateTimeSeconds = (at: string | number, zone: string | undefined): string =>
  `${formatDate(at, zone)}, ${formatTime(at, zone)}`;
