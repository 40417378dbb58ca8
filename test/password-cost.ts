// The low password hash cost that the worker tests build with instead of src/accounts/passwords/password-cost.ts.
export const SCRYPT = { N: 16, r: 8, p: 1 } as const;
/** At this cost a hundred times as many could wait as long. */
export const HASH_QUEUE = { all: 80, notStaff: 75, unknown: 70, known: 65, perCaller: 60 } as const;
