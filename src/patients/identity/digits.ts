// Numbers as people write them: digits of any script, with spaces and hyphens.
import { toAsciiDigits } from "../../platform/text.ts";

/** Converts digits of any script to ASCII, and removes spaces and hyphens. */
export function normalizeDigits(text: string): string {
  return toAsciiDigits(text).replace(/[\s\u2010-\u2015-]/g, "");
}
