// The keys of a secret whose MACs go out in tokens and links: the first signs, and what any of them signed is accepted.
import { importMacKey } from "./crypto.ts";

export type MacKeys = { current: CryptoKey; all: readonly CryptoKey[] };

const MIN_LENGTH = 32;
const KEY_ID_PATTERN = /^[a-z]\d{1,6}:/;

/**
 * Parses a secret of 32 characters or more, or several of them separated by commas, each with or without a key id (`l2:…`).
 * @throws Error without the secret in its message
 */
export async function parseMacKeys(secret: string): Promise<MacKeys> {
  const texts = secret.split(",").map((entry) => entry.trim().replace(KEY_ID_PATTERN, ""));
  if (texts.some((text) => text.length < MIN_LENGTH)) throw new Error("each key needs 32 characters");
  const all = await Promise.all(texts.map(importMacKey));
  const [current] = all;
  if (!current) throw new Error("empty secret");
  return { current, all };
}
