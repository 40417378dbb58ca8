// Links that stand for a password once. What they carry stands behind the #: no server, proxy or log along the way is sent it.

export type OneTimeLink = { kind: "invitation" | "reset"; token: string };

/** @param hash as `location.hash` @returns null where it carries nothing */
export function parseOneTimeLink(hash: string): OneTimeLink | null {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("token");
  // The token itself says what it is for: ecp_ a password, eci_ an invitation.
  return token ? { kind: token.startsWith("ecp_") ? "reset" : "invitation", token } : null;
}
