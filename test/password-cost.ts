// The low password hash cost that the worker tests build with instead of src/accounts/passwords/password-cost.ts.
export const SCRYPT = { N: 16, r: 8, p: 1 } as const;
