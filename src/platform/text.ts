// Free-text rules: single-line and multi-line fields, digits of every script, and case-folded words for search.
import { z } from "@hono/zod-openapi";
import { deburr } from "es-toolkit/string";

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

const REORDERING_CHARACTER = /[\u202a-\u202e\u2066-\u2069]/;

/** The text without what is rendered blank (as the braille pattern without dots), with one space between its words. */
export const visibleText = (text: string): string =>
  text
    .replace(/[\p{Cf}\p{DI}\u2800]/gu, "")
    .replace(/[\s\p{Z}\p{Cc}]+/gu, " ")
    .trim();

/** Text in several lines on which somebody decides: as long as it looks, in the order in which it was written. */
export const plainText = (min: number, max: number) =>
  z
    .string()
    .trim()
    .min(min)
    .max(max)
    .refine((text) => !REORDERING_CHARACTER.test(text), "Must not contain characters that reorder text")
    .refine((text) => [...visibleText(text)].length >= min, `Too small: expected at least ${min} visible characters`);

export const multiLine = (max: number) => z.string().max(max);

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

/** Every apostrophe that keyboards and word processors put into a name, also a grave, an acute and a prime. */
const APOSTROPHES = /['\u2018-\u201b\u02b9-\u02bd\u0060\u00b4\u2032\u2035\ua78b\ua78c\uff07]/g;
/** The dot below that writes foreign sounds in Indic scripts; many leave it out. */
const NUKTAS = /[\u093c\u09bc\u0a3c\u0abc\u0b3c\u0c3c\u0cbc]/g;
/** Candrabindu, which many write as anusvara, the next code point. */
const CANDRABINDUS = /[\u0901\u0981\u0a01\u0a81\u0b01\u0c01\u0c81\u0d01]/g;

/**
 * The words of a text with case, accents and Latin letters with strokes folded (es-toolkit's `deburr`: Đ to d, Ł to l, Ø to o, Æ to
 * ae). Joiners, apostrophes and nuktas are removed and candrabindu is read as anusvara, so that spellings with and without them
 * match; the other marks of Indic scripts stay, because they are vowels.
 */
export function foldWords(text: string): string[] {
  const folded = deburr(text.replace(APOSTROPHES, "").normalize("NFKD"))
    .toUpperCase()
    .toLowerCase()
    .normalize("NFD")
    .replace(/[\u0300-\u036f]|\p{Cf}/gu, "")
    .replace(NUKTAS, "")
    .replace(CANDRABINDUS, (sign) => String.fromCodePoint(sign.charCodeAt(0) + 1))
    .replaceAll("ς", "σ")
    .normalize("NFC");
  return folded.split(/[^\p{L}\p{M}\p{N}]+/u).filter(Boolean);
}

/** The words of a name in all spellings that are searched: with apostrophes as spaces, and without candrabindu. */
export function foldSpellings(text: string): string[][] {
  return [text, text.replace(APOSTROPHES, " "), text.normalize("NFD").replace(CANDRABINDUS, "")].map(foldWords);
}
