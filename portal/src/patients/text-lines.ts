// Lists typed as one entry per line, within the API's limits.
import type { PlainMessageKey } from "../platform/messages/translate.ts";

const MAX_LINES = 50;
const MAX_LINE_LENGTH = 200;

export const splitLines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** Length as the API counts it: code points, not UTF-16 units. */
export const isTooLong = (text: string, maxLength: number): boolean => Array.from(text).length > maxLength;

export function getLinesError(lines: readonly string[]): PlainMessageKey | null {
  if (lines.length > MAX_LINES) return "record.too_many";
  return lines.some((line) => isTooLong(line, MAX_LINE_LENGTH)) ? "record.too_long" : null;
}
