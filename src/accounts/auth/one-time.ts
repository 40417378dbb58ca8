// Links that stand for a password once: `eci_<id>_<tag>` invites, `ecp_<id>_<tag>` resets. Only an HMAC of the token is kept.
import type { Keys } from "../../platform/config.ts";
import { blindIndex, mac, toBase64Url } from "../../platform/crypto.ts";

type Kind = "invitation" | "password_reset";
const PREFIX = { invitation: "eci", password_reset: "ecp" } as const satisfies Record<Kind, string>;

/** Derived from the id, so that a repeated request is told the same link though it is stored nowhere. */
export async function oneTimeToken(keys: Keys, kind: Kind, id: string): Promise<string> {
  return `${PREFIX[kind]}_${id}_${toBase64Url(await mac(keys.link, ["one-time", kind, id]))}`;
}

/** What rows keep of a token: under the index key, which stays as long as the data does. */
export function tokenHash(keys: Keys, kind: Kind, token: string): Promise<string> {
  return blindIndex(keys.index, kind, token);
}

/** A page of the portal, which tells the kind by the token. It rides in the fragment: no server, proxy or log is sent it. */
export function linkTo(origin: string, token: string): string {
  return `${origin}/invitation#token=${token}`;
}
