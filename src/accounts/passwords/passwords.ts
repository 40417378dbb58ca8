// Password hashing with scrypt, with the cost stored in each hash, and the password policy.
import crypto from "node:crypto";
import bcrypt from "bcryptjs";
import { constantTimeEqual, fromBase64Url, toBase64Url } from "../../platform/crypto.ts";
import { ApiError } from "../../platform/errors.ts";
import { isBasedOnCommonPassword } from "./common-passwords.ts";
import { isOpaqueString, toOpaqueString } from "./opaque-string.ts";
import { SCRYPT } from "./password-cost.ts";

/** workerd rejects N·r·p above 2^20, and an isolate has 128 MiB, of which a hash takes 128·N·r bytes. */
export const MAX_SCRYPT_COST = 1_048_576;
const HASH_BYTES = 32;
export const MAX_PASSWORD_LENGTH = 256;
/** bcrypt hashes imported from other systems, in three prefixes. 2^12 rounds in JavaScript cost about as much as our scrypt. */
const BCRYPT_PATTERN = /^\$2[aby]\$(0[4-9]|1[0-2])\$[./A-Za-z0-9]{53}$/;

function scrypt(password: string, salt: Uint8Array, cost: { N: number; r: number; p: number }): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    crypto.scrypt(password, salt, HASH_BYTES, { ...cost, maxmem: 64 * 1024 * 1024 }, (error, key) =>
      error ? reject(error) : resolve(new Uint8Array(key)),
    );
  });
}

/** `scrypt$N$r$p$salt$hash` of the password's normal form. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const hash = await scrypt(toOpaqueString(password), salt, SCRYPT);
  return ["scrypt", SCRYPT.N, SCRYPT.r, SCRYPT.p, toBase64Url(salt), toBase64Url(hash)].join("$");
}

/** True for a hash whose scheme or cost is not the current one: imported bcrypt, or scrypt of another cost. */
function isOutdated(stored: string): boolean {
  return !stored.startsWith(`scrypt$${SCRYPT.N}$${SCRYPT.r}$${SCRYPT.p}$`);
}

/** A hash without a password, so that unknown names cost the same time as known ones. */
const DUMMY_HASH = `scrypt$${SCRYPT.N}$${SCRYPT.r}$${SCRYPT.p}$${"A".repeat(22)}$${"A".repeat(43)}`;

/** @property needsRehash the hash is to be replaced at this login: an outdated one, or one of the password as it was typed */
type PasswordCheck = { isCorrect: boolean; needsRehash: boolean };

/**
 * Verifies the normal form and, if that differs, also the password as typed: hashes made before normalization contain it. Both are
 * computed for every account and for null (unknown name), so that the time depends on the input alone.
 */
export async function verifyPassword(password: string, stored: string | null): Promise<PasswordCheck> {
  const normalForm = toOpaqueString(password);
  const isNormalForm = await matchesHash(normalForm, stored);
  const isTypedForm = normalForm !== password && (await matchesHash(password, stored));
  return { isCorrect: isNormalForm || isTypedForm, needsRehash: stored !== null && (isOutdated(stored) || !isNormalForm) };
}

/** False for a wrong password, for null, and, without hashing, for a cost above the limit. */
async function matchesHash(password: string, stored: string | null): Promise<boolean> {
  if (stored !== null && BCRYPT_PATTERN.test(stored)) return bcrypt.compare(password, stored);
  const [scheme, n, r, p, salt = "", hash = ""] = (stored ?? DUMMY_HASH).split("$");
  const cost = { N: Number(n), r: Number(r), p: Number(p) };
  const product = cost.N * cost.r * cost.p;
  if (scheme !== "scrypt" || !(product > 0 && product <= MAX_SCRYPT_COST)) return false;
  const expected = fromBase64Url(hash);
  const saltBytes = fromBase64Url(salt);
  if (!expected || !saltBytes) return false;
  const actual = await scrypt(password, saltBytes, cost);
  return constantTimeEqual(actual, expected) && stored !== null;
}

/**
 * NIST SP 800-63B-4: at least 15 characters where a password is the only factor, no common passwords, no composition rules.
 * @param forbiddenContext words the password must not be based on: the user's names, e-mail, the product
 * @param field name of the body field
 * @throws ApiError invalid_request
 */
export function assertPasswordPolicy(password: string, forbiddenContext: readonly string[], field = "password"): void {
  const normalized = password.normalize("NFKC").toLowerCase();
  const reject = (message: string): never => {
    throw new ApiError("invalid_request", "The password does not meet the policy.", {
      errors: [{ path: field, message, code: "weak_password" }],
    });
  };
  if (!isOpaqueString(password)) reject("Must not contain control characters or code points without a meaning");
  if (Array.from(toOpaqueString(password)).length < 15) reject("Must have at least 15 characters");
  if (new Set(normalized).size < 6) reject("Must have at least 6 different characters");
  if (isBasedOnCommonPassword(normalized)) reject("Must not be a common password");
  const words = ["edgecare", ...forbiddenContext.flatMap((w) => w.toLowerCase().split(/[^\p{L}\p{N}]+/u))].filter(
    (w) => w.length >= 4,
  );
  // The longest first: without "menon", "iramenon" would not be found.
  words.sort((a, b) => b.length - a.length);
  const remainder = words.reduce((remaining, word) => remaining.replaceAll(word, ""), normalized);
  if (Array.from(remainder).length < 8) reject("Must not be based on your name or e-mail address");
}
