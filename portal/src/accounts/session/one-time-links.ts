// One-time links. The token is in the fragment (#), which no server, proxy or log receives.

export type OneTimeLink = { kind: "invitation" | "reset"; token: string };

/** @param hash as `location.hash` @returns null when it has no token */
export function parseOneTimeLink(hash: string): OneTimeLink | null {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("token");
  // The token's prefix tells its purpose: ecp_ password, eci_ invitation.
  return token ? { kind: token.startsWith("ecp_") ? "reset" : "invitation", token } : null;
}
