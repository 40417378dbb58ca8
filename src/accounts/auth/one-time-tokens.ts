// One-time tokens in links: `eci_<id>_<tag>` for invitations, `ecp_<id>_<tag>` for password resets. Stores only an HMAC.
import type { Keys } from "../../platform/config.ts";
import { computeBlindIndex } from "../../platform/crypto.ts";
import { signToken } from "../../platform/signed-token.ts";

type OneTimeTokenKind = "invitation" | "password_reset";
const TOKEN_PREFIX = { invitation: "eci", password_reset: "ecp" } as const satisfies Record<OneTimeTokenKind, string>;

/** Derived from the id, so that a repeated request returns the same link although it is not stored. */
export function deriveOneTimeToken(keys: Keys, kind: OneTimeTokenKind, id: string): Promise<string> {
  return signToken(keys.link, `${TOKEN_PREFIX[kind]}_${id}`, "_", ["one-time", kind, id]);
}

/** The stored hash of a token, under the index key, which is never rotated while the data exists. */
export function hashOneTimeToken(keys: Keys, kind: OneTimeTokenKind, token: string): Promise<string> {
  return computeBlindIndex(keys.index, kind, token);
}

/** The portal page for a token. The token is in the fragment, which is not sent to servers, proxies or logs. */
export function buildLinkUrl(origin: string, token: string): string {
  return `${origin}/invitation#token=${token}`;
}
