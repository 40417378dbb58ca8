// Time-based one-time passwords (RFC 6238) of authenticator apps: SHA-1, six digits, 30 seconds, one step of tolerance.
import { Secret, TOTP } from "otpauth";
import { z } from "zod";
import type { Keys } from "../../platform/config.ts";
import { sealValue } from "../../platform/crypto.ts";
import { readSealed } from "../../platform/sealed-documents.ts";

const ISSUER = "EdgeCare";
export const TOTP_PERIOD_MS = 30_000;
/** Steps before and after the current one that are accepted (RFC 6238, section 5.2). */
const TOLERATED_STEPS = 1;
/** As long as the output of SHA-1 (RFC 4226, section 4, requirement 6). */
const SECRET_BYTES = 20;

const sealContext = (userId: string) => ({ table: "totp_factors", column: "secret", id: userId });

/** A new secret in base32. */
export const createTotpSecret = (): string => new Secret({ size: SECRET_BYTES }).base32;

export const sealTotpSecret = (keys: Keys, userId: string, secret: string): Promise<string> =>
  sealValue(keys.fields, sealContext(userId), secret);

export const unsealTotpSecret = (keys: Keys, userId: string, sealed: string): Promise<string> =>
  readSealed(keys.fields, sealContext(userId), sealed, z.string());

const totpOf = (secret: string, label = "") =>
  new TOTP({
    issuer: ISSUER,
    label,
    secret: Secret.fromBase32(secret),
    algorithm: "SHA1",
    digits: 6,
    period: TOTP_PERIOD_MS / 1000,
  });

/** The `otpauth:` URI that authenticator apps read from a QR code. @param account the person's e-mail address */
export const toTotpUri = (secret: string, account: string): string => totpOf(secret, account).toString();

/** The time step of a correct code, else null. @param secret base32  @param now epoch milliseconds */
export function findTimeStep(secret: string, code: string, now: number): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const delta = totpOf(secret).validate({ token: code, timestamp: now, window: TOLERATED_STEPS });
  return delta === null ? null : Math.floor(now / TOTP_PERIOD_MS) + delta;
}
