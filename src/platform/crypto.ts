// Encryption (AES-256-GCM), blind indexes, MACs and constant-time comparison.
import { timingSafeEqual } from "node:crypto";
import { fromBase64Url, toBase64Url } from "./base64.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { ApiError } from "./errors.ts";

export { fromBase64Url, toBase64Url };
export type KeyRing = { currentKid: string; keys: Map<string, CryptoKey> };
/** Like KeyRing, with HMAC keys. */
export type MacKeyRing = KeyRing;
type Bytes = Uint8Array<ArrayBuffer>;

const textEncoder = new TextEncoder();
const fromUtf8 = new TextDecoder();
const KEY_ID_PATTERN = /^[a-z0-9]{1,12}$/;

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Length in UTF-8; skips encoding for ASCII text, the common case. */
const utf8ByteLength = (text: string) => (/^[\0-\x7f]*$/.test(text) ? text.length : textEncoder.encode(text).length);

function canonicalText(parts: readonly string[]): string {
  let text = "";
  for (const part of parts) text += `${text === "" ? "" : "|"}${utf8ByteLength(part)}:${part}`;
  return text;
}

/** Length-prefixed concatenation, so that ("a","bc") and ("ab","c") give different bytes. */
export function encodeCanonical(parts: readonly string[]): Bytes {
  return new Uint8Array(textEncoder.encode(canonicalText(parts)));
}

/**
 * Parses `kid:base64,kid:base64`, 32 bytes each; the first is current.
 * @throws Error without the keys' material in its message
 */
export async function parseRingEntries<Key>(
  secret: string,
  importKey: (raw: Bytes) => Promise<Key>,
): Promise<{ currentKid: string; keys: Map<string, Key> }> {
  const keys = new Map<string, Key>();
  for (const entry of secret.split(",")) {
    const [kid = "", material = ""] = entry.trim().split(":");
    const raw = Uint8Array.from(atob(material), (ch) => ch.charCodeAt(0));
    if (!KEY_ID_PATTERN.test(kid) || raw.length !== 32 || keys.has(kid))
      throw new Error("a key ring entry must be kid:base64 of 32 bytes");
    keys.set(kid, await importKey(raw));
  }
  const currentKid = keys.keys().next().value;
  if (currentKid === undefined) throw new Error("empty key ring");
  return { currentKid, keys };
}

/** Parses `kid:base64,kid:base64`, 32 bytes each; the first is current. HKDF-SHA256 (RFC 5869) derives record keys. */
export function parseKeyRing(secret: string): Promise<KeyRing> {
  return parseRingEntries(secret, (raw) => crypto.subtle.importKey("raw", raw, "HKDF", false, ["deriveKey"]));
}

/** Parses the same format into HMAC-SHA256 keys (RFC 2104). */
export function parseMacKeyRing(secret: string): Promise<MacKeyRing> {
  return parseRingEntries(secret, (raw) =>
    crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
  );
}

/** Cached derived keys per isolate. Records are read repeatedly: the patients of a ward and their reports. */
export const MAX_RECORD_KEYS = 4_096;
const recordKeys = new WeakMap<KeyRing, BoundedCache<string, Promise<CryptoKey>>>();

/** Derives a key per record, HKDF-SHA256 with the record's name as info, so that no GCM key encrypts 2^32 messages. */
export function deriveRecordKey(ring: KeyRing, kid: string, record: readonly string[]): Promise<CryptoKey> {
  const master = ring.keys.get(kid);
  if (!master) throw new ApiError("integrity_error", undefined, { cause: new Error("unknown key id") });
  const cache = recordKeys.get(ring) ?? new BoundedCache(MAX_RECORD_KEYS);
  recordKeys.set(ring, cache);
  const name = canonicalText([kid, ...record]);
  const cached = cache.get(name);
  if (cached) return cached;
  const key = deriveKey(master, record);
  cache.set(name, key);
  key.catch(() => cache.delete(name));
  return key;
}

function deriveKey(master: CryptoKey, record: readonly string[]): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encodeCanonical(record) },
    master,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

export async function encryptGcm(key: CryptoKey, nonce: Bytes, plain: Bytes, aad: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, key, plain));
}

/** @throws ApiError integrity_error when any bit of ciphertext, tag, nonce or AAD differs (NIST SP 800-38D) */
export async function decryptGcm(key: CryptoKey, nonce: Bytes, sealed: Bytes, aad: Bytes): Promise<Bytes> {
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, key, sealed));
  } catch (cause) {
    throw new ApiError("integrity_error", undefined, { cause });
  }
}

/** The location a sealed value is bound to: it does not decrypt in another row, column or version. */
export type SealContext = { table: string; column: string; id: string; version?: number };

const keyDerivationInfo = (context: SealContext) => [context.table, context.id];
const buildAad = (kid: string, context: SealContext) =>
  encodeCanonical(["s1", kid, context.column, String(context.version ?? 0)]);
/** JSON is padded with spaces to a multiple of this, so that the ciphertext length does not reveal the length of a name. */
const PAD_BLOCK_BYTES = 64;

/** Encrypts a JSON value bound to its location: `s1.<kid>.<nonce and ciphertext>`. */
export async function sealValue(ring: KeyRing, context: SealContext, value: unknown): Promise<string> {
  const plain = textEncoder.encode(JSON.stringify(value));
  const padded = new Uint8Array(Math.ceil(plain.length / PAD_BLOCK_BYTES) * PAD_BLOCK_BYTES).fill(0x20);
  padded.set(plain);
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const key = await deriveRecordKey(ring, ring.currentKid, keyDerivationInfo(context));
  const sealed = await encryptGcm(key, nonce, padded, buildAad(ring.currentKid, context));
  const joined = new Uint8Array(12 + sealed.length);
  joined.set(nonce);
  joined.set(sealed, 12);
  return `s1.${ring.currentKid}.${toBase64Url(joined)}`;
}

/** @throws ApiError integrity_error when the value was changed or moved, or its key is not in the ring */
export async function unsealValue(ring: KeyRing, context: SealContext, sealed: string): Promise<unknown> {
  const [format, kid, body, ...more] = sealed.split(".");
  const joined = fromBase64Url(body ?? "");
  if (format !== "s1" || kid === undefined || !joined || joined.length < 28 || more.length > 0)
    throw new ApiError("integrity_error");
  const key = await deriveRecordKey(ring, kid, keyDerivationInfo(context));
  const plain = await decryptGcm(key, joined.subarray(0, 12), joined.subarray(12), buildAad(kid, context));
  return JSON.parse(fromUtf8.decode(plain));
}

export async function importMacKey(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", textEncoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** HMAC-SHA256 (RFC 2104) over the canonical encoding of `parts`; the first part names the purpose. */
export async function computeMac(key: CryptoKey, parts: readonly string[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encodeCanonical(parts)));
}

/** A keyed index of a normalized value: equal inputs give equal indexes; it cannot be reversed without the key. */
export async function computeBlindIndex(key: CryptoKey, kind: string, normalForm: string): Promise<string> {
  return toBase64Url(await computeMac(key, ["index", kind, normalForm]));
}

export async function sha256Hex(data: Bytes | string): Promise<string> {
  const bytes = typeof data === "string" ? textEncoder.encode(data) : data;
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** Constant time for equal lengths; the lengths are public. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

export function constantTimeEqualText(a: string, b: string): boolean {
  return constantTimeEqual(Buffer.from(a), Buffer.from(b));
}
