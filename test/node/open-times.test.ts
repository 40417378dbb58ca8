// Open times of a practitioner on days on which clocks change, against a walk in steps of five minutes by Intl alone.
import { describe, expect, it } from "vitest";
import { mulberry32, uniformIntegerBetween } from "../../cli/random.ts";
import {
  findOpenTime,
  openTimes,
  type Plan,
  type Schedule,
  type ScheduleException,
} from "../../src/care/availability/open-times.ts";
import { zoneOffsetMs } from "../../src/platform/local-time.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

const schedule = (change: Partial<Schedule> = {}): Schedule => ({
  id: "s",
  practitionerId: "p",
  locationId: null,
  weekly: [
    [1, 540, 1020],
    [2, 540, 1020],
    [3, 540, 1020],
    [4, 540, 1020],
    [5, 540, 1020],
    [6, 0, 1440],
    [7, 0, 1440],
  ],
  validFrom: null,
  validUntil: null,
  slotMinutes: 30,
  bufferBefore: 0,
  bufferAfter: 0,
  bookableBy: "patients",
  ...change,
});
const exception = (kind: ScheduleException["kind"], fromAt: number, untilAt: number): ScheduleException => ({
  ...{ id: "e", practitionerId: kind === "closed" ? null : "p", locationId: null, kind },
  ...{ fromAt, untilAt },
});
const plan = (schedules: Schedule[], exceptions: ScheduleException[] = []): Plan => ({ schedules, exceptions });
const show = (plan: Plan, zone: string, from: string, until: string) =>
  openTimes(plan, zone, Date.parse(from), Date.parse(until)).map(({ start, end }) => [
    new Date(start).toISOString().slice(0, 16),
    new Date(end).toISOString().slice(0, 16),
  ]);

describe("open times", () => {
  it.each([
    // Berlin: clocks back on 25 October 2026 at 03:00, forward on 29 March 2026 at 02:00.
    ["Europe/Berlin", "2026-10-24T22:00Z", "2026-10-25T23:00Z", 25],
    ["Europe/Berlin", "2026-03-28T23:00Z", "2026-03-29T22:00Z", 23],
    ["America/New_York", "2026-11-01T04:00Z", "2026-11-02T05:00Z", 25],
    // Lord Howe: clocks change by half an hour.
    ["Australia/Lord_Howe", "2026-04-04T13:00Z", "2026-04-05T13:30Z", 24.5],
    ["Asia/Kolkata", "2026-10-24T18:30Z", "2026-10-25T18:30Z", 24],
  ])("of a whole Sunday in %s last as long as the day", (zone, from, until, hours) => {
    const [open, ...more] = openTimes(plan([schedule()]), zone, Date.parse(from), Date.parse(until));
    expect(more).toEqual([]);
    expect(open && (open.end - open.start) / 3_600_000).toBe(hours);
  });

  it("of an hour that the clocks leave out are none, and begin at the first of two equal times", () => {
    const nightly = plan([schedule({ weekly: [[7, 150, 210]] })]);
    const within = plan([schedule({ weekly: [[7, 130, 170]] })]);
    expect(show(within, "Europe/Berlin", "2026-03-28T00:00Z", "2026-03-30T00:00Z")).toEqual([]);
    const longer = plan([schedule({ weekly: [[7, 150, 240]] })]);
    expect(show(longer, "Europe/Berlin", "2026-03-28T00:00Z", "2026-03-30T00:00Z")).toEqual([
      ["2026-03-29T01:00", "2026-03-29T02:00"],
    ]);
    expect(show(nightly, "Europe/Berlin", "2026-10-24T00:00Z", "2026-10-26T00:00Z")).toEqual([
      ["2026-10-25T00:30", "2026-10-25T02:30"],
    ]);
  });

  it("leave out leave and closures, and have extra times", () => {
    const at = (time: string) => Date.parse(`2026-12-01T${time}Z`);
    const exceptions = [
      exception("leave", at("10:00"), at("11:00")),
      exception("closed", at("16:00"), at("20:30")),
      exception("extra", at("20:00"), at("22:00")),
    ];
    expect(show(plan([schedule()], exceptions), "UTC", "2026-12-01T00:00Z", "2026-12-02T00:00Z")).toEqual([
      ["2026-12-01T09:00", "2026-12-01T10:00"],
      ["2026-12-01T11:00", "2026-12-01T16:00"],
      ["2026-12-01T20:30", "2026-12-01T22:00"],
    ]);
    expect(findOpenTime(plan([schedule()], exceptions), "UTC", at("09:30"), at("10:30"))).toBeNull();
    expect(findOpenTime(plan([schedule()], exceptions), "UTC", at("09:30"), at("10:00"))).toMatchObject({ scheduleId: "s" });
  });

  it("hold within the dates of the schedule alone", () => {
    const limited = plan([schedule({ validFrom: "2026-12-02", validUntil: "2026-12-02" })]);
    expect(show(limited, "UTC", "2026-12-01T00:00Z", "2026-12-05T00:00Z")).toEqual([["2026-12-02T09:00", "2026-12-02T17:00"]]);
  });

  it.each(["Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])(
    "in %s are those that a walk by Intl finds",
    (zone) => {
      const random = mulberry32(zone.length);
      for (let round = 0; round < 6; round++) {
        const from = Date.UTC(2026, uniformIntegerBetween(random, 0, 11), uniformIntegerBetween(random, 1, 28));
        const until = from + 3 * DAY;
        const start = uniformIntegerBetween(random, 4, 18) * 60;
        const weekly = [1, 2, 3, 4, 5, 6, 7].map((day): [number, number, number] => [day, start, start + 240]);
        const found = openTimes(plan([schedule({ weekly })]), zone, from, until);
        for (let at = from; at < until; at += 5 * MINUTE) {
          const local = new Date(at + zoneOffsetMs(at, zone));
          const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
          const isOpen = found.some((open) => open.start <= at && at < open.end);
          if (isOpen !== (start <= minute && minute < start + 240)) throw new Error(`${zone} ${new Date(at).toISOString()}`);
        }
      }
    },
  );
});
