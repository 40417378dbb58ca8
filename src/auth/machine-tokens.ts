// Tokens of machines: `ecd_<credential>_<secret>` of devices, `eca_<hospital>_<credential>_<secret>` of apps. The secret ends
// in a MAC, so that invented ones fall at the door.
import type { AppActor, DeviceActor, Via } from "../actor.ts";
import { BoundedCache } from "../bounded-cache.ts";
import type { Keys } from "../config.ts";
import { fromBase64Url, mac, sameBytes, sha256Hex, toBase64Url } from "../crypto.ts";
import { UUID } from "../ids.ts";

const RANDOM = 24;
const MAC = 8;

/** What a token says besides its secret: all of it is under the MAC. */
type Names = { credentialId: string; hospitalId: string | null };

/** Under the index key, which stays as long as the data does: rotating another one must not lock the machines out. */
async function tagOf(keys: Keys, { credentialId, hospitalId }: Names, random: Uint8Array): Promise<Uint8Array> {
  const parts = hospitalId === null ? ["machine", credentialId] : ["app", hospitalId, credentialId];
  return (await mac(keys.index, [...parts, toBase64Url(random)])).subarray(0, MAC);
}

/** A new token and the hash to keep of it: 192 random bits and 64 of MAC. @param hospitalId of an app; null for a device */
export async function newMachineToken(
  keys: Keys,
  credentialId: string,
  hospitalId: string | null,
): Promise<{ token: string; secretHash: string }> {
  const bytes = new Uint8Array(RANDOM + MAC);
  crypto.getRandomValues(bytes.subarray(0, RANDOM));
  bytes.set(await tagOf(keys, { credentialId, hospitalId }, bytes.subarray(0, RANDOM)), RANDOM);
  const secret = toBase64Url(bytes);
  const names = hospitalId === null ? `ecd_${credentialId}` : `eca_${hospitalId}_${credentialId}`;
  return { token: `${names}_${secret}`, secretHash: await sha256Hex(secret) };
}

const TOKEN = /^(?:ecd|eca_([^_]{36}))_([^_]{36})_([A-Za-z0-9_-]{43})$/;

/** Machines that ask one isolate. */
export const MAX_READ = 2_048;
type Known = { hospitalId: string | null; credentialId: string; secretHash: string };
const readTokens = new WeakMap<CryptoKey, BoundedCache<string, Known>>();

/** Null for what we never made. Whether the credential still holds is for the gate to say. */
export async function readMachineToken(keys: Keys, token: string, via: Via): Promise<DeviceActor | AppActor | null> {
  const kept = readTokens.get(keys.index) ?? new BoundedCache(MAX_READ);
  readTokens.set(keys.index, kept);
  const before = kept.get(token);
  const known = before ?? (await checkedToken(keys, token));
  if (known === null) return null;
  if (!before) kept.set(token, known);
  const { hospitalId, credentialId, secretHash } = known;
  return hospitalId === null
    ? { kind: "device", credentialId, secretHash, via }
    : { kind: "app", hospitalId, credentialId, secretHash, via };
}

async function checkedToken(keys: Keys, token: string): Promise<Known | null> {
  const [, hospitalId = null, credentialId = "", secret = ""] = TOKEN.exec(token) ?? [];
  const bytes = fromBase64Url(secret);
  if (!UUID.test(credentialId) || bytes?.length !== RANDOM + MAC) return null;
  const tag = await tagOf(keys, { credentialId, hospitalId }, bytes.subarray(0, RANDOM));
  if (!sameBytes(tag, bytes.subarray(RANDOM))) return null;
  return { hospitalId, credentialId, secretHash: await sha256Hex(secret) };
}
