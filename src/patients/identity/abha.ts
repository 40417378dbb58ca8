// ABHA numbers of the Ayushman Bharat Digital Mission (ABDM): format alone, because its integration documents name no check digit.
import { z } from "@hono/zod-openapi";
import { normalizeDigits } from "./digits.ts";

const INVALID_NUMBER = "Not a valid ABHA number";

const isAbha = (digits: string): boolean => /^[0-9]{14}$/.test(digits);

/** @param digits fourteen  @returns XX-XXXX-XXXX-XXXX, as ABDM writes it */
const formatAbha = (digits: string): string => digits.replace(/^(..)(....)(....)(....)$/, "$1-$2-$3-$4");

/** The number as it is stored, or null where the text is none. */
export function parseAbha(text: string): string | null {
  const digits = normalizeDigits(text);
  return isAbha(digits) ? formatAbha(digits) : null;
}

export const AbhaNumber = z
  .string(INVALID_NUMBER)
  .max(40, INVALID_NUMBER)
  .transform(normalizeDigits)
  .refine(isAbha, INVALID_NUMBER)
  .transform(formatAbha)
  .openapi({
    type: "string",
    maxLength: 40,
    example: "91-1234-5678-9012",
    description: "Fourteen digits, returned as XX-XXXX-XXXX-XXXX. The number leads to the person's patient_uid.",
  });
