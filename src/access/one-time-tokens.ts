// One-time tokens in links: a prefix of the kind, the id of the row and a tag. Stores only an HMAC.
import type { Keys } from "../platform/config.ts";
import { computeBlindIndex } from "../platform/crypto.ts";
import { signToken } from "../platform/signed-token.ts";

const KINDS = {
  invitation: { prefix: "eci", page: "/invitation" },
  password_reset: { prefix: "ecp", page: "/reset" },
  email_verification: { prefix: "ecv", page: "/verify-email" },
  email_change: { prefix: "ece", page: "/verify-email" },
  intake: { prefix: "ecn", page: "/intake" },
} as const satisfies Record<string, { prefix: string; page: string }>;
export type OneTimeTokenKind = keyof typeof KINDS;

/** Derived from the id, so that a repeated request returns the same link although it is not stored. */
export function deriveOneTimeToken(keys: Keys, kind: OneTimeTokenKind, id: string): Promise<string> {
  return signToken(keys.link, `${KINDS[kind].prefix}_${id}`, "_", ["one-time", kind, id]);
}

/** A token of each key of the ring with its hash, the current key's first: which one it is, the stored hash says. */
export async function listOneTimeTokens(
  keys: Keys,
  kind: OneTimeTokenKind,
  id: string,
): Promise<{ token: string; hash: string }[]> {
  return Promise.all(
    keys.link.all.map(async (current) => {
      const token = await signToken({ current }, `${KINDS[kind].prefix}_${id}`, "_", ["one-time", kind, id]);
      return { token, hash: await hashOneTimeToken(keys, kind, token) };
    }),
  );
}

/** The token whose hash is stored, as it was sent before; null if its key is not in the ring any more. */
export async function repeatOneTimeToken(keys: Keys, kind: OneTimeTokenKind, id: string, hash: string): Promise<string | null> {
  return (await listOneTimeTokens(keys, kind, id)).find((candidate) => candidate.hash === hash)?.token ?? null;
}

/** The stored hash of a token, under the index key, which is never rotated while the data exists. */
export function hashOneTimeToken(keys: Keys, kind: OneTimeTokenKind, token: string): Promise<string> {
  return computeBlindIndex(keys.index, kind, token);
}

/** The portal page for a token. The token is in the fragment, which is not sent to servers, proxies or logs. */
export function buildLinkUrl(origin: string, kind: OneTimeTokenKind, token: string): string {
  return `${origin}${KINDS[kind].page}#token=${token}`;
}
