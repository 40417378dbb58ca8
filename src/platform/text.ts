// Free-text rules: single-line and multi-line fields, digits of every script, and case-folded words for search.
import { z } from "@hono/zod-openapi";

// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern exists to reject them.
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

const VISIBLE_CHARACTER = /[\p{L}\p{N}\p{P}\p{S}]/u;
/** Classified as letters by Unicode, but rendered blank. */
const BLANK_LETTERS = /[\u115f\u1160\u3164\uffa0]/g;

/** Text in any script without control characters; trims leading and trailing spaces. */
export const singleLine = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((text) => !CONTROL_CHARACTERS.test(text), "Must not contain control characters")
    .refine(
      (text) => VISIBLE_CHARACTER.test(text.normalize("NFKC").replace(BLANK_LETTERS, "")),
      "Must contain a visible character",
    );

export const multiLine = (max: number) => z.string().max(max);

/** A phone number in ASCII digits with optional separators. */
export const phoneNumber = z
  .string()
  .trim()
  .max(26)
  .regex(/^\+?[0-9][0-9 ().-]{4,24}$/, "Not a valid phone number");

/** Converts digits of every script to 0-9; Unicode keeps the ten digits of a script consecutive. */
export function toAsciiDigits(text: string): string {
  return text.normalize("NFKC").replace(/\p{Nd}/gu, (digit) => {
    let zero = digit.codePointAt(0) ?? 0;
    let value = 0;
    while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) {
      zero--;
      value++;
    }
    return /[0-9]/.test(digit) ? digit : String(value);
  });
}

/**
 * The words of a text with case and Latin accents folded. Joiners and apostrophes are removed, so that spellings with and
 * without them match; the marks of Indic scripts stay, because they are vowels.
 */
export function foldWords(text: string): string[] {
  const folded = text
    .normalize("NFKD")
    .toUpperCase()
    .toLowerCase()
    .replace(/[\u0300-\u036f'’ʼ]|\p{Cf}/gu, "")
    .replaceAll("ς", "σ")
    .normalize("NFC");
  return folded.split(/[^\p{L}\p{M}\p{N}]+/u).filter(Boolean);
}
