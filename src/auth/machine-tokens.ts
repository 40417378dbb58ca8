// Tokens of machines: `ecd_<credential>_<secret>`. The secret ends in a MAC, so that invented ones fall at the door.
import type { Keys } from "../config.ts";
import { fromBase64Url, mac, sameBytes, sha256Hex, toBase64Url } from "../crypto.ts";
import { UUID } from "../ids.ts";

const RANDOM = 24;
const MAC = 8;

/** Under the index key, which stays as long as the data does: rotating another one must not lock the machines out. */
async function tagOf(keys: Keys, credentialId: string, random: Uint8Array): Promise<Uint8Array> {
  return (await mac(keys.index, ["machine", credentialId, toBase64Url(random)])).subarray(0, MAC);
}

/** A new token and the hash to keep of it: 192 random bits and 64 of MAC. */
export async function newMachineToken(keys: Keys, credentialId: string): Promise<{ token: string; secretHash: string }> {
  const bytes = new Uint8Array(RANDOM + MAC);
  crypto.getRandomValues(bytes.subarray(0, RANDOM));
  bytes.set(await tagOf(keys, credentialId, bytes.subarray(0, RANDOM)), RANDOM);
  const secret = toBase64Url(bytes);
  return { token: `ecd_${credentialId}_${secret}`, secretHash: await sha256Hex(secret) };
}

/** Null for what we never made. Whether the credential still holds is for the gate to say. */
export async function readMachineToken(keys: Keys, token: string): Promise<{ credentialId: string; secretHash: string } | null> {
  const [, credentialId = "", secret = ""] = /^ecd_([^_]{36})_([A-Za-z0-9_-]{43})$/.exec(token) ?? [];
  const bytes = fromBase64Url(secret);
  if (!UUID.test(credentialId) || bytes?.length !== RANDOM + MAC) return null;
  const tag = await tagOf(keys, credentialId, bytes.subarray(0, RANDOM));
  return sameBytes(tag, bytes.subarray(RANDOM)) ? { credentialId, secretHash: await sha256Hex(secret) } : null;
}
