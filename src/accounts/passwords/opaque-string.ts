// The OpaqueString profile of RFC 8265, section 4.2: one form of a password for every keyboard and input method.

/**
 * Controls, private use, unassigned code points and lone surrogates. Joiners and variation selectors are allowed, unlike in the
 * RFC: Indic scripts and emoji contain them.
 */
const DISALLOWED = /[\p{Cc}\p{Co}\p{Cn}\p{Cs}]/u;

/** Spaces of every kind become U+0020, then NFC; case and width are kept, and nothing is trimmed. */
export function toOpaqueString(password: string): string {
  return password.replace(/\p{Zs}/gu, " ").normalize("NFC");
}

/** False for a new password that another keyboard or a later Unicode version could read differently. */
export function isOpaqueString(password: string): boolean {
  return !DISALLOWED.test(password);
}
