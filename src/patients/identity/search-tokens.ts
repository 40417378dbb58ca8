// Blind-index tokens for patient search. A database dump does not reveal names.
import type { Keys } from "../../platform/config.ts";
import { computeMac, toBase64Url } from "../../platform/crypto.ts";
import { normalizeEmail } from "../../platform/email.ts";
import { type CountryCode, isPhoneQuery, phoneForms, phoneQueryForms } from "../../platform/phone.ts";
import { foldSpellings, foldWords, toAsciiDigits } from "../../platform/text.ts";
import { parseAbha } from "./abha.ts";
import type { Identity } from "./sealed-fields.ts";

const MIN_PREFIX = 2;
/** Longer words and numbers are found by their first twelve code points. */
const MAX_PREFIX = 12;
/** The fewest digits by which the end of a number is found. */
const MIN_SUFFIX = 4;
const TOKEN_BYTES = 8;
const MAX_WORDS = 8;
/** Distinct words of a patient that are indexed, in the order of first name, last name and e-mail address. */
const MAX_INDEXED_WORDS = 40;
/** Words have up to 11 prefixes; a number has up to four forms of up to 24 digits; an address and an ABHA number are one token each. */
export const MAX_TOKENS_PER_PATIENT = MAX_INDEXED_WORDS * 11 + 4 * (11 + 21) + 2;

/** `word`: from names and the local part of an e-mail; `phone`: digits; `email`: the whole address; `abha`: the whole number. */
type TermKind = "word" | "phone" | "email" | "abha";
export type SearchTerm = { kind: TermKind; text: string };

const cut = (text: string) => Array.from(text).slice(0, MAX_PREFIX).join("");

function toPrefixTerms(kind: TermKind, text: string): SearchTerm[] {
  const codePoints = Array.from(text).slice(0, MAX_PREFIX);
  const minLength = Math.min(MIN_PREFIX, codePoints.length);
  return codePoints.slice(minLength - 1).map((_, i) => ({ kind, text: codePoints.slice(0, minLength + i).join("") }));
}

/** Every ending of four or more digits. */
function toSuffixTerms(digits: string): SearchTerm[] {
  const count = Math.max(0, digits.length - MIN_SUFFIX);
  return Array.from({ length: count }, (_, i) => ({ kind: "phone", text: cut(digits.slice(i + 1)) }));
}

const localPart = (email: string) => email.slice(0, email.lastIndexOf("@"));
const UNSPACED_SCRIPT = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const isInitial = (word: string) => /^\p{Script=Latin}$/u.test(word);

/** Joins a single Latin letter to the word after it: D Souza is also written DSouza. */
function joinInitials(words: string[]): string[] {
  return words.flatMap((word, i) => {
    const before = words[i - 1];
    if (before !== undefined && isInitial(before) && !isInitial(word)) return [before + word];
    const after = words[i + 1];
    return isInitial(word) && after !== undefined && !isInitial(after) ? [] : [word];
  });
}

function toSearchTerms(
  { first_name, last_name, phone, email, abha_number: abha }: Identity,
  country: CountryCode | null,
): SearchTerm[] {
  const name = `${first_name} ${last_name ?? ""}`;
  const spellings = foldSpellings(name).flatMap((words) => [...words, ...joinInitials(words)]);
  // Names in these scripts are searched without a space: 王 and 小明 as 王小明.
  const joined = last_name && UNSPACED_SCRIPT.test(last_name) ? foldWords(last_name + first_name) : [];
  const words = new Set([...spellings, ...joined, ...foldWords(email ? localPart(email) : "")]);
  const numbers = phone === null ? [] : phoneForms(phone, country);
  return [
    // Digits are indexed as `phone`, whether they occur in a name or in a number.
    ...[...words].slice(0, MAX_INDEXED_WORDS).flatMap((word) => toPrefixTerms(/^[0-9]+$/.test(word) ? "phone" : "word", word)),
    ...numbers.flatMap((digits) => [...toPrefixTerms("phone", digits), ...toSuffixTerms(digits)]),
    ...(email ? [{ kind: "email" as const, text: normalizeEmail(email) }] : []),
    ...(abha ? [{ kind: "abha" as const, text: abha }] : []),
  ];
}

async function computeToken(keys: Keys, hospitalId: string, { kind, text }: SearchTerm): Promise<string> {
  return toBase64Url((await computeMac(keys.index, ["search", hospitalId, kind, text])).subarray(0, TOKEN_BYTES));
}

/** All distinct tokens of a patient, about 50 and at most `MAX_TOKENS_PER_PATIENT`. @param country of the hospital */
export async function computeSearchTokens(
  keys: Keys,
  hospitalId: string,
  country: CountryCode | null,
  identity: Identity,
): Promise<string[]> {
  const terms = new Map(toSearchTerms(identity, country).map((term) => [`${term.kind} ${term.text}`, term]));
  return Promise.all(Array.from(terms.values(), (term) => computeToken(keys, hospitalId, term)));
}

/** Words as terms that must all match. A single letter beside a longer word is still being typed and is ignored. */
function toWordTerms(words: string[]): SearchTerm[] {
  return words
    .map((word): SearchTerm => ({ kind: /^[0-9]+$/.test(word) ? "phone" : "word", text: cut(word) }))
    .sort((a, b) => b.text.length - a.text.length)
    .filter((term, i) => i === 0 || Array.from(term.text).length >= MIN_PREFIX)
    .slice(0, MAX_WORDS);
}

/** Without a regular expression: two unbounded parts before the @ would backtrack over a long text. */
function isWholeAddress(text: string): boolean {
  const at = text.lastIndexOf("@");
  return at > 0 && !/\s/.test(text) && /^[^.].*\../.test(text.slice(at + 1)) && !text.endsWith(".");
}

/**
 * Parses a query into alternatives, at most three; a patient is found if all terms of one match. Empty for a query without a letter
 * or a digit.
 * @param country of the hospital
 */
export function parseQueryTerms(query: string, country: CountryCode | null): SearchTerm[][] {
  const abha = parseAbha(query);
  const whole: SearchTerm[][] = abha === null ? [] : [[{ kind: "abha", text: abha }]];
  if (isPhoneQuery(query)) {
    return [...whole, ...phoneQueryForms(query, country).map((digits): SearchTerm[] => [{ kind: "phone", text: cut(digits) }])];
  }
  const text = toAsciiDigits(query.trim());
  if (isWholeAddress(text)) return [[{ kind: "email", text: normalizeEmail(text) }]];
  const words = foldWords(text.includes("@") ? localPart(text) : text);
  const alternatives = [words, joinInitials(words)].map(toWordTerms).filter((terms) => terms.length > 0);
  return alternatives.filter((terms, i) => i === 0 || JSON.stringify(terms) !== JSON.stringify(alternatives[0]));
}

/** @returns tokens in the order of the terms */
export function computeQueryTokens(keys: Keys, hospitalId: string, terms: SearchTerm[][]): Promise<string[][]> {
  return Promise.all(terms.map((all) => Promise.all(all.map((term) => computeToken(keys, hospitalId, term)))));
}
