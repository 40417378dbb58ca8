// E-mail addresses and the normal form of what people log in with.
import { z } from "@hono/zod-openapi";

/** NFKC folds full-width letters and look-alikes such as the Kelvin sign, so that one address is one account. */
export function normalizeName(name: string): string {
  return name.normalize("NFKC").trim().toLowerCase();
}

const EMAIL_PATTERN =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

export const Email = z
  .string()
  .max(320)
  .transform(normalizeName)
  .refine((email) => email.length <= 254 && EMAIL_PATTERN.test(email), "Not an e-mail address")
  .openapi({ type: "string", format: "email", maxLength: 320, example: "asha@example.org" });
