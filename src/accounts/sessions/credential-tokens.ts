// Tokens of devices, `ecd_<credential>_<secret>`, and apps, `eca_<hospital>_<credential>_<secret>`. The secret ends in a MAC, so
// that forged tokens are rejected without a database read.
import type { AppActor, DeviceActor, RequestOrigin } from "../../access/actor.ts";
import { BoundedCache } from "../../platform/bounded-cache.ts";
import type { Keys } from "../../platform/config.ts";
import { computeMac, constantTimeEqual, sha256Hex, toBase64Url } from "../../platform/crypto.ts";
import { UUID_PATTERN } from "../../platform/ids.ts";
import { splitToken } from "../../platform/signed-token.ts";

const RANDOM_BYTES = 24;
const MAC_BYTES = 8;

/** The public part of a token; covered by the MAC. */
type TokenSubject = { credentialId: string; hospitalId: string | null };

/** Uses the index key, which is never rotated, so that machines are not locked out. */
async function computeTag(keys: Keys, { credentialId, hospitalId }: TokenSubject, random: Uint8Array): Promise<Uint8Array> {
  const parts = hospitalId === null ? ["machine", credentialId] : ["app", hospitalId, credentialId];
  return (await computeMac(keys.index, [...parts, toBase64Url(random)])).subarray(0, MAC_BYTES);
}

/** Creates a token (192 random bits, 64 bits of MAC) and the hash to store. @param hospitalId of an app; null for a device */
export async function createCredentialToken(
  keys: Keys,
  credentialId: string,
  hospitalId: string | null,
): Promise<{ token: string; secretHash: string }> {
  const bytes = new Uint8Array(RANDOM_BYTES + MAC_BYTES);
  crypto.getRandomValues(bytes.subarray(0, RANDOM_BYTES));
  bytes.set(await computeTag(keys, { credentialId, hospitalId }, bytes.subarray(0, RANDOM_BYTES)), RANDOM_BYTES);
  const secret = toBase64Url(bytes);
  const prefix = hospitalId === null ? `ecd_${credentialId}` : `eca_${hospitalId}_${credentialId}`;
  return { token: `${prefix}_${secret}`, secretHash: await sha256Hex(secret) };
}

const TOKEN_PAYLOAD_PATTERN = /^(?:ecd|eca_([^_]{36}))_([^_]{36})$/;

/** Cached tokens per isolate. */
const MAX_CACHED_TOKENS = 2_048;
type VerifiedToken = TokenSubject & { secretHash: string };
const verifiedTokens = new WeakMap<CryptoKey, BoundedCache<string, VerifiedToken>>();

/** Null for a token with an invalid MAC. The access check decides whether the credential is still active. */
export async function readCredentialToken(keys: Keys, token: string, via: RequestOrigin): Promise<DeviceActor | AppActor | null> {
  const cache = verifiedTokens.get(keys.index) ?? new BoundedCache(MAX_CACHED_TOKENS);
  verifiedTokens.set(keys.index, cache);
  const cached = cache.get(token);
  const verified = cached ?? (await verifyCredentialToken(keys, token));
  if (verified === null) return null;
  if (!cached) cache.set(token, verified);
  const { hospitalId, credentialId, secretHash } = verified;
  return hospitalId === null
    ? { kind: "device", credentialId, secretHash, via }
    : { kind: "app", hospitalId, credentialId, secretHash, via };
}

async function verifyCredentialToken(keys: Keys, token: string): Promise<VerifiedToken | null> {
  const { payload = "", tag: secret = new Uint8Array() } = splitToken(token, "_") ?? {};
  const [, hospitalId = null, credentialId = ""] = TOKEN_PAYLOAD_PATTERN.exec(payload) ?? [];
  if (!UUID_PATTERN.test(credentialId)) return null;
  const mac = await computeTag(keys, { credentialId, hospitalId }, secret.subarray(0, RANDOM_BYTES));
  if (!constantTimeEqual(mac, secret.subarray(RANDOM_BYTES))) return null;
  return { hospitalId, credentialId, secretHash: await sha256Hex(toBase64Url(secret)) };
}
