// Reads typed numbers as the language in use writes them. What can be read in two ways is asked about, never guessed.
import { getLocale } from "../../accounts/session/preferences.ts";

/** `ambiguous`: with the separator as one of thousands, and as the decimal point. */
export type NumberReading =
  | { kind: "number"; value: number }
  | { kind: "ambiguous"; readings: readonly [grouped: number, decimal: number] }
  | { kind: "invalid" };

const INVALID: NumberReading = { kind: "invalid" };
/** Direction marks, the byte order mark and zero-width spaces come along when text is pasted. */
const INVISIBLE = /[\u200b\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]/g;
/** Groups of three (1,234,567), or of two before the last three (12,34,567). */
const GROUPED = /^[1-9]\d{0,2}(,\d{3})+$|^[1-9]\d?(,\d{2})*,\d{3}$/;

const decimalSeparators = new Map<string, string | undefined>();

function findDecimalSeparator(locale: string): string | undefined {
  const known =
    decimalSeparators.get(locale) ??
    new Intl.NumberFormat(locale).formatToParts(0.5).find(({ type }) => type === "decimal")?.value;
  decimalSeparators.set(locale, known);
  return known;
}

/**
 * Accepts Devanagari digits, the separators of thousands that the portal shows, and a comma that can only be a decimal one ("37,2").
 * @param locale default: that of the language in use
 */
export function readNumber(text: string, locale: string = getLocale()): NumberReading {
  const latin = text
    .replace(INVISIBLE, "")
    .replace(/[०-९]/g, (digit) => String(digit.charCodeAt(0) - 0x966))
    .replace("\u2212", "-")
    .trim();
  // From here on "." is the locale's decimal separator and "," the other one.
  const typed = findDecimalSeparator(locale) === "," ? latin.replace(/[.,]/g, (mark) => (mark === "," ? "." : ",")) : latin;
  const [, sign = "", whole = "", fraction = ""] = /^([+-]?)([\d,]+)(\.\d+)?$/.exec(typed) ?? [];
  const toNumber = (digits: string): number => Number(`${sign}${digits}`);
  const toReading = (digits: string): NumberReading => {
    const value = toNumber(digits);
    return Number.isFinite(value) ? { kind: "number", value } : INVALID;
  };
  if (/^\d+$/.test(whole)) return toReading(whole + fraction);
  const isDecimalComma = fraction === "" && /^\d+,\d+$/.test(whole);
  if (!GROUPED.test(whole)) return isDecimalComma ? toReading(whole.replace(",", ".")) : INVALID;
  const grouped = whole.replaceAll(",", "") + fraction;
  if (isDecimalComma) return { kind: "ambiguous", readings: [toNumber(grouped), toNumber(whole.replace(",", "."))] };
  return toReading(grouped);
}

/** @returns null when it is not a number, or could be two */
export function parseNumber(text: string): number | null {
  const reading = readNumber(text);
  return reading.kind === "number" ? reading.value : null;
}
