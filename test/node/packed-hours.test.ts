// Formats of packed hours: what is read equals what was written, and damage is an error.
import { describe, expect, it } from "vitest";
import {
  computeDailyValues,
  type DailyValue,
  packDailyValues,
  unpackDailyValues,
} from "../../src/monitoring/packed-hours/daily-values.ts";
import { formatHours, mergeVersions, parseHours } from "../../src/monitoring/packed-hours/month-file.ts";
import {
  firstHourOf,
  firstHourOfDay,
  firstKeptHour,
  HOURS_KEPT_DAYS,
  listMonths,
  mayBePacked,
  toDay,
  toMonth,
} from "../../src/monitoring/packed-hours/months.ts";
import { HOT_RETENTION_MS } from "../../src/monitoring/patient-object/samples/archive.ts";
import { MAX_SAMPLE_AGE_MS } from "../../src/platform/device-times.ts";
import { createRandom } from "./alerts-randomness.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

describe("daily values", () => {
  const read = (values: DailyValue[]) => unpackDailyValues(packDailyValues(values));

  it("are read as written, whatever their size and precision", () => {
    const { next: random } = createRandom(7);
    const numbers = [0, -0, 1, -1, 36.6, 0.1 + 0.2, 1e-9, -273.15, 2 ** 50, -(2 ** 50), 2 ** 53, 1e300, 0.001, 123_456.789];
    for (let run = 0; run < 500; run++) {
      const pick = () =>
        random() < 0.5 ? (numbers[Math.floor(random() * numbers.length)] ?? 0) : Math.round(random() * 1e6) / 10;
      const values = ["8867-4", "ä|x", "z".repeat(64)].slice(0, Math.floor(random() * 4)).flatMap((code) =>
        Array.from({ length: 31 }, (_, i) => i)
          .filter((i) => i === 0 || random() < 0.6)
          .map((i) => ({
            ...{ day: 20_000 + i, code },
            ...{ count: Math.floor(random() * 1e6), min: pick(), max: pick(), sum: pick() },
          })),
      );
      expect(read(values)).toEqual(values);
    }
  });

  it("of five vitals and 30 days take less than 900 bytes", () => {
    const { next: random } = createRandom(3);
    const vitals = [
      ["8867-4", 75, 20, 1],
      ["2708-6", 96, 3, 1],
      ["9279-1", 16, 5, 1],
      ["8310-5", 36.8, 0.6, 10],
      ["55423-8", 60, 60, 1],
    ] as const;
    const values = vitals.flatMap(([code, mean, spread, factor]) =>
      Array.from({ length: 30 }, (_, i) => {
        const round = (value: number) => Math.round(value * factor) / factor;
        const [min, max] = [round(mean - spread * random()), round(mean + spread * random())];
        return { day: 20_000 + i, code, count: 1440, min, max, sum: round(1440 * mean + 2000 * random()) };
      }),
    );
    const { length } = packDailyValues(values);
    expect(length).toBeLessThan(900);
  });

  it("are the sums of their hours", () => {
    const hour = (at: number, stats: object) => ({ hour: at, version: 1, stats: JSON.stringify(stats) });
    const first = firstHourOfDay(20_000);
    expect(
      computeDailyValues([
        hour(first, { b: [1, 5, 5, 5, 5, 0], a: [2, 1, 3, 4, 3, 9] }),
        hour(first + 23, { a: [1, 0.1, 0.1, 0.1, 0.1, 0] }),
        hour(first + 24, { a: [1, 7, 7, 7, 7, 0] }),
        hour(first + 25, {}),
      ]),
    ).toEqual([
      { day: 20_000, code: "a", count: 3, min: 0.1, max: 3, sum: 4.1 },
      { day: 20_001, code: "a", count: 1, min: 7, max: 7, sum: 7 },
      { day: 20_000, code: "b", count: 1, min: 5, max: 5, sum: 5 },
    ]);
  });

  it("that are cut off or of another format are an error", () => {
    const bytes = packDailyValues([{ day: 20_000, code: "8867-4", count: 3, min: 1, max: 2, sum: 1e-9 }]);
    for (let end = 2; end < bytes.length; end++) expect(() => unpackDailyValues(bytes.slice(0, end))).toThrow("integrity");
    expect(() => unpackDailyValues(new Uint8Array([9]))).toThrow("integrity");
  });
});

describe("the hours of a file", () => {
  const hours = [
    { hour: 480_000, version: 3, stats: '{"8867-4":[1,60,60,60,60,0]}' },
    { hour: 480_001, version: 12, stats: "{}" },
    { hour: 480_002, version: 5, stats: '{"a b\\n":[1,-1.5,60,60,60,0]}' },
  ];

  it("are read as written; another text is an error", () => {
    expect(parseHours(formatHours(hours))).toEqual(hours);
    for (const text of ["", "hours 2", "hours 1\n1 2", "hours 1\nx 1 {}"]) expect(() => parseHours(text)).toThrow("integrity");
  });

  it("are merged with others by version, in order", () => {
    const corrected = { hour: 480_001, version: 13, stats: '{"c":[1,1,1,1,1,0]}' };
    const late = { hour: 480_000, version: 2, stats: "{}" };
    expect(mergeVersions(hours.toReversed(), [corrected, late])).toEqual([hours[0], corrected, hours[2]]);
  });
});

describe("the calendar", () => {
  it("counts months in UTC, also at their borders", () => {
    for (let month = 600; month < 800; month++) {
      const first = firstHourOf(month);
      expect([toMonth(first - 1), toMonth(first), toMonth(firstHourOf(month + 1) - 1)]).toEqual([month - 1, month, month]);
    }
    expect(listMonths({ from: firstHourOf(671) - 1, to: firstHourOf(672) })).toEqual([670, 671]);
    const year = firstHourOf(671) + 24 * 14;
    expect(listMonths({ from: year, to: year + 366 * 24 })).toHaveLength(13);
  });

  it("keeps whole days, longer than samples may be late and blocks are in the object", () => {
    const now = Date.parse("2026-11-30T10:20:00Z");
    expect(new Date(firstKeptHour(now) * HOUR_MS).toISOString()).toBe("2026-10-01T00:00:00.000Z");
    expect(toDay(firstKeptHour(now)) * 24).toBe(firstKeptHour(now));
    expect(mayBePacked(firstKeptHour(now + DAY_MS) - 1, now)).toBe(true);
    expect(mayBePacked(firstKeptHour(now + DAY_MS), now)).toBe(false);
    expect(HOURS_KEPT_DAYS * DAY_MS).toBeGreaterThan(Math.max(MAX_SAMPLE_AGE_MS, HOT_RETENTION_MS) + DAY_MS);
  });
});
