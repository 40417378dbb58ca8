// Tokens of machines: `ecd_<credential>_<secret>` of devices, `eca_<hospital>_<credential>_<secret>` of apps. The secret ends
// in a MAC, so that invented ones fall at the door.
import type { AppActor, DeviceActor, Via } from "../../access/actor.ts";
import type { Keys } from "../../platform/config.ts";
import { fromBase64Url, mac, sameBytes, sha256Hex, toBase64Url } from "../../platform/crypto.ts";
import { UUID } from "../../platform/ids.ts";

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

/** Null for what we never made. Whether the credential still holds is for the gate to say. */
export async function readMachineToken(keys: Keys, token: string, via: Via): Promise<DeviceActor | AppActor | null> {
  const [, hospitalId = null, credentialId = "", secret = ""] = TOKEN.exec(token) ?? [];
  const bytes = fromBase64Url(secret);
  if (!UUID.test(credentialId) || bytes?.length !== RANDOM + MAC) return null;
  const tag = await tagOf(keys, { credentialId, hospitalId }, bytes.subarray(0, RANDOM));
  if (!sameBytes(tag, bytes.subarray(RANDOM))) return null;
  const known = { credentialId, secretHash: await sha256Hex(secret), via };
  return hospitalId === null ? { kind: "device", ...known } : { kind: "app", hospitalId, ...known };
}
