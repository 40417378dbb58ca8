// Message encryption for Web Push (RFC 8291) in the content coding aes128gcm (RFC 8188), one record, on WebCrypto.
import { fromBase64Url } from "../../platform/base64.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Public key (P-256, uncompressed, 65 bytes) and authentication secret (16 bytes) of a subscription, base64url. */
export type SubscriptionKeys = { p256dh: string; auth: string };

/** The record size in the header; push services accept 4096 bytes in all (RFC 8291, section 4). */
const RECORD_BYTES = 4096;
/** Salt (16), record size (4), length of the key id (1), public key (65), delimiter (1), tag (16). */
const OVERHEAD_BYTES = 103;
export const MAX_PAYLOAD_BYTES = RECORD_BYTES - OVERHEAD_BYTES;
/** All payloads have this length or a multiple of it, so that the length does not tell the kind. */
const PAD_BLOCK_BYTES = 512;

const P256 = { name: "ECDH", namedCurve: "P-256" };
const encoder = new TextEncoder();
const toUtf8 = (text: string): Bytes => new Uint8Array(encoder.encode(text));

function concat(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

async function hkdf(material: Bytes, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, key, length * 8));
}

/** @returns null unless the keys have the lengths of RFC 8291 and the public key is a point of the curve */
export async function importSubscriptionKeys(
  keys: SubscriptionKeys,
): Promise<{ key: CryptoKey; raw: Bytes; auth: Bytes } | null> {
  const raw = fromBase64Url(keys.p256dh);
  const auth = fromBase64Url(keys.auth);
  if (raw?.length !== 65 || raw[0] !== 4 || auth?.length !== 16) return null;
  try {
    return { key: await crypto.subtle.importKey("raw", raw, P256, false, []), raw, auth };
  } catch {
    return null;
  }
}

export type Randomness = { keyPair: CryptoKeyPair; salt: Bytes };

async function newRandomness(): Promise<Randomness> {
  const keyPair = await crypto.subtle.generateKey(P256, true, ["deriveBits"]);
  if (!("privateKey" in keyPair)) throw new Error("not a key pair");
  return { keyPair, salt: crypto.getRandomValues(new Uint8Array(16)) };
}

function pad(plain: Bytes): Bytes {
  const length = Math.min(Math.ceil((plain.length + 1) / PAD_BLOCK_BYTES) * PAD_BLOCK_BYTES, MAX_PAYLOAD_BYTES + 1);
  const padded = new Uint8Array(length);
  padded.set(plain);
  // The delimiter of the last record; zeros follow (RFC 8188, section 2).
  padded[plain.length] = 2;
  return padded;
}

/**
 * Encrypts a message for one subscription.
 * @param randomness only for the test vector of RFC 8291, appendix A; else a new key pair and salt
 * @returns the body of the request to the push service
 * @throws Error for invalid keys or more than MAX_PAYLOAD_BYTES
 */
export async function encryptPayload(
  subscriptionKeys: SubscriptionKeys,
  text: string,
  randomness?: Randomness & { isPadded: false },
): Promise<Bytes> {
  const receiver = await importSubscriptionKeys(subscriptionKeys);
  const plain = toUtf8(text);
  if (!receiver) throw new Error("invalid keys of a push subscription");
  if (plain.length > MAX_PAYLOAD_BYTES) throw new Error("a push message is too long");
  const { keyPair, salt } = randomness ?? (await newRandomness());
  const ownKey = new Uint8Array((await crypto.subtle.exportKey("raw", keyPair.publicKey)) as ArrayBuffer);
  // The types of workerd name this member `$public`; at run time it is `public`, as in the standard.
  const agreement = { name: "ECDH", public: receiver.key } as unknown as Parameters<typeof crypto.subtle.deriveBits>[0];
  const shared = new Uint8Array(await crypto.subtle.deriveBits(agreement, keyPair.privateKey, 256));
  const keyInfo = concat(toUtf8("WebPush: info\0"), receiver.raw, ownKey);
  const material = await hkdf(shared, receiver.auth, keyInfo, 32);
  const [contentKey, nonce] = await Promise.all([
    hkdf(material, salt, toUtf8("Content-Encoding: aes128gcm\0"), 16),
    hkdf(material, salt, toUtf8("Content-Encoding: nonce\0"), 12),
  ]);
  const key = await crypto.subtle.importKey("raw", contentKey, "AES-GCM", false, ["encrypt"]);
  const record = randomness ? concat(plain, new Uint8Array([2])) : pad(plain);
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, record));
  const header = new Uint8Array(21);
  header.set(salt);
  new DataView(header.buffer).setUint32(16, RECORD_BYTES);
  header[20] = ownKey.length;
  return concat(header, ownKey, sealed);
}
