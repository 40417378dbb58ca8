// One-time links. The token is in the fragment (#), which no server, proxy or log receives.
import { useEffect, useState } from "react";

/** By the prefix of the token. */
const KINDS = { eci: "invitation", ecp: "reset", ecv: "verify", ece: "change", ecn: "intake" } as const;
export type OneTimeLink = { kind: (typeof KINDS)[keyof typeof KINDS]; token: string };

/** @param hash as `location.hash` @returns null when it has no token */
export function parseOneTimeLink(hash: string): OneTimeLink | null {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("token");
  if (!token) return null;
  const kind = Object.entries(KINDS).find(([prefix]) => token.startsWith(`${prefix}_`))?.[1];
  return { kind: kind ?? "invitation", token };
}

/** The link of the address bar, from which the token is removed at once. `undefined` until it was read; null when it has no token. */
export function useOneTimeLink(): OneTimeLink | null | undefined {
  const [link, setLink] = useState<OneTimeLink | null>();
  useEffect(() => {
    const readHash = () => {
      const parsed = parseOneTimeLink(location.hash);
      if (location.hash !== "") history.replaceState(history.state, "", location.pathname);
      setLink((previous) => parsed ?? previous ?? null);
    };
    readHash();
    addEventListener("hashchange", readHash);
    return () => removeEventListener("hashchange", readHash);
  }, []);
  return link;
}
