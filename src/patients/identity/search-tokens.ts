// Blind-index tokens for patient search. A database dump does not reveal names.
import type { Keys } from "../../platform/config.ts";
import { computeMac, toBase64Url } from "../../platform/crypto.ts";
import { foldWords, toAsciiDigits } from "../../platform/text.ts";
import type { Identity } from "./sealed-fields.ts";

const MIN_PREFIX = 2;
/** Longer words are found by their first twelve code points. */
const MAX_PREFIX = 12;
const TOKEN_BYTES = 8;
const MAX_WORDS = 8;

/** `word`: from names and the local part of an e-mail; `phone`: digits; `email`: the whole address. */
type TermKind = "word" | "phone" | "email";
export type SearchTerm = { kind: TermKind; text: string };

function toPrefixTerms(kind: TermKind, text: string): SearchTerm[] {
  const codePoints = Array.from(text).slice(0, MAX_PREFIX);
  const minLength = Math.min(MIN_PREFIX, codePoints.length);
  return codePoints.slice(minLength - 1).map((_, i) => ({ kind, text: codePoints.slice(0, minLength + i).join("") }));
}

const localPart = (email: string) => email.slice(0, email.lastIndexOf("@"));
const UNSPACED_SCRIPT = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

function toSearchTerms({ first_name, last_name, phone, email }: Identity): SearchTerm[] {
  const names = [first_name, last_name ?? ""].flatMap(foldWords);
  // Names in these scripts are searched without a space: 王 and 小明 as 王小明.
  const joined = last_name && UNSPACED_SCRIPT.test(last_name) ? foldWords(last_name + first_name) : [];
  const words = [...names, ...joined, ...foldWords(email ? localPart(email) : "")];
  const digits = toAsciiDigits(phone ?? "").replace(/[^0-9]/g, "");
  // With and without the country code, and the last four digits, a common search at reception.
  const numbers = [digits, digits.slice(-10)].flatMap((number) => (number ? toPrefixTerms("phone", number) : []));
  return [
    // Digits are indexed as `phone`, whether they occur in a name or in a number.
    ...words.flatMap((word) => toPrefixTerms(/^[0-9]+$/.test(word) ? "phone" : "word", word)),
    ...numbers,
    ...(digits.length > 4 ? [{ kind: "phone" as const, text: digits.slice(-4) }] : []),
    ...(email ? [{ kind: "email" as const, text: email }] : []),
  ];
}

async function computeToken(keys: Keys, hospitalId: string, { kind, text }: SearchTerm): Promise<string> {
  return toBase64Url((await computeMac(keys.index, ["search", hospitalId, kind, text])).subarray(0, TOKEN_BYTES));
}

/** All distinct tokens of a patient, about 40. */
export async function computeSearchTokens(keys: Keys, hospitalId: string, identity: Identity): Promise<string[]> {
  return [...new Set(await Promise.all(toSearchTerms(identity).map((term) => computeToken(keys, hospitalId, term))))];
}

/** Parses a query into terms that must all match. Empty for a query without a letter or a digit. */
export function parseQueryTerms(query: string): SearchTerm[] {
  const text = toAsciiDigits(query).trim();
  if (/^[+0-9 ().-]+$/.test(text)) {
    const digits = text.replace(/[^0-9]/g, "");
    return digits ? [{ kind: "phone", text: digits.slice(0, MAX_PREFIX) }] : [];
  }
  const address = text.toLowerCase();
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(address)) return [{ kind: "email", text: address }];
  const words = foldWords(text.includes("@") ? localPart(text) : text).map((word) =>
    /^[0-9]+$/.test(word) ? { kind: "phone" as const, text: word } : { kind: "word" as const, text: word },
  );
  // A single letter beside a longer word is still being typed and is ignored.
  return words
    .map((term) => ({ ...term, text: Array.from(term.text).slice(0, MAX_PREFIX).join("") }))
    .sort((a, b) => b.text.length - a.text.length)
    .filter((term, i) => i === 0 || Array.from(term.text).length >= MIN_PREFIX)
    .slice(0, MAX_WORDS);
}

export function computeQueryTokens(keys: Keys, hospitalId: string, terms: SearchTerm[]): Promise<string[]> {
  return Promise.all(terms.map((term) => computeToken(keys, hospitalId, term)));
}
