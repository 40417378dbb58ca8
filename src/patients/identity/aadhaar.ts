// Aadhaar numbers: format and check digit. identity/person.ts maps a number to a person.
import { z } from "@hono/zod-openapi";
import { normalizeDigits } from "./digits.ts";
import { hasValidCheckDigit } from "./verhoeff.ts";

/** UIDAI: twelve digits, the first 2 to 9, the last a Verhoeff check digit; no palindromes (999999999999 would pass). */
export function isAadhaar(digits: string): boolean {
  return /^[2-9][0-9]{11}$/.test(digits) && hasValidCheckDigit(digits) && digits !== [...digits].reverse().join("");
}

const INVALID_NUMBER = "Not a valid Aadhaar number";

export const AadhaarNumber = z
  .string(INVALID_NUMBER)
  .max(40, INVALID_NUMBER)
  .transform(normalizeDigits)
  .refine(isAadhaar, INVALID_NUMBER)
  .openapi({
    type: "string",
    maxLength: 40,
    example: "9999 9999 0019",
    description: "Twelve digits; not stored. The response contains the last four and the person's patient_uid.",
  });
