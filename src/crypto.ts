// Sealing (AES-256-GCM), blind indexes, MACs and constant-time comparison. Keys come from the secrets alone.
import { timingSafeEqual } from "node:crypto";
import { fromBase64Url, toBase64Url } from "./base64.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { ApiError } from "./errors.ts";

export { fromBase64Url, toBase64Url };
export type Ring = { current: string; keys: Map<string, CryptoKey> };
/** As a Ring, of HMAC keys. */
export type MacRing = Ring;
type Bytes = Uint8Array<ArrayBuffer>;

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();
const KEY_ID = /^[a-z0-9]{1,12}$/;

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** In UTF-8, without encoding what is ASCII, as most is. */
const byteLength = (text: string) => (/^[\0-\x7f]*$/.test(text) ? text.length : utf8.encode(text).length);

function canonicalText(parts: readonly string[]): string {
  let text = "";
  for (const part of parts) text += `${text === "" ? "" : "|"}${byteLength(part)}:${part}`;
  return text;
}

/** Length-prefixed concatenation, so that ("a","bc") and ("ab","c") never give the same bytes. */
export function canonical(parts: readonly string[]): Bytes {
  return new Uint8Array(utf8.encode(canonicalText(parts)));
}

async function readRing(secret: string, importKey: (raw: Bytes) => Promise<CryptoKey>): Promise<Ring> {
  const keys = new Map<string, CryptoKey>();
  for (const entry of secret.split(",")) {
    const [kid = "", material = ""] = entry.trim().split(":");
    const raw = Uint8Array.from(atob(material), (ch) => ch.charCodeAt(0));
    if (!KEY_ID.test(kid) || raw.length !== 32 || keys.has(kid)) throw new Error("a key ring entry is kid:32 bytes in base64");
    keys.set(kid, await importKey(raw));
  }
  const current = keys.keys().next().value;
  if (current === undefined) throw new Error("an empty key ring");
  return { current, keys };
}

/** Parses `kid:base64,kid:base64`, 32 bytes each, the first being current. HKDF-SHA256 (RFC 5869) derives from each. */
export function parseRing(secret: string): Promise<Ring> {
  return readRing(secret, (raw) => crypto.subtle.importKey("raw", raw, "HKDF", false, ["deriveKey"]));
}

/** The same form, for HMAC-SHA256 (RFC 2104). */
export function parseMacRing(secret: string): Promise<MacRing> {
  return readRing(secret, (raw) => crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]));
}

/** Derived keys are kept for the records that are read over and over: a ward's patients and their reports. */
export const MAX_RECORD_KEYS = 4_096;
const recordKeys = new WeakMap<Ring, BoundedCache<string, Promise<CryptoKey>>>();

/** A key for one record, HKDF-SHA256 with the record's name as info: no GCM key ever meets 2^32 messages. */
export function recordKey(ring: Ring, kid: string, record: readonly string[]): Promise<CryptoKey> {
  const master = ring.keys.get(kid);
  if (!master) throw new ApiError("integrity_error", undefined, { cause: new Error("unknown key id") });
  const kept = recordKeys.get(ring) ?? new BoundedCache(MAX_RECORD_KEYS);
  recordKeys.set(ring, kept);
  const name = canonicalText([kid, ...record]);
  const known = kept.get(name);
  if (known) return known;
  const key = deriveKey(master, record);
  kept.set(name, key);
  key.catch(() => kept.delete(name));
  return key;
}

function deriveKey(master: CryptoKey, record: readonly string[]): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: canonical(record) },
    master,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

export async function gcmSeal(key: CryptoKey, nonce: Bytes, plain: Bytes, aad: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, key, plain));
}

/** @throws ApiError integrity_error when any bit of ciphertext, tag, nonce or AAD differs (NIST SP 800-38D). */
export async function gcmOpen(key: CryptoKey, nonce: Bytes, sealed: Bytes, aad: Bytes): Promise<Bytes> {
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, key, sealed));
  } catch (cause) {
    throw new ApiError("integrity_error", undefined, { cause });
  }
}

/** Where a sealed value belongs; moving it to another row, column or version makes it unreadable. */
export type Place = { table: string; column: string; id: string; version?: number };

const placeRecord = (place: Place) => [place.table, place.id];
const placeAad = (kid: string, place: Place) => canonical(["s1", kid, place.column, String(place.version ?? 0)]);
/** JSON is padded with spaces to a multiple of this, so that the ciphertext does not tell a short name from a long one. */
const PAD = 64;

/** Seals a JSON value for its place: `s1.<kid>.<nonce and ciphertext>`. */
export async function seal(ring: Ring, place: Place, value: unknown): Promise<string> {
  const plain = utf8.encode(JSON.stringify(value));
  const padded = new Uint8Array(Math.ceil(plain.length / PAD) * PAD).fill(0x20);
  padded.set(plain);
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const key = await recordKey(ring, ring.current, placeRecord(place));
  const sealed = await gcmSeal(key, nonce, padded, placeAad(ring.current, place));
  const joined = new Uint8Array(12 + sealed.length);
  joined.set(nonce);
  joined.set(sealed, 12);
  return `s1.${ring.current}.${toBase64Url(joined)}`;
}

/** @throws ApiError integrity_error when the value was changed, moved, or sealed with a key that is not in the ring. */
export async function open(ring: Ring, place: Place, sealed: string): Promise<unknown> {
  const [format, kid, body, ...more] = sealed.split(".");
  const joined = fromBase64Url(body ?? "");
  if (format !== "s1" || kid === undefined || !joined || joined.length < 28 || more.length > 0)
    throw new ApiError("integrity_error");
  const key = await recordKey(ring, kid, placeRecord(place));
  const plain = await gcmOpen(key, joined.subarray(0, 12), joined.subarray(12), placeAad(kid, place));
  return JSON.parse(fromUtf8.decode(plain));
}

export async function macKey(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", utf8.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** HMAC-SHA256 (RFC 2104) over the canonical form of `parts`; the first part names the use. */
export async function mac(key: CryptoKey, parts: readonly string[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, canonical(parts)));
}

/** A keyed index of a normal form: equal inputs meet, and without the key nothing can be read back. */
export async function blindIndex(key: CryptoKey, kind: string, normal: string): Promise<string> {
  return toBase64Url(await mac(key, ["index", kind, normal]));
}

export async function sha256Hex(data: Bytes | string): Promise<string> {
  const bytes = typeof data === "string" ? utf8.encode(data) : data;
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** Constant time over equal lengths; the lengths themselves are public. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
