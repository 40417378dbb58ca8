// The cost of a password hash: scrypt with N=2^14, r=8, p=5, as the OWASP Password Storage Cheat Sheet recommends.

/** A separate module, so that a test project can replace it at build time; no deployment setting changes it. */
export const SCRYPT = { N: 16_384, r: 8, p: 5 } as const;

/**
 * Places of an isolate's hash queue: in all, for all who are not staff, for callers who are not known, for known callers who are not
 * staff, and for one caller. A hash takes 160 ms and a pause of the same length follows, so the last of 16 waits five seconds.
 */
export const HASH_QUEUE = { all: 16, notStaff: 13, unknown: 10, known: 6, perCaller: 4 } as const;
