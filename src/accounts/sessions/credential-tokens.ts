import type { AppActor, DeviceActor, RequestOrigin } from "../../access/actor.ts";
import { BoundedCache } from "../../platform/bounded-cache.ts";
import type { Keys } from "../../platform/config.ts";
import { computeMac, constantTimeEqual, fromBase64Url, sha256Hex, toBase64Url } from "../../platform/crypto.ts";
import { UUID_PATTERN } from "../../platform/ids.ts";

const RANDOM_BYTES = 24;
const MAC_BYTES = 8;

/** What a token says besides its secret: all of it is under the MAC. */
type TokenSubject = { credentialId: string; hospitalId: string | null };

/** Under the index key, which stays as long as the data does: rotating another one must not lock the machines out. */
async function computeTag(keys: Keys, { credentialId, hospitalId }: TokenSubject, random: Uint8Array): Promise<Uint8Array> {
  const parts = hospitalId === null ? ["machine", credentialId] : ["app", hospitalId, credentialId];
  return (await computeMac(keys.index, [...parts, toBase64Url(random)])).subarray(0, MAC_BYTES);
}

/** A new token and the hash to keep of it: 192 random bits and 64 of MAC. @param hospitalId of an app; null for a device */
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

const TOKEN_PATTERN = /^(?:ecd|eca_([^_]{36}))_([^_]{36})_([A-Za-z0-9_-]{43})$/;

/** Machines that ask one isolate. */
export const MAX_READ = 2_048;
type Known = { hospitalId: string | null; credentialId: string; secretHash: string };
const readTokens = new WeakMap<CryptoKey, BoundedCache<string, Known>>();

/** Null for what we never made. Whether the credential still holds is for the gate to say. */
export async function readCredentialToken(keys: Keys, token: string, via: RequestOrigin): Promise<DeviceActor | AppActor | null> {
  const kept = readTokens.get(keys.index) ?? new BoundedCache(MAX_READ);
  readTokens.set(keys.index, kept);
  const before = kept.get(token);
  const verified = before ?? (await checkedToken(keys, token));
  if (verified === null) return null;
  if (!before) kept.set(token, verified);
  const { hospitalId, credentialId, secretHash } = verified;
  return hospitalId === null
    ? { kind: "device", credentialId, secretHash, via }
    : { kind: "app", hospitalId, credentialId, secretHash, via };
}

async function checkedToken(keys: Keys, token: string): Promise<Known | null> {
  const [, hospitalId = null, credentialId = "", secret = ""] = TOKEN_PATTERN.exec(token) ?? [];
  const bytes = fromBase64Url(secret);
  if (!UUID_PATTERN.test(credentialId) || bytes?.length !== RANDOM_BYTES + MAC_BYTES) return null;
  const tag = await computeTag(keys, { credentialId, hospitalId }, bytes.subarray(0, RANDOM_BYTES));
  if (!constantTimeEqual(tag, bytes.subarray(RANDOM_BYTES))) return null;
  return { hospitalId, credentialId, secretHash: await sha256Hex(secret) };
}
