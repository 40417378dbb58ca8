// Fernet tokens (https://github.com/fernet/spec, version 0x80), in which other systems keep medical histories: AES-128-CBC, HMAC-SHA256.
import { fromBase64Url, toBase64Url } from "./base64.ts";

type Bytes = Uint8Array<ArrayBuffer>;
export type FernetKey = { signing: CryptoKey; encryption: CryptoKey };
/** `now`: epoch milliseconds. `maxAgeMs`: older tokens are refused, and those of more than a minute ahead. */
export type FernetAge = { now: number; maxAgeMs: number };

/** A key or token that is malformed, was changed, is of another key, or too old or too long. The message has nothing of it. */
export class FernetError extends Error {
  override name = "FernetError";
}

/** Characters of a token. */
export const MAX_FERNET_LENGTH = 1_048_576;
const VERSION = 0x80;
const KEY_BYTES = 32;
/** Version, time in seconds (8 bytes, big-endian), IV. */
const HEAD_BYTES = 25;
const IV_OFFSET = 9;
const BLOCK_BYTES = 16;
const MAC_BYTES = 32;
const MAX_CLOCK_SKEW_MS = 60_000;
const MAC = { name: "HMAC", hash: "SHA-256" } as const;

const withPadding = (text: string): string => text + "=".repeat((4 - (text.length % 4)) % 4);

/** The spec's base64 has padding. @returns null for anything but the canonical spelling */
function decode(text: string): Bytes | null {
  const unpadded = text.replace(/={0,2}$/, "");
  return withPadding(unpadded) === text ? fromBase64Url(unpadded) : null;
}

/** @param text base64url of 32 bytes with padding: signing key, encryption key  @throws FernetError */
export async function importFernetKey(text: string): Promise<FernetKey> {
  const bytes = decode(text);
  if (bytes?.length !== KEY_BYTES) throw new FernetError("a Fernet key is base64url of 32 bytes");
  const [signing, encryption] = await Promise.all([
    crypto.subtle.importKey("raw", bytes.subarray(0, BLOCK_BYTES), MAC, false, ["sign", "verify"]),
    crypto.subtle.importKey("raw", bytes.subarray(BLOCK_BYTES), "AES-CBC", false, ["encrypt", "decrypt"]),
  ]);
  return { signing, encryption };
}

/** @param now epoch milliseconds  @param iv 16 random bytes; only tests of the published vectors give others */
export async function sealFernet(
  key: FernetKey,
  message: Bytes,
  now: number,
  iv: Bytes = crypto.getRandomValues(new Uint8Array(BLOCK_BYTES)),
): Promise<string> {
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv }, key.encryption, message));
  const token = new Uint8Array(HEAD_BYTES + ciphertext.length + MAC_BYTES);
  token[0] = VERSION;
  new DataView(token.buffer).setBigUint64(1, BigInt(Math.floor(now / 1000)));
  token.set(iv, IV_OFFSET);
  token.set(ciphertext, HEAD_BYTES);
  const signed = token.subarray(0, -MAC_BYTES);
  token.set(new Uint8Array(await crypto.subtle.sign("HMAC", key.signing, signed)), signed.length);
  return withPadding(toBase64Url(token));
}

/**
 * Verifies and decrypts a token. The time is checked only with `age`: a stored history does not expire.
 * @throws FernetError
 */
export async function openFernet(key: FernetKey, token: string, age?: FernetAge): Promise<Bytes> {
  if (token.length > MAX_FERNET_LENGTH) throw new FernetError("the token is too long");
  const bytes = decode(token);
  if (!bytes || bytes[0] !== VERSION || bytes.length < HEAD_BYTES + MAC_BYTES) throw new FernetError("this is no Fernet token");
  const signed = bytes.subarray(0, -MAC_BYTES);
  if (!(await crypto.subtle.verify("HMAC", key.signing, bytes.subarray(-MAC_BYTES), signed)))
    throw new FernetError("the token was changed, or is of another key");
  if (age) checkAge(Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1)) * 1000, age);
  const iv = signed.subarray(IV_OFFSET, HEAD_BYTES);
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv }, key.encryption, signed.subarray(HEAD_BYTES)));
  } catch (cause) {
    throw new FernetError("the token's content is malformed", { cause });
  }
}

function checkAge(sealedAt: number, { now, maxAgeMs }: FernetAge): void {
  if (sealedAt + maxAgeMs < now || sealedAt > now + MAX_CLOCK_SKEW_MS) throw new FernetError("the token is of another time");
}
