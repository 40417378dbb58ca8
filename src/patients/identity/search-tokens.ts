// Blind-index tokens: what a patient can be found by, and what a query looks for. A dump cannot be read back into names.
import type { Keys } from "../../platform/config.ts";
import { mac, toBase64Url } from "../../platform/crypto.ts";
import { asciiDigits, foldedWords } from "../../platform/text.ts";
import type { Identity } from "./identity.ts";

const MIN_PREFIX = 2;
/** A longer word is found by its first twelve code points. */
const MAX_PREFIX = 12;
const TOKEN_BYTES = 8;
const MAX_WORDS = 8;

/** `word`: of names and of an e-mail's local part; `phone`: digits; `email`: the whole address. */
type Kind = "word" | "phone" | "email";
export type Term = { kind: Kind; text: string };

function prefixes(kind: Kind, text: string): Term[] {
  const points = Array.from(text).slice(0, MAX_PREFIX);
  const shortest = Math.min(MIN_PREFIX, points.length);
  return points.slice(shortest - 1).map((_, i) => ({ kind, text: points.slice(0, shortest + i).join("") }));
}

const localPart = (email: string) => email.slice(0, email.lastIndexOf("@"));
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

function termsOf({ first_name, last_name, phone, email }: Identity): Term[] {
  const names = [first_name, last_name ?? ""].flatMap(foldedWords);
  // 王 and 小明 are written and looked for as 王小明.
  const joined = last_name && UNSPACED.test(last_name) ? foldedWords(last_name + first_name) : [];
  const words = [...names, ...joined, ...foldedWords(email ? localPart(email) : "")];
  const digits = asciiDigits(phone ?? "").replace(/[^0-9]/g, "");
  // With and without the country's digits, and the last four, which is how a desk asks for it.
  const numbers = [digits, digits.slice(-10)].flatMap((number) => (number ? prefixes("phone", number) : []));
  return [
    // Digits are looked for as digits, whether they stand in a name or in a number.
    ...words.flatMap((word) => prefixes(/^[0-9]+$/.test(word) ? "phone" : "word", word)),
    ...numbers,
    ...(digits.length > 4 ? [{ kind: "phone" as const, text: digits.slice(-4) }] : []),
    ...(email ? [{ kind: "email" as const, text: email }] : []),
  ];
}

async function tokenOf(keys: Keys, hospitalId: string, { kind, text }: Term): Promise<string> {
  return toBase64Url((await mac(keys.index, ["search", hospitalId, kind, text])).subarray(0, TOKEN_BYTES));
}

/** Every token of a patient, each once: about 40. */
export async function tokensOf(keys: Keys, hospitalId: string, identity: Identity): Promise<string[]> {
  return [...new Set(await Promise.all(termsOf(identity).map((term) => tokenOf(keys, hospitalId, term))))];
}

/** What a query looks for: all of it must match. Empty for a query without a letter or a digit. */
export function queryTerms(query: string): Term[] {
  const text = asciiDigits(query).trim();
  if (/^[+0-9 ().-]+$/.test(text)) {
    const digits = text.replace(/[^0-9]/g, "");
    return digits ? [{ kind: "phone", text: digits.slice(0, MAX_PREFIX) }] : [];
  }
  const address = text.toLowerCase();
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(address)) return [{ kind: "email", text: address }];
  const words = foldedWords(text.includes("@") ? localPart(text) : text).map((word) =>
    /^[0-9]+$/.test(word) ? { kind: "phone" as const, text: word } : { kind: "word" as const, text: word },
  );
  // A single letter beside a word is one that is still being typed.
  return words
    .map((term) => ({ ...term, text: Array.from(term.text).slice(0, MAX_PREFIX).join("") }))
    .sort((a, b) => b.text.length - a.text.length)
    .filter((term, i) => i === 0 || Array.from(term.text).length >= MIN_PREFIX)
    .slice(0, MAX_WORDS);
}

export function queryTokens(keys: Keys, hospitalId: string, terms: Term[]): Promise<string[]> {
  return Promise.all(terms.map((term) => tokenOf(keys, hospitalId, term)));
}
