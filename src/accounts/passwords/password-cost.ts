// The cost of a password hash: scrypt with N=2^14, r=8, p=5, as the OWASP Password Storage Cheat Sheet recommends.

/** A separate module, so that a test project can replace it at build time; no deployment setting changes it. */
export const SCRYPT = { N: 16_384, r: 8, p: 5 } as const;
