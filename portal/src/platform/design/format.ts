// Formats of times, ages and numbers. Times are in the given time zone, by default the screen's (screen-zone.ts).

import { getLocale } from "../../accounts/session/preferences.ts";
import { t } from "../messages/translate.ts";
import { getScreenZone } from "./screen-zone.ts";

const formatters = new Map<string, Intl.DateTimeFormat>();

function getFormatter(options: Intl.DateTimeFormatOptions, zone: string | undefined = getScreenZone()): Intl.DateTimeFormat {
  const key = JSON.stringify([getLocale(), zone, options]);
  const cached = formatters.get(key) ?? new Intl.DateTimeFormat(getLocale(), { ...options, timeZone: zone });
  formatters.set(key, cached);
  return cached;
}

type Instant = string | number;

/** "21 Nov 2026, 08:34 IST" */
export const formatDateTime = (at: Instant, zone?: string): string =>
  getFormatter(
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
export const formatDate = (at: Instant, zone?: string): string =>
  getFormatter({ day: "numeric", month: "short", year: "numeric" }, zone).format(new Date(at));
/** "Nov 2026" */
export const formatMonth = (at: Instant, zone?: string): string =>
  getFormatter({ month: "short", year: "numeric" }, zone).format(new Date(at));
/** "November" @param month from 1 */
export const formatMonthName = (month: number): string =>
  getFormatter({ month: "long" }, "UTC").format(new Date(Date.UTC(2000, month - 1, 1)));
/** "08:34:05" */
export const formatTime = (at: Instant, zone?: string): string =>
  getFormatter({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }, zone).format(new Date(at));
/** "08:34" */
export const formatShortTime = (at: Instant, zone?: string): string =>
  getFormatter({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, zone).format(new Date(at));

/** "IST", or "India Standard Time" in full. */
export function formatZone(at: Instant, zone: string, length: "short" | "long"): string {
  const parts = getFormatter({ hour: "2-digit", timeZoneName: length }, zone).formatToParts(new Date(at));
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? zone;
}
/** A calendar day without a time, e.g. of birth: "21 Nov 2026". @param day "2026-11-21" */
export const formatDay = (day: string): string => formatDate(`${day}T00:00:00Z`, "UTC");

/** "India"; the code itself if the browser knows no name. @param code of ISO 3166-1, e.g. "IN" */
export const formatCountry = (code: string): string =>
  new Intl.DisplayNames(getLocale(), { type: "region", fallback: "code" }).of(code) ?? code;

/** A time span as text: elapsed time, not calendar days. */
export function formatAge(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return t("common.seconds_ago", { n: s });
  if (s < 3600) return t("common.minutes_ago", { n: Math.floor(s / 60) });
  if (s < 86_400) return t("common.hours_ago", { n: Math.floor(s / 3600) });
  return t("common.days_ago", { n: Math.floor(s / 86_400) });
}

/** "1 m 29 s", where seconds matter. */
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
  if (h > 0) return `${t("common.hours_ago", { n: h })} ${t("common.minutes_ago", { n: m })}`;
  return m > 0 ? `${t("common.minutes_ago", { n: m })} ${t("common.seconds_ago", { n: s % 60 })}` : formatAge(s);
}

/** A number in the format of the language, with Latin digits. */
export function formatNumber(value: number, digits?: number): string {
  return new Intl.NumberFormat(
    getLocale(),
    digits === undefined ? {} : { minimumFractionDigits: digits, maximumFractionDigits: digits },
  ).format(value);
}
