// The form of an e-mail address, before the service checks it.

/** At least something on both sides of an at sign, and a dot in the domain. */
export const isAddress = (email: string): boolean => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email.trim());
