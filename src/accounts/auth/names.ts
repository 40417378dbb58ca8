// Normal forms of what people log in with, and the keyed indexes they are found by.
import { z } from "@hono/zod-openapi";
import type { Keys } from "../../platform/config.ts";
import { blindIndex } from "../../platform/crypto.ts";
import { MAX_PASSWORD } from "../passwords/passwords.ts";

/** NFKC folds full-width letters and look-alikes such as the Kelvin sign, so that one address is one account. */
export function normalName(name: string): string {
  return name.normalize("NFKC").trim().toLowerCase();
}

const EMAIL =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

export const Email = z
  .string()
  .max(320)
  .transform(normalName)
  .refine((email) => email.length <= 254 && EMAIL.test(email), "Not an e-mail address")
  .openapi({ type: "string", format: "email", maxLength: 320, example: "asha@example.org" });

export const Username = z
  .string()
  .max(64)
  .transform(normalName)
  .refine((name) => /^[a-z0-9](?:[a-z0-9._-]{1,30})[a-z0-9]$/.test(name), "3 to 32 of a-z, 0-9, dot, dash, underscore")
  .openapi({ type: "string", maxLength: 64, example: "asha.rao" });

export function emailIndex(keys: Keys, email: string): Promise<string> {
  return blindIndex(keys.index, "user.email", normalName(email));
}

export function usernameIndex(keys: Keys, username: string): Promise<string> {
  return blindIndex(keys.index, "user.username", normalName(username));
}

/** Any text, verbatim: no trimming, no normal form. */
export const Password = z.string().min(1).max(MAX_PASSWORD).openapi({ format: "password" });
