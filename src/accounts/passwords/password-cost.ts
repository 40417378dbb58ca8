// The cost of a password hash: scrypt with N=2^14, r=8, p=5, as the OWASP Password Storage Cheat Sheet recommends.

/** A module of its own, so that a test project can replace it at build time; no setting of a deployment changes it. */
export const SCRYPT = { N: 16_384, r: 8, p: 5 } as const;
