// Quiet hours at every clock change: they end once, never in the past, and hold back nothing urgent.
import { describe, expect, it } from "vitest";
import { type QuietHours, quietUntil } from "../../src/notifications/preferences/quiet-hours.ts";

const NIGHT: QuietHours = { quietFrom: 22 * 60, quietUntil: 6 * 60, timeZone: "Asia/Kolkata" };
const at = (time: string) => Date.parse(time);
const until = (quiet: QuietHours, now: string, zone: string | null = null) => {
  const end = quietUntil("normal", quiet, zone, at(now));
  return end === null ? null : new Date(end).toISOString();
};

describe("quiet hours", () => {
  it.each([
    ["2026-11-30T16:29:59.999Z", null],
    ["2026-11-30T16:30:00.000Z", "2026-12-01T00:30:00.000Z"],
    ["2026-11-30T18:29:59.000Z", "2026-12-01T00:30:00.000Z"],
    ["2026-11-30T18:30:00.000Z", "2026-12-01T00:30:00.000Z"],
    ["2026-12-01T00:29:59.999Z", "2026-12-01T00:30:00.000Z"],
    ["2026-12-01T00:30:00.000Z", null],
  ])("at %s end %s", (now, end) => expect(until(NIGHT, now)).toBe(end));

  it("within one day end on it", () => {
    const noon = { ...NIGHT, quietFrom: 12 * 60, quietUntil: 13 * 60, timeZone: "UTC" };
    expect(until(noon, "2026-11-30T12:30:00Z")).toBe("2026-11-30T13:00:00.000Z");
    expect(until(noon, "2026-11-30T13:00:00Z")).toBeNull();
    expect(until(noon, "2026-11-30T11:59:59Z")).toBeNull();
  });

  it("hold back neither alarms nor matters of security", () => {
    for (const priority of ["alarm", "security"] as const)
      expect(quietUntil(priority, NIGHT, null, at("2026-11-30T20:00:00Z"))).toBeNull();
  });

  it("are of the hospital's zone unless the person chose one, and of UTC where nobody knows the zone", () => {
    const own = { ...NIGHT, timeZone: null };
    expect(until(own, "2026-11-30T20:00:00Z", "Asia/Kolkata")).toBe("2026-12-01T00:30:00.000Z");
    expect(until(own, "2026-11-30T23:00:00Z")).toBe("2026-12-01T06:00:00.000Z");
    expect(until({ ...NIGHT, timeZone: "Mars/Olympus" }, "2026-11-30T20:00:00Z", "Asia/Kolkata")).toBe(
      "2026-12-01T00:30:00.000Z",
    );
    expect(until({ ...NIGHT, timeZone: "../../etc/passwd" }, "2026-11-30T23:00:00Z", "")).toBe("2026-12-01T06:00:00.000Z");
  });

  it("do not exist without both ends, or with equal ones", () => {
    for (const quiet of [
      { ...NIGHT, quietFrom: null },
      { ...NIGHT, quietUntil: null },
      { ...NIGHT, quietUntil: 22 * 60 },
    ])
      expect(until(quiet, "2026-11-30T20:00:00Z")).toBeNull();
  });

  it("end after the gap when the clocks are set forward over their end", () => {
    // New York, 8 March 2026: 02:00 becomes 03:00 at 07:00 UTC.
    const quiet = { quietFrom: 22 * 60, quietUntil: 150, timeZone: "America/New_York" };
    expect(until(quiet, "2026-03-08T06:59:00Z")).toBe("2026-03-08T07:00:00.000Z");
    expect(until(quiet, "2026-03-08T07:00:00Z")).toBeNull();
  });

  it("end once when the clocks are set back over their end", () => {
    // New York, 1 November 2026: 02:00 becomes 01:00 at 06:00 UTC, so that 01:30 comes at 05:30 and at 06:30 UTC.
    const quiet = { quietFrom: 22 * 60, quietUntil: 90, timeZone: "America/New_York" };
    expect(until(quiet, "2026-11-01T05:00:00Z")).toBe("2026-11-01T05:30:00.000Z");
    expect(until(quiet, "2026-11-01T05:30:00Z")).toBeNull();
    expect(until(quiet, "2026-11-01T06:10:00Z")).toBeNull();
  });

  it("survive a day that a zone leaves out", () => {
    // Apia had no 30 December 2011.
    const quiet = { ...NIGHT, timeZone: "Pacific/Apia" };
    expect(until(quiet, "2011-12-30T09:00:00Z")).toBe("2011-12-30T10:00:00.000Z");
    expect(until(quiet, "2011-12-30T10:00:00Z")).toBe("2011-12-30T16:00:00.000Z");
  });

  it.each(["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "America/St_Johns"])(
    "end at their local time on every day of two years in %s",
    (timeZone) => {
      const quiet = { ...NIGHT, timeZone };
      const clock = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
      let ends = 0;
      for (let now = at("2026-01-01T00:00:00Z"); now < at("2028-01-01T00:00:00Z"); now += 3 * 3_600_000 + 17 * 60_000) {
        const end = quietUntil("normal", quiet, null, now);
        const [hour = 0] = clock.format(now).split(":").map(Number);
        expect(end !== null, `${timeZone} ${new Date(now).toISOString()}`).toBe(hour >= 22 || hour < 6);
        if (end === null) continue;
        ends++;
        expect(clock.format(end)).toBe("06:00");
        expect(end - now).toBeGreaterThan(0);
        expect(end - now).toBeLessThanOrEqual(9 * 3_600_000);
        expect(quietUntil("normal", quiet, null, end)).toBeNull();
      }
      expect(ends).toBeGreaterThan(1_000);
    },
  );
});
