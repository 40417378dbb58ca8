// The retention policy of a hospital as D1 has it: what was set, or nothing.
import { z } from "zod";
import { longerPolicy, minimumPolicy, type RetentionPolicy } from "./jurisdictions.ts";

export const MAX_YEARS = 100;
export const MAX_AGE = 120;

const years = z.int().min(1).max(MAX_YEARS);
export const PolicyFields = z.strictObject({
  years: z.strictObject({ patient_record: years, reports: years, documents: years, observations: years }),
  minors_until_age: z.int().min(18).max(MAX_AGE).nullable(),
});

/** @param stored JSON of the column; null when the hospital has set nothing */
export const storedPolicyOf = (stored: string | null): RetentionPolicy | null =>
  stored === null ? null : PolicyFields.parse(JSON.parse(stored));

/** What applies: what was set, and never less than the country requires. */
export function policyInForce(country: string | null, stored: string | null): RetentionPolicy {
  const minimum = minimumPolicy(country);
  return longerPolicy(storedPolicyOf(stored) ?? minimum, minimum);
}
