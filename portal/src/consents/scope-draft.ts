// The dates of a consent as days, which forms show, and the instants that the API takes.
import { findOpenEnds } from "../../../src/document-requests/open-dates.ts";
import { addDays, dayInZone, endOfDayIso, isDateString, startOfDayIso } from "../platform/design/calendar-days.ts";
import type { PlainMessageKey } from "../platform/messages/translate.ts";

/** Days as "2026-11-21", in the zone of the hospital that asks; all included. */
export type ScopeDays = { from: string; until: string; expires: string };
/** As the API shows them: `data_until` is included, from `expires_at` on nothing can be read. */
type Instants = { data_from: string; data_until: string; expires_at: string };
export type DayField = keyof Instants;

export const NO_DAYS: ScopeDays = { from: "", until: "", expires: "" };
/** The API accepts five years of 366 days. */
const MAX_LIFE_DAYS = 5 * 366 - 1;
/** And data of 120 such years; the first day may begin within the last one. */
const MAX_SPAN_DAYS = 120 * 366 - 1;

export const toDays = ({ data_from, data_until, expires_at }: Instants, zone?: string): ScopeDays => ({
  from: dayInZone(Date.parse(data_from), zone),
  until: dayInZone(Date.parse(data_until), zone),
  expires: dayInZone(Date.parse(expires_at) - 1, zone),
});

const endOfDay = (day: string, zone?: string): string => new Date(Date.parse(endOfDayIso(day, zone)) - 1).toISOString();

export const toInstants = ({ from, until, expires }: ScopeDays, zone?: string): Instants => ({
  data_from: startOfDayIso(from, zone),
  data_until: endOfDay(until, zone),
  expires_at: endOfDay(expires, zone),
});

/**
 * What is narrower than requested. A day that was not changed is left out, so that it stays exactly as requested. What was shared is
 * erased no later than the shorter access ends.
 */
export function toNarrowed(days: ScopeDays, asked: Instants, zone?: string): Partial<Instants> & { erase_at?: string } {
  const before = toDays(asked, zone);
  const { data_from, data_until, expires_at } = toInstants(days, zone);
  return {
    ...(days.from !== before.from && { data_from }),
    ...(days.until !== before.until && { data_until }),
    ...(days.expires !== before.expires && { expires_at, erase_at: expires_at }),
  };
}

type Dated = Instants & { created_at: string; document_request_id: string | null };
/** Which ends a document request left open; the dates of its consent stand for them. */
export function openEndsOf({ data_from, data_until, created_at, document_request_id }: Dated) {
  if (document_request_id === null) return { isFromOpen: false, isUntilOpen: false };
  return findOpenEnds(Date.parse(data_from), Date.parse(data_until), Date.parse(created_at));
}

/** What a form shows: no day where the request left one open. */
export function toShownDays(consent: Dated, zone?: string): ScopeDays {
  const { isFromOpen, isUntilOpen } = openEndsOf(consent);
  return { ...toDays(consent, zone), ...(isFromOpen && { from: "" }), ...(isUntilOpen && { until: "" }) };
}

/** What a form that shows open ends means. */
export function fillOpenEnds(days: ScopeDays, consent: Dated, zone?: string): ScopeDays {
  const { isFromOpen, isUntilOpen } = openEndsOf(consent);
  const { from, until } = toDays(consent, zone);
  return { ...days, ...(isFromOpen && days.from === "" && { from }), ...(isUntilOpen && days.until === "" && { until }) };
}

/** The widest days that a form accepts. */
export type DayLimits = { from?: string; until?: string; expires: string };

/** @param today of the same zone */
export const requestLimits = (today: string): DayLimits => ({ expires: addDays(today, MAX_LIFE_DAYS) });

/** What is wrong with the days, by field of the API. */
export function findDayFaults(days: ScopeDays, limits: DayLimits, today: string): Partial<Record<DayField, PlainMessageKey>> {
  const { from, until, expires } = days;
  const faultOf = (day: string, isWider: boolean): PlainMessageKey | null => {
    if (!isDateString(day)) return "consents.fault.date";
    return isWider ? "consents.fault.wider" : null;
  };
  const data_from = faultOf(from, limits.from !== undefined && from < limits.from);
  const data_until = faultOf(until, limits.until !== undefined && until > limits.until);
  const order = data_from || data_until ? null : findOrderFault(from, until);
  const expires_at = faultOf(expires, false) ?? findExpiryFault(expires, limits, today);
  return {
    ...(data_from && { data_from }),
    ...(data_until && { data_until }),
    ...(order && { data_until: order }),
    ...(expires_at && { expires_at }),
  };
}

function findOrderFault(from: string, until: string): PlainMessageKey | null {
  if (from > until) return "consents.fault.order";
  return addDays(from, MAX_SPAN_DAYS) < until ? "consents.fault.span" : null;
}

function findExpiryFault(expires: string, limits: DayLimits, today: string): PlainMessageKey | null {
  if (expires < today) return "consents.fault.past";
  if (expires <= limits.expires) return null;
  return limits.until === undefined ? "consents.fault.life" : "consents.fault.wider";
}
