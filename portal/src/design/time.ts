// Times and ages in words. A hospital's times are in its zone, whatever the browser's is.

import { say } from "../messages/index.ts";
import { language } from "../session/preferences.ts";

const locale = () => (language() === "hi" ? "hi-IN-u-nu-latn" : "en-IN");
const known = new Map<string, Intl.DateTimeFormat>();

function formatter(options: Intl.DateTimeFormatOptions, zone: string | undefined): Intl.DateTimeFormat {
  const key = JSON.stringify([locale(), zone, options]);
  const found = known.get(key) ?? new Intl.DateTimeFormat(locale(), { ...options, ...(zone && { timeZone: zone }) });
  known.set(key, found);
  return found;
}

type Moment = string | number;

/** "21 Nov 2026, 08:34 IST" */
export const dateTime = (at: Moment, zone?: string): string =>
  formatter(
    {
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      timeZoneName: "short",
    },
    zone,
  ).format(new Date(at));
/** "21 Nov 2026" */
export const date = (at: Moment, zone?: string): string =>
  formatter({ day: "numeric", month: "short", year: "numeric" }, zone).format(new Date(at));
/** "08:34:05" */
export const clock = (at: Moment, zone?: string): string =>
  formatter({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }, zone).format(new Date(at));
/** "08:34" */
export const shortClock = (at: Moment, zone?: string): string =>
  formatter({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, zone).format(new Date(at));

/** A time span in words: elapsed time, never calendar days. */
export function age(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return say("common.seconds_ago", { n: s });
  if (s < 3600) return say("common.minutes_ago", { n: Math.floor(s / 60) });
  if (s < 86_400) return say("common.hours_ago", { n: Math.floor(s / 3600) });
  return say("common.days_ago", { n: Math.floor(s / 86_400) });
}

/** "1 m 29 s", for what counts on the second. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
  if (h > 0) return `${say("common.hours_ago", { n: h })} ${say("common.minutes_ago", { n: m })}`;
  return m > 0 ? `${say("common.minutes_ago", { n: m })} ${say("common.seconds_ago", { n: s % 60 })}` : age(s);
}

/** A number as the language writes it; Latin digits. */
export function number(value: number, digits?: number): string {
  return new Intl.NumberFormat(
    locale(),
    digits === undefined ? {} : { minimumFractionDigits: digits, maximumFractionDigits: digits },
  ).format(value);
}
