// Phone numbers: what may be stored, and the digits under which a number is indexed and searched.
import { z } from "@hono/zod-openapi";
import { AsYouType, type CountryCode, getCountries, Metadata, parsePhoneNumberFromString } from "libphonenumber-js/core";
import metadata from "libphonenumber-js/min/metadata";
import { toAsciiDigits } from "./text.ts";

export type { CountryCode };

const COUNTRIES: ReadonlySet<string> = new Set(getCountries(metadata));
/** ISO 3166-1 alpha-2, in capital letters. */
export const isCountry = (code: string): code is CountryCode => COUNTRIES.has(code);

const MAX_PHONE_DIGITS = 24;
const INVALID_NUMBER = "Not a valid phone number";
/** A number with separators and, perhaps, an extension. */
const PHONE_PATTERN = /^\+?[0-9 ().\-/]+(?:(?:;ext=|[,;]? ?(?:extension|extn|ext|x|#)\.? ?)[0-9]{1,7})?$/i;

/** ASCII digits and separators, without the direction marks, kinds of spaces and dashes that a paste brings along. */
function toPlainPhone(text: string): string {
  return toAsciiDigits(text)
    .replace(/[\p{Cf}\p{Cc}]/gu, "")
    .replace(/[\p{Pd}\u2212\u30fb\u00b7]/gu, "-")
    .replace(/\p{Zs}+/gu, " ")
    .trim();
}

export const digitsOf = (text: string): string => toAsciiDigits(text).replace(/[^0-9]/g, "");

export function isPhone(text: string): boolean {
  const length = digitsOf(text).length;
  return length >= 3 && length <= MAX_PHONE_DIGITS && PHONE_PATTERN.test(toPlainPhone(text));
}

/** True for text that can only be a number, or the beginning of one. */
export function isPhoneQuery(text: string): boolean {
  return digitsOf(text) !== "" && /^[+(0-9]/.test(toPlainPhone(text)) && PHONE_PATTERN.test(toPlainPhone(text));
}

/** Stored as typed, without outer spaces and invisible characters. */
export const phoneNumber = z
  .string()
  .max(60)
  .overwrite((text) => text.replace(/[\p{Cf}\p{Cc}]/gu, "").trim())
  .refine((text) => text.length <= 40 && isPhone(text), INVALID_NUMBER)
  .openapi({ pattern: "[0-9].*[0-9]|[^ -~]" });

/** The digits after `+`, or after the prefix for calls abroad; null for a number without one. */
function readInternational(plain: string, country: CountryCode | null): string | null {
  const digits = digitsOf(plain);
  if (plain.replace(/^\(/, "").startsWith("+")) return digits;
  const plan = new Metadata(metadata);
  if (country) plan.selectNumberingPlan(country);
  const prefix = new RegExp(`^(?:${(country && plan.numberingPlan?.IDDPrefix()) || "00"})`).exec(digits) ?? /^00/.exec(digits);
  return prefix ? digits.slice(prefix[0].length) : null;
}

/** The digits without the prefix of calls within the country: 0 in India and Britain, and where the country is not known. */
function withoutNationalPrefix(digits: string, country: CountryCode | null): string {
  if (country === null) return digits.replace(/^0/, "");
  const typing = new AsYouType(country, metadata);
  typing.input(digits);
  return typing.getNumber()?.nationalNumber ?? digits;
}

function parse(plain: string, country: CountryCode | null) {
  const number = parsePhoneNumberFromString(plain, { ...(country && { defaultCountry: country }), extract: false }, metadata);
  return number?.isPossible() ? number : undefined;
}

/**
 * The forms under which a number is found, in digits: with its country's code, without it, and as its country writes it. A number
 * that cannot be parsed is found by its digits as typed.
 * @param country where a number without a country's code belongs; null if that is not known
 */
export function phoneForms(text: string, country: CountryCode | null): string[] {
  const plain = toPlainPhone(text);
  const international = readInternational(plain, country);
  const number = parse(international === null || plain.startsWith("+") ? plain : `+${international}`, country);
  const typed = digitsOf(plain);
  if (!number) return [...new Set([typed, international ?? withoutNationalPrefix(typed, country)])];
  const [national, written] = [number.nationalNumber, digitsOf(number.formatNational())];
  return [
    ...new Set([
      digitsOf(number.number),
      national,
      // A query loses a leading 0, so this form is of countries with another prefix.
      ...(written === national || written === `0${national}` ? [] : [written]),
      ...(number.ext ? [typed] : []),
    ]),
  ];
}

/** @param text with the code of the country, after `+` or 00  @returns the number as `+` and digits; null if it is no such number */
export function toE164(text: string): string | null {
  const plain = toPlainPhone(text);
  // Letters and signs are of an extension, whose digits would count as the number's.
  const international = /^[0-9+ ().\-/]+$/.test(plain) ? readInternational(plain, null) : null;
  const number = international === null ? undefined : parse(`+${international}`, null);
  return number?.isValid() ? number.number : null;
}

/** The digits by which a query, or its beginning, is looked up: as typed, or with or without the country's code, as it was typed. */
export function phoneQueryForms(text: string, country: CountryCode | null): string[] {
  const plain = toPlainPhone(text);
  const digits = digitsOf(plain);
  const international = readInternational(plain, country);
  const form =
    international === null
      ? withoutNationalPrefix(digits, country)
      : digitsOf(parse(`+${international}`, country)?.number ?? international);
  return [...new Set([digits, form])].filter(Boolean);
}

/** The country of a time zone, from the runtime's region data; null for zones of none or several. */
export function countryOfTimeZone(timeZone: string): CountryCode | null {
  const canonical = (zone: string) => new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  const zone = canonical(timeZone);
  const found = getCountries(metadata).filter((country) => zonesOf(country).some((other) => canonical(other) === zone));
  return found.length === 1 ? (found[0] ?? null) : null;
}

function zonesOf(country: CountryCode): readonly string[] {
  const locale: Intl.Locale & { getTimeZones?: () => readonly string[] | undefined } = new Intl.Locale(`und-${country}`);
  return locale.getTimeZones?.() ?? [];
}
