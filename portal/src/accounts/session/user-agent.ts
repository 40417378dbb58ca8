// What a browser calls itself, in the words that people know it by. It may say anything: this is a hint, and no proof.

/** The first that is named wins: browsers also name those whose pages they can show. */
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

/** "Firefox, Windows"; null where nothing is known. */
export function describeUserAgent(userAgent: string | null): string | null {
  if (userAgent === null) return null;
  const findName = (names: readonly (readonly [string, string])[]) => names.find(([word]) => userAgent.includes(word))?.[1];
  const parts = [findName(BROWSERS), findName(SYSTEMS)].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : userAgent.slice(0, 60);
}
