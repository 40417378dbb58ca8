// Calendar days and wall times of every time zone: the first instant of a day, where clocks change too, and the way back.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addDays,
  dayInZone,
  endOfDayIso,
  formatWallTime,
  isDateString,
  listWallTimes,
  parseWallTime,
  startOfDay,
} from "../../portal/src/platform/design/calendar-days.ts";

const ZONES = Intl.supportedValuesOf("timeZone");
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const dates = fc
  .date({ min: new Date("1900-01-02T00:00:00Z"), max: new Date("2037-12-30T00:00:00Z"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

/** Days on which the clocks of the zone change in this year, and the days after them: by the offsets at noon. */
function daysOfChange(zone: string, year: number): string[] {
  const offset = (at: number) => Date.parse(`${formatWallTime(at, zone)}:00Z`) - at;
  const found: string[] = [];
  for (let week = Date.UTC(year, 0, 1, 12); week < Date.UTC(year + 1, 0, 1); week += 7 * DAY_MS) {
    if (offset(week) === offset(week + 7 * DAY_MS)) continue;
    for (let noon = week; noon < week + 7 * DAY_MS; noon += DAY_MS)
      if (offset(noon) !== offset(noon + DAY_MS)) found.push(dayInZone(noon, zone), addDays(dayInZone(noon, zone)));
  }
  return found;
}

const localDates = new Map<string, Intl.DateTimeFormat>();
/** Independent of the code under test: the local date by Intl alone. */
function localDate(at: number, zone: string): string {
  const format =
    localDates.get(zone) ??
    new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  localDates.set(zone, format);
  return format.format(at);
}

function expectFirstInstant(day: string, zone: string): void {
  const start = startOfDay(day, zone);
  const where = `${day} in ${zone}: ${new Date(start).toISOString()}`;
  // A zone may skip a day; then it is the first of the next one.
  expect(localDate(start, zone) >= day, where).toBe(true);
  expect(localDate(start - 1, zone) < day, where).toBe(true);
}

describe("the start of a day", () => {
  it("is its first instant, in every zone on any date", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), dates, (zone, day) => expectFirstInstant(day, zone)),
      { numRuns: 1_000 },
    );
  });

  it("is its first instant in every zone on the days on which the clocks change", () => {
    const changes = ZONES.flatMap((zone) =>
      [2011, 2026].flatMap((year) => daysOfChange(zone, year).map((day) => ({ zone, day }))),
    );
    expect(changes.length).toBeGreaterThan(500);
    for (const { zone, day } of changes) expectFirstInstant(day, zone);
  });

  it.each([
    ["Europe/Berlin", "2026-03-29", 23],
    ["Europe/Berlin", "2026-10-25", 25],
    ["Europe/Berlin", "2026-10-26", 24],
    ["Australia/Lord_Howe", "2026-04-05", 24.5],
    ["Australia/Lord_Howe", "2026-10-04", 23.5],
    // Clocks change at midnight: the day begins at one o'clock.
    ["Africa/Cairo", "2026-04-24", 23],
    ["America/Sao_Paulo", "2018-11-04", 23],
    ["America/Havana", "2026-11-01", 25],
    // Samoa crossed the date line.
    ["Pacific/Apia", "2011-12-29", 24],
    ["Pacific/Apia", "2011-12-30", 0],
    ["Pacific/Apia", "2011-12-31", 24],
    ["Asia/Kolkata", "2026-11-21", 24],
    ["Asia/Kathmandu", "1986-01-01", 23.75],
  ])("%s, %s has %d hours", (zone, day, hours) => {
    expect((Date.parse(endOfDayIso(day, zone)) - startOfDay(day, zone)) / HOUR_MS).toBe(hours);
  });

  it.each([
    ["Asia/Kolkata", "2026-11-21", "2026-11-20T18:30:00.000Z"],
    ["Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00.000Z"],
    ["Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z"],
    ["Africa/Monrovia", "1970-06-01", "1970-06-01T00:44:30.000Z"],
    ["Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00:00.000Z"],
    ["Pacific/Pago_Pago", "2026-01-01", "2026-01-01T11:00:00.000Z"],
  ])("%s, %s is %s", (zone, day, instant) => {
    expect(new Date(startOfDay(day, zone)).toISOString()).toBe(instant);
  });
});

describe("a wall time", () => {
  it("reads back as the instant that it was shown for, to the minute", () => {
    const instants = fc.date({ min: new Date("1980-01-01"), max: new Date("2037-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), instants, (zone, instant) => {
        const shown = formatWallTime(instant.getTime(), zone);
        const read = parseWallTime(shown, zone);
        expect(read).not.toBeNull();
        expect(formatWallTime(Date.parse(read ?? ""), zone)).toBe(shown);
        // In the repeated hour the first is meant: never later than the instant.
        expect(Date.parse(read ?? "")).toBeLessThanOrEqual(instant.getTime());
      }),
      { numRuns: 1_000 },
    );
  });

  it("that the clocks skip is none", () => {
    expect(parseWallTime("2026-03-29T02:30", "Europe/Berlin")).toBeNull();
    expect(parseWallTime("2026-03-29T03:00", "Europe/Berlin")).toBe("2026-03-29T01:00:00.000Z");
    expect(parseWallTime("2026-10-25T02:30", "Europe/Berlin")).toBe("2026-10-25T00:30:00.000Z");
    expect(parseWallTime("2026-02-30T10:00", "Asia/Kolkata")).toBeNull();
  });
});

it("dates that do not exist are none", () => {
  expect(["2026-02-28", "2026-02-29", "2024-02-29", "2026-04-31", "2026-1-1"].map(isDateString)).toEqual([
    true,
    false,
    true,
    false,
    false,
  ]);
  expect(addDays("2026-02-28")).toBe("2026-03-01");
});

describe("ticks of a time axis", () => {
  const ticks = (from: string, hours: number, stepHours: number, zone: string) => {
    const at = Date.parse(from);
    const found = listWallTimes({ from: at, to: at + hours * HOUR_MS }, stepHours * HOUR_MS, zone);
    return found.map((tick) => formatWallTime(tick, zone).slice(5));
  };

  it("are round times of the zone, whatever its offset", () => {
    expect(ticks("2026-11-21T00:00:00Z", 6, 2, "Asia/Kolkata")).toEqual(["11-21T06:00", "11-21T08:00", "11-21T10:00"]);
    expect(ticks("2026-11-21T00:00:00Z", 48, 24, "Asia/Kathmandu")).toEqual(["11-22T00:00", "11-23T00:00"]);
  });

  it("stay round on days of 23 and 25 hours, and each is there once", () => {
    const night = ["03-29T00:00", "03-29T01:00", "03-29T03:00", "03-29T04:00"];
    expect(ticks("2026-03-28T23:00:00Z", 3, 1, "Europe/Berlin")).toEqual(night);
    expect(ticks("2026-10-24T22:00:00Z", 5, 2, "Europe/Berlin")).toEqual(["10-25T00:00", "10-25T02:00", "10-25T04:00"]);
    expect(ticks("2026-10-24T22:00:00Z", 49, 24, "Europe/Berlin")).toEqual(["10-25T00:00", "10-26T00:00", "10-27T00:00"]);
  });
});
