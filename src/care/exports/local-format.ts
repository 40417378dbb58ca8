// Times and dates of exported documents, in the language of the document and the time zone of the hospital.

const LATIN_DIGITS = "-u-nu-latn";
const locale = (language: string) => `${language}-IN${LATIN_DIGITS}`;

export type LocalFormat = {
  /** With the zone, since a document leaves the hospital. */
  time(at: number | string): string;
  /** Of a date of birth, which may be a year or a month alone. */
  birthDate(date: string): string;
  number(value: number): string;
};

/** @param zone an IANA name that the hospital's schema has checked */
export function localFormat(language: string, zone: string): LocalFormat {
  const time = new Intl.DateTimeFormat(locale(language), {
    timeZone: zone,
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
  });
  const day = new Intl.DateTimeFormat(locale(language), { timeZone: "UTC", day: "numeric", month: "long", year: "numeric" });
  const number = new Intl.NumberFormat(locale(language), { maximumFractionDigits: 2 });
  return {
    time: (at) => time.format(new Date(at)),
    birthDate: (date) => (/^\d{4}-\d{2}-\d{2}$/.test(date) ? day.format(new Date(date)) : date),
    number: (value) => number.format(value),
  };
}

/** The calendar day of an instant in a zone, as `2026-11-30`. */
export function localDay(at: number, zone: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  return parts.format(new Date(at));
}
