// Query terms for tokens written before letters, apostrophes and numbers were folded (migration 0016), until they are made again.
import { toAsciiDigits } from "../../platform/text.ts";
import type { SearchTerm } from "./search-tokens.ts";

const MAX_PREFIX = 12;
const MAX_WORDS = 8;
const cut = (text: string) => Array.from(text).slice(0, MAX_PREFIX).join("");

function foldWords(text: string): string[] {
  const folded = text
    .normalize("NFKD")
    .toUpperCase()
    .toLowerCase()
    .replace(/[\u0300-\u036f'’ʼ]|\p{Cf}/gu, "")
    .replaceAll("ς", "σ")
    .normalize("NFC");
  return folded.split(/[^\p{L}\p{M}\p{N}]+/u).filter(Boolean);
}

/** Terms that must all match. */
export function parseEarlierQueryTerms(query: string): SearchTerm[] {
  const text = toAsciiDigits(query).trim();
  if (/^[+0-9 ().-]+$/.test(text)) {
    const digits = text.replace(/[^0-9]/g, "");
    return digits ? [{ kind: "phone", text: cut(digits) }] : [];
  }
  const address = text.toLowerCase();
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(address)) return [{ kind: "email", text: address }];
  return foldWords(text.includes("@") ? text.slice(0, text.lastIndexOf("@")) : text)
    .map((word): SearchTerm => ({ kind: /^[0-9]+$/.test(word) ? "phone" : "word", text: cut(word) }))
    .sort((a, b) => b.text.length - a.text.length)
    .filter((term, i) => i === 0 || Array.from(term.text).length > 1)
    .slice(0, MAX_WORDS);
}
