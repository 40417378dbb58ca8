// Bytes as text, and hashes.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

export type Bytes = Uint8Array<ArrayBuffer>;

export function sha256(...parts: (Uint8Array | string)[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
export const toBase64Url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

/** Null for anything but the one canonical encoding of some bytes. */
export function fromBase64(text: string, encoding: "base64" | "base64url" = "base64"): Bytes | null {
  const bytes = new Uint8Array(Buffer.from(text, encoding));
  return Buffer.from(bytes).toString(encoding) === text ? bytes : null;
}

export const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export type Ring = ReadonlyMap<string, Bytes>;

/** Parses `kid:base64,kid:base64`, 32 bytes each. @throws Error without the material in its message */
export function parseRing(secret: string): Ring {
  const ring = new Map<string, Bytes>();
  for (const entry of secret.split(",")) {
    const [kid = "", material = ""] = entry.trim().split(":");
    const raw = fromBase64(material);
    if (kid === "" || raw?.length !== 32) throw new Error("a key ring must be kid:base64 of 32 bytes, separated by commas");
    ring.set(kid, raw);
  }
  return ring;
}
