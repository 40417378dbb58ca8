// The words of exported documents.
import type { ExportWords } from "./word-list.ts";
import { en } from "./words-en.ts";
import { hi } from "./words-hi.ts";

const WORDS: Partial<Record<string, ExportWords>> = { en, hi };

/** English for a language that has no words yet. */
export const exportWords = (language: string): ExportWords => WORDS[language] ?? en;
