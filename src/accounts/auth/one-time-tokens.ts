// Links that stand for a password once: `eci_<id>_<tag>` invites, `ecp_<id>_<tag>` resets. Only an HMAC of the token is kept.
import type { Keys } from "../../platform/config.ts";
import { computeBlindIndex, computeMac, toBase64Url } from "../../platform/crypto.ts";

type OneTimeTokenKind = "invitation" | "password_reset";
const TOKEN_PREFIX = { invitation: "eci", password_reset: "ecp" } as const satisfies Record<OneTimeTokenKind, string>;

/** Derived from the id, so that a repeated request is told the same link though it is stored nowhere. */
export async function deriveOneTimeToken(keys: Keys, kind: OneTimeTokenKind, id: string): Promise<string> {
  return `${TOKEN_PREFIX[kind]}_${id}_${toBase64Url(await computeMac(keys.link, ["one-time", kind, id]))}`;
}

/** What rows keep of a token: under the index key, which stays as long as the data does. */
export function hashOneTimeToken(keys: Keys, kind: OneTimeTokenKind, token: string): Promise<string> {
  return computeBlindIndex(keys.index, kind, token);
}

/** A page of the portal, which tells the kind by the token. It rides in the fragment: no server, proxy or log is sent it. */
export function buildLinkUrl(origin: string, token: string): string {
  return `${origin}/invitation#token=${token}`;
}
