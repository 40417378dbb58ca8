// Signed tokens: `<payload><separator><tag>` with an HMAC tag, as in cursors, links, tickets, refresh tokens and credentials.
import { computeMac, constantTimeEqual, fromBase64Url, toBase64Url } from "./crypto.ts";
import type { MacKeys } from "./mac-keys.ts";

type Separator = "_" | ".";
/** 32 bytes in base64url. The length is fixed, because a tag may contain `_`. */
const TAG_LENGTH = 43;

/** Splits a token. Null when the tag is missing or is not 32 bytes in canonical base64url. */
export function splitToken(token: string, separator: Separator): { payload: string; tag: Uint8Array } | null {
  if (token.at(-TAG_LENGTH - 1) !== separator) return null;
  const tag = fromBase64Url(token.slice(-TAG_LENGTH));
  return tag && { payload: token.slice(0, -TAG_LENGTH - 1), tag };
}

/** @param macParts the parts that the tag covers, the first of which names the use */
export async function signToken(
  keys: Pick<MacKeys, "current">,
  payload: string,
  separator: Separator,
  macParts: readonly string[],
): Promise<string> {
  return `${payload}${separator}${toBase64Url(await computeMac(keys.current, macParts))}`;
}

/** The payload of a token with a valid tag of any of the keys, else null. @param macParts the parts that the tag of a payload covers */
export async function verifyToken(
  keys: Pick<MacKeys, "all">,
  token: string,
  separator: Separator,
  macParts: (payload: string) => readonly string[],
): Promise<string | null> {
  const parts = splitToken(token, separator);
  if (!parts) return null;
  for (const key of keys.all) {
    if (constantTimeEqual(parts.tag, await computeMac(key, macParts(parts.payload)))) return parts.payload;
  }
  return null;
}
