// Identifiers: UUIDv7 for rows, 128 random bits in base32 for opaque keys.
import { createHash } from "node:crypto";
import { v7 } from "uuid";

export function uuidv7(): string {
  return v7();
}

/** A UUIDv7 that is the same for the same time (epoch milliseconds) and name. */
export function derivedUuidv7(msecs: number, name: string): string {
  return v7({ msecs, random: createHash("sha256").update(name).digest().subarray(0, 16) });
}

/** The smallest UUIDv7 of a time in epoch milliseconds: ids from it on are of that time or later. */
export function firstIdAt(time: number): string {
  const hex = Math.max(0, time).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** 26 characters of base32 from 128 random bits. */
export function randomOpaqueId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(17));
  let encoded = "";
  for (let bit = 0; bit < 130; bit += 5) {
    const bits = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    encoded += BASE32[(bits >> (11 - (bit & 7))) & 31];
  }
  return encoded;
}

export const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
