// Browser and operating system in words, from the User-Agent header: a hint that the client can forge.
import Bowser from "bowser";

export type ClientNames = { browser: string | null; system: string | null };

/** @param userAgent at most 200 characters, as stored with a session  @returns null for what is not recognized */
export function nameClient(userAgent: string | null): ClientNames {
  if (!userAgent) return { browser: null, system: null };
  const { browser, os } = Bowser.parse(userAgent);
  return { browser: browser.name || null, system: os.name || null };
}

/** What stays the same when a client is updated: its names, or its header without version numbers. */
export function clientKind(userAgent: string | null): string {
  const { browser, system } = nameClient(userAgent);
  return browser && system ? `${browser} ${system}` : (userAgent ?? "").replace(/[\d.]+/g, "");
}

/** "Chrome, Linux"; null when nothing is recognized. @param userAgent the User-Agent header */
export function describeClient(userAgent: string | undefined): string | null {
  const { browser, system } = nameClient(userAgent?.slice(0, 200) ?? null);
  return [browser, system].filter((name) => name !== null).join(", ") || null;
}
