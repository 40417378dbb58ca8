// Text as people write it: rules for lines and prose, digits of every script, and the folded words that searches compare.
import { z } from "@hono/zod-openapi";

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point.
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

const VISIBLE_CHARACTER = /[\p{L}\p{N}\p{P}\p{S}]/u;
/** Letters by their class, and blank all the same. */
const BLANK_LETTERS = /[\u115f\u1160\u3164\uffa0]/g;

/** Any script, no control characters; outer spaces go. */
export const singleLine = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((text) => !CONTROL_CHARACTERS.test(text), "No control characters")
    .refine((text) => VISIBLE_CHARACTER.test(text.normalize("NFKC").replace(BLANK_LETTERS, "")), "Nothing to be seen");

export const multiLine = (max: number) => z.string().max(max);

/** A phone number as people write it, in the digits of the keypad. */
export const phoneNumber = z
  .string()
  .trim()
  .max(26)
  .regex(/^\+?[0-9][0-9 ().-]{4,24}$/, "A phone number of digits");

/** Digits of every script as 0 to 9; Unicode keeps each script's ten in a row. */
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
 * The words of a text, case and Latin accents folded away. Joiners and apostrophes vanish, since a name is the same with
 * and without them; the marks of Indic scripts stay, since there they are vowels.
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
