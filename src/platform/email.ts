// E-mail addresses and their normal form as login names.
import { z } from "@hono/zod-openapi";

/** NFKC folds full-width letters and look-alikes such as the Kelvin sign, so that an address maps to one account. */
export function normalizeName(name: string): string {
  return name.normalize("NFKC").trim().toLowerCase();
}

const EMAIL_PATTERN =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

export const Email = z
  .string()
  .max(320)
  .transform(normalizeName)
  .refine((email) => email.length <= 254 && EMAIL_PATTERN.test(email), "Not a valid e-mail address")
  .openapi({ type: "string", format: "email", maxLength: 320, example: "asha@example.org" });
