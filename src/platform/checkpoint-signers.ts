// The Ed25519 keys that sign checkpoints of the audit log, parsed from the secret AUDIT_SIGNING_KEYS.
import { fromBase64Url, parseRingEntries } from "./crypto.ts";

export type CheckpointSigner = { kid: string; privateKey: CryptoKey /** 32 bytes (RFC 8032). */; publicKey: Uint8Array };
/** The current one signs; the public keys of all are published, so that earlier checkpoints can still be verified. */
export type CheckpointSigners = { current: CheckpointSigner; all: readonly CheckpointSigner[] };

/** The DER encoding of an Ed25519 private key (RFC 8410, section 7) up to its 32 bytes. */
const PKCS8_PREFIX = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20,
);

/** Parses `kid:base64,kid:base64`, seeds of 32 bytes each (RFC 8032, section 5.1.5); the first signs. */
export async function parseCheckpointSigners(secret: string): Promise<CheckpointSigners> {
  const { currentKid, keys } = await parseRingEntries(secret, importSeed);
  const all = [...keys].map(([kid, pair]) => ({ kid, ...pair }));
  const current = all.find(({ kid }) => kid === currentKid);
  if (!current) throw new Error("empty key ring");
  return { current, all };
}

async function importSeed(seed: Uint8Array): Promise<Omit<CheckpointSigner, "kid">> {
  const pkcs8 = Uint8Array.of(...PKCS8_PREFIX, ...seed);
  const extractable = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const jwk = await crypto.subtle.exportKey("jwk", extractable);
  const publicKey = "x" in jwk && typeof jwk.x === "string" ? fromBase64Url(jwk.x) : null;
  if (publicKey?.length !== 32) throw new Error("not an Ed25519 key");
  return { privateKey: await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]), publicKey };
}
