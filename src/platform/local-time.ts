// Local times of a time zone as instants: none in the gap of a clock change, two in the overlap. Has no imports: the portal uses it too.

const DAY_MS = 86_400_000;

/** `gap`: clocks were set forward over this time; `overlap`: they were set back, so it came twice. */
export type LocalInstant = { at: number } | { unclear: "gap" | "overlap" };

/** Whether it is an IANA name. Intl also takes offsets such as +05:30, which are excluded here. */
export function isTimeZone(name: string): boolean {
  try {
    return /^[A-Z]/.test(name) && new Intl.DateTimeFormat("en", { timeZone: name }) !== null;
  } catch {
    return false;
  }
}

/** One is slow to make. A name may be spelled in many ways, so their number is bounded. */
const formats = new Map<string | undefined, Intl.DateTimeFormat>();
const MAX_FORMATS = 1_000;

/** @throws {RangeError} for a zone that the runtime does not know */
function getFormat(zone: string | undefined): Intl.DateTimeFormat {
  const kept = formats.get(zone);
  if (kept) return kept;
  const format = new Intl.DateTimeFormat("en-GB", {
    ...(zone && { timeZone: zone }),
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  if (formats.size >= MAX_FORMATS) formats.clear();
  formats.set(zone, format);
  return format;
}

/** Offset of the zone from UTC at that instant, ms. @param zone IANA name; undefined: the system's */
export function zoneOffsetMs(at: number, zone: string | undefined): number {
  const parts = getFormat(zone).formatToParts(new Date(at));
  const part = (type: string) => Number(parts.find((found) => found.type === type)?.value);
  const localMs = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return localMs - Math.floor(at / 1000) * 1000;
}

/** @param local the local time read as if it were UTC, Unix ms */
export function toInstant(local: number, zone: string | undefined): LocalInstant {
  // A zone changes its clocks at most once in two days, so that one of these offsets holds.
  const offsets = new Set([zoneOffsetMs(local - DAY_MS, zone), zoneOffsetMs(local + DAY_MS, zone)]);
  const instants = [...offsets].map((offset) => local - offset).filter((at) => at + zoneOffsetMs(at, zone) === local);
  const [at] = instants;
  if (at === undefined) return { unclear: "gap" };
  return instants.length > 1 ? { unclear: "overlap" } : { at };
}
