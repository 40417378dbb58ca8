// Normal forms of login names, and their keyed indexes.
import { z } from "@hono/zod-openapi";
import type { Keys } from "../../platform/config.ts";
import { computeBlindIndex } from "../../platform/crypto.ts";
import { normalizeEmail, normalizeName } from "../../platform/email.ts";
import { MAX_PASSWORD_LENGTH } from "../passwords/passwords.ts";

export const Username = z
  .string()
  .max(64)
  .transform(normalizeName)
  .refine(
    (name) => /^[a-z0-9](?:[a-z0-9._-]{1,30})[a-z0-9]$/.test(name),
    "Must be 3 to 32 characters: a-z, 0-9, dot, dash, underscore",
  )
  .openapi({ type: "string", maxLength: 64, example: "asha.rao" });

export function computeEmailIndex(keys: Keys, email: string): Promise<string> {
  return computeBlindIndex(keys.index, "user.email", normalizeEmail(email));
}

export function computeUsernameIndex(keys: Keys, username: string): Promise<string> {
  return computeBlindIndex(keys.index, "user.username", normalizeName(username));
}

/** Not trimmed; hashed in its normal form (passwords/opaque-string.ts). */
export const Password = z.string().min(1).max(MAX_PASSWORD_LENGTH).openapi({ format: "password" });
