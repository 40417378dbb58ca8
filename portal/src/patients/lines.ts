// Lists that are typed one entry a line, as the API limits them.
import type { PlainKey } from "../messages/index.ts";

const MOST = 50;
const LONGEST = 200;

export const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** As the API counts: characters, not units of UTF-16. */
export const isTooLong = (text: string, most: number): boolean => Array.from(text).length > most;

export function listProblem(lines: readonly string[]): PlainKey | null {
  if (lines.length > MOST) return "record.too_many";
  return lines.some((line) => isTooLong(line, LONGEST)) ? "record.too_long" : null;
}
