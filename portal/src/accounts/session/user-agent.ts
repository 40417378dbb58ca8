// Readable browser name from the User-Agent header: a hint that the client can forge.

/** The first match wins: browsers also name others that they are compatible with. */
const BROWSERS = [
  ["Edg", "Edge"],
  ["OPR", "Opera"],
  ["SamsungBrowser", "Samsung Internet"],
  ["Firefox", "Firefox"],
  ["HeadlessChrome", "Chrome"],
  ["Chrome", "Chrome"],
  ["Safari", "Safari"],
  ["curl", "curl"],
] as const;
const SYSTEMS = [
  ["Android", "Android"],
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Windows", "Windows"],
  ["Mac OS", "macOS"],
  ["CrOS", "ChromeOS"],
  ["Linux", "Linux"],
] as const;

/** "Firefox, Windows"; null when nothing is recognised. */
export function describeUserAgent(userAgent: string | null): string | null {
  if (userAgent === null) return null;
  const findName = (names: readonly (readonly [string, string])[]) => names.find(([word]) => userAgent.includes(word))?.[1];
  const parts = [findName(BROWSERS), findName(SYSTEMS)].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : userAgent.slice(0, 60);
}
