// Outcome of an incoming item: stored, stored as invalid, set aside or rejected, each for its documented reason.
import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CODES, findVital, roundHalfUp, VITALS } from "../../src/monitoring/vitals/catalogue.ts";
import type { Sample } from "../../src/monitoring/vitals/model.ts";
import {
  crossCheckPressures,
  parseInstant,
  type ValidationResult,
  validateSample,
} from "../../src/monitoring/vitals/sample-validation.ts";
import { toWearableItems } from "../../src/monitoring/vitals/wearables.ts";
import { absent } from "../shared-data.ts";

const NOW = Date.parse("2026-03-04T05:06:07Z");
const CLOCK = { received: NOW, skewMs: null };
const PULSE = { code: CODES.heart_rate, value: 72, unit: "/min", effective_at: "2026-03-04T05:06:00Z" };

const judged = (change: Record<string, unknown>, clock: { received: number; skewMs: number | null } = CLOCK) =>
  validateSample({ ...PULSE, ...change }, clock);
const of = (code: string, value: unknown, unit: string) => judged({ code, value, unit });
/** Value, status and note; or the reason for which it was not stored. */
function outcome(result: ValidationResult) {
  if (!result.ok) return `${result.status}: ${result.reason}`;
  return [result.sample.value, result.sample.status, result.note ?? "as it is"].join(" ");
}

describe("an item", () => {
  test("is kept whole", () => {
    expect(judged({ seq: 7 })).toEqual({
      ok: true,
      sample: { code: "8867-4", value: 72, unit: "/min", at: NOW - 7000, seq: 7, status: "final" },
    });
  });

  test("in the catalogue's unit has the value of its first twelve digits", () => {
    const vital = findVital(CODES.temperature);
    const nearby = (n: number) => [n, n + 2 ** -47, n - 2 ** -47];
    const values = Array.from({ length: 2_000 }, (_, i) => 25 + i / 100).flatMap(nearby);
    for (const value of values) {
      const expected = roundHalfUp(Number(value.toPrecision(12)), vital?.decimals ?? 0);
      expect(of(CODES.temperature, value, "Cel")).toMatchObject({ ok: true, sample: { value: expected } });
    }
  });

  test.each([null, undefined, 1, "72", [], [PULSE], true])("that is %j is no item", (item) => {
    expect(outcome(validateSample(item, CLOCK))).toBe("rejected: item_invalid");
  });

  test("is refused with words that a person can act on", () => {
    const result = judged({ value: "72" });
    expect(result).toMatchObject({ ok: false, message: expect.stringContaining("JSON number") });
  });

  test("with several faults is rejected for one that cannot be read before it is set aside", () => {
    expect(outcome(judged({ unit: "furlong", effective_at: "today" }))).toBe("rejected: effective_at_invalid");
  });
});

describe("a value", () => {
  test.each([
    ["72"],
    ["72bpm"],
    [""],
    [null],
    [undefined],
    [true],
    [[72]],
    [{}],
    [Number.NaN],
    [JSON.parse("1e400")],
    [Number.NEGATIVE_INFINITY],
    [1.01e15],
    [-1.7e308],
  ])("%j is no number", (value) => {
    expect(outcome(judged({ value }))).toBe("rejected: value_not_a_number");
  });

  test("nothing at all is a value and alarms", () => {
    for (const code of [CODES.heart_rate, CODES.spo2, CODES.respiratory_rate, CODES.systolic, CODES.diastolic, CODES.etco2]) {
      expect(outcome(of(code, 0, findVital(code)?.unit ?? ""))).toBe("0 final as it is");
    }
  });

  test("-0 is 0, of known codes and of others", () => {
    for (const result of [of(CODES.heart_rate, -0, "/min"), of("EEG-BIS", -0, "1")]) {
      expect(result.ok && Object.is(result.sample.value, 0)).toBe(true);
    }
  });

  test("has the decimals of its vital", () => {
    expect(outcome(of(CODES.heart_rate, 72.0000001, "/min"))).toBe("72 final as it is");
    expect(outcome(of(CODES.heart_rate, 72.25, "/min"))).toBe("72.3 final as it is");
    expect(outcome(of(CODES.temperature, 36.005, "Cel"))).toBe("36.01 final as it is");
    expect(outcome(of(CODES.steps, 8000.4, "{steps}"))).toBe("8000 final as it is");
  });

  test("concerning is final, impossible is invalid", () => {
    expect(outcome(of(CODES.spo2, 84, "%"))).toBe("84 final as it is");
    expect(outcome(of(CODES.spo2, 104, "%"))).toBe("104 invalid implausible");
    expect(outcome(of(CODES.spo2, -1, "%"))).toBe("-1 invalid implausible");
    expect(outcome(of(CODES.heart_rate, -0.04, "/min"))).toBe("0 invalid implausible");
    for (const off of [0, 3, 22]) expect(outcome(of(CODES.temperature, off, "Cel"))).toBe(`${off} invalid implausible`);
  });

  test("at the ends of what is plausible is final, and beyond them never", () => {
    for (const { code, unit, plausible, decimals } of VITALS) {
      const step = 10 ** -decimals;
      for (const end of [plausible.min, plausible.max]) expect(outcome(of(code, end, unit))).toBe(`${end} final as it is`);
      for (const beyond of [plausible.min - step, plausible.max + step, -1e15, 1e15]) {
        expect(judged({ code, value: beyond, unit })).toMatchObject({ ok: true, sample: { status: "invalid" } });
      }
    }
  });

  test("beyond an end by less than its decimals is invalid, although it rounds to the end", () => {
    expect(outcome(of(CODES.spo2, 100.001, "%"))).toBe("100 invalid implausible");
    expect(outcome(of(CODES.spo2, 1.0, "1"))).toBe("100 final unit_converted");
  });

  test.each(["A", "C", "V", "P", "U"].map((letter, place) => [letter, place] as const))(
    "consciousness %s is %d",
    (letter, place) => {
      expect(outcome(of(CODES.consciousness, letter, "{ACVPU}"))).toBe(`${place} final as it is`);
      expect(outcome(of("80288-4", letter, "{score}"))).toBe(`${place} final as it is`);
      expect(outcome(of(CODES.heart_rate, letter, "/min"))).toBe("rejected: value_not_a_number");
    },
  );

  test.each([
    ["Alert", 0],
    ["ALERT", 0],
    ["a", 0],
    ["Confusion", 1],
    ["new confusion", 1],
    ["New-onset confusion", 1],
    ["confused", 1],
    ["voice", 2],
    ["Pain", 3],
    ["Unresponsive", 4],
    ["u", 4],
  ])("consciousness %j is %d", (word, place) => {
    expect(outcome(of(CODES.consciousness, word, "{ACVPU}"))).toBe(`${place} final as it is`);
    expect(outcome(of(CODES.heart_rate, word, "/min"))).toBe("rejected: value_not_a_number");
  });

  test.each(["X", "AC", "", " A", "alerted", "constructor", "Verbal", "C ".repeat(20)])(
    "consciousness %j is no level",
    (letter) => {
      expect(outcome(of(CODES.consciousness, letter, "{ACVPU}"))).toBe("rejected: value_not_a_number");
    },
  );

  test("between two letters is impossible", () => {
    expect(outcome(of(CODES.consciousness, 1.5, "{ACVPU}"))).toBe("2 invalid implausible");
    expect(outcome(of(CODES.consciousness, 5, "{ACVPU}"))).toBe("5 invalid implausible");
  });
});

describe("a unit", () => {
  test.each([undefined, null, "", " ", 1, "/min ", "x".repeat(33), "a\u0000b", "\u202e/min"])("%j is none", (unit) => {
    expect(outcome(judged({ unit }))).toBe("rejected: unit_invalid");
  });

  test.each(["Hz", "mmHg", "%", "BPM", "constructor", "__proto__"])("%s is not known for a pulse", (unit) => {
    expect(outcome(judged({ unit }))).toBe("quarantined: unit_unknown");
  });

  test("of another kind is converted, with a note", () => {
    expect(outcome(of(CODES.temperature, 98.6, "[degF]"))).toBe("37 final unit_converted");
    expect(outcome(of(CODES.systolic, 16, "kPa"))).toBe("120.01 final unit_converted");
    expect(outcome(of(CODES.glucose, 5.5, "mmol/L"))).toBe("99.1 final unit_converted");
    expect(outcome(of("15074-8", 5.5, "mmol/L"))).toBe("99.1 final unit_converted");
    expect(outcome(of(CODES.spo2, 0.97, "1"))).toBe("97 final unit_converted");
    expect(outcome(of(CODES.weight, 3500, "g"))).toBe("3.5 final unit_converted");
    expect(outcome(of(CODES.weight, 11, "[stone_av]"))).toBe("69.853 final unit_converted");
  });

  test("spelled otherwise is the same unit and says nothing", () => {
    expect(outcome(of(CODES.systolic, 120, "mmHg"))).toBe("120 final as it is");
    expect(outcome(of(CODES.heart_rate, 72, "bpm"))).toBe("72 final as it is");
  });

  test.each([
    [CODES.temperature, 98.6, "Cel", 98.6],
    [CODES.temperature, 37, "[degF]", 37],
    [CODES.spo2, 0.97, "%", 0.97],
    [CODES.spo2, 1, "%", 1],
    [CODES.spo2, 97, "1", 97],
    [CODES.glucose, 5, "mg/dL", 5],
    [CODES.glucose, 100, "mmol/L", 100],
    [CODES.glucose, 14.2, "{unknown}", 14.2],
    [CODES.systolic, 16, "mm[Hg]", 16],
    [CODES.systolic, 120, "kPa", 120],
    [CODES.diastolic, 10.6, "mm[Hg]", 10.6],
    [CODES.mean_pressure, 12, "mm[Hg]", 12],
    [CODES.inspired_oxygen, 0.4, "%", 0.4],
    [CODES.weight, 70, "g", 70],
    [CODES.weight, 3400, "kg", 3400],
    [CODES.etco2, 38, "kPa", 38],
    [CODES.sleep_minutes, 480, "h", 480],
  ])("%s of %d %s is suspect, and stays what it was said to be", (code, value, unit, kept) => {
    expect(outcome(of(code, value, unit))).toBe(`${kept} invalid unit_suspect`);
    expect(of(code, value, unit)).toMatchObject({ sample: { unit, isUnitSuspect: true } });
  });

  test("is not suspected of a body in great danger", () => {
    for (const value of [1.5, 40, 60]) expect(outcome(of(CODES.spo2, value, "%"))).toBe(`${value} final as it is`);
    for (const value of [0, 7, 26, 40]) expect(outcome(of(CODES.systolic, value, "mm[Hg]"))).toBe(`${value} final as it is`);
    for (const value of [3, 17, 30]) expect(outcome(of(CODES.diastolic, value, "mm[Hg]"))).toBe(`${value} final as it is`);
    for (const value of [5, 19, 40]) expect(outcome(of(CODES.mean_pressure, value, "mm[Hg]"))).toBe(`${value} final as it is`);
    for (const value of [15, 30]) expect(outcome(of(CODES.glucose, value, "mg/dL"))).toBe(`${value} final as it is`);
  });
});

describe("a code", () => {
  // Other letters and signs can look like a LOINC code, or like a key that is made from one.
  test.each([
    ...[undefined, null, "", 88674, " 8867-4", "x".repeat(65), "a\nb", "\u0007"],
    ...["8867-4!", "!8867-4", "8867 4", "8867-4-", "-8867", "8867\u20104", "\uff18867-4", "चीनी", "a,b", "a|b", "a%b"],
  ])("%j is none", (code) => {
    expect(outcome(judged({ code }))).toBe("rejected: code_invalid");
  });

  test("that means the same is kept under the catalogue's", () => {
    expect(judged({ code: "59408-5", value: 97, unit: "%" })).toMatchObject({ sample: { code: "2708-6", unit: "%" } });
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("%s is none: codes are keys", (code) => {
    expect(outcome(judged({ code, unit: "1" }))).toBe("rejected: code_invalid");
  });

  test.each([
    ["EEG-BIS", 43.123456789, "1"],
    ["constructors", 1, "toString"],
    ["MDC_ECG_HEART_RATE", -5, "चीनी"],
    ["urn:iso:11073/150456.a", 3, "mg/dL"],
    ["x".repeat(64), 1e15, "y".repeat(32)],
  ])("that the catalogue lacks is kept as the device said it: %s", (code, value, unit) => {
    expect(judged({ code, value, unit })).toEqual({
      ok: true,
      sample: { code, value, unit, at: NOW - 7000, seq: null, status: "final" },
    });
  });
});

describe("a time", () => {
  test.each([
    ["2026-03-04T05:06:00Z", "2026-03-04T05:06:00.000Z"],
    ["2026-03-04t05:06:00z", "2026-03-04T05:06:00.000Z"],
    ["2026-03-04T10:36:00+05:30", "2026-03-04T05:06:00.000Z"],
    ["2026-03-03T21:06:00-08:00", "2026-03-04T05:06:00.000Z"],
    ["2026-03-04T05:06:00.1Z", "2026-03-04T05:06:00.100Z"],
    ["2026-03-04T05:06:00.123999999Z", "2026-03-04T05:06:00.123Z"],
    ["2024-02-29T23:59:59-00:00", "2024-02-29T23:59:59.000Z"],
    ["2026-01-01T00:00:00+14:00", "2025-12-31T10:00:00.000Z"],
    ["2018-09-10 02:28:55 -0700", "2018-09-10T09:28:55.000Z"],
    ["2026-03-04 05:06:00Z", "2026-03-04T05:06:00.000Z"],
    ["2026-03-04T10:36:00+0530", "2026-03-04T05:06:00.000Z"],
    ["2026-03-04 10:36:00.250 +05:30", "2026-03-04T05:06:00.250Z"],
  ])("%s is %s", (text, utc) => {
    expect(new Date(parseInstant(text) ?? Number.NaN).toISOString()).toBe(utc);
  });

  test.each([
    "2026-03-04T05:06:00",
    "2026-03-04",
    "2026-03-04T05:06Z",
    "2026-03-04T05:06:60Z",
    "2026-06-30T23:59:60Z",
    "2026-02-29T05:06:00Z",
    "2026-02-30T05:06:00Z",
    "2026-13-01T05:06:00Z",
    "2026-00-01T05:06:00Z",
    "2026-03-00T05:06:00Z",
    "2026-03-04T24:00:00Z",
    "2026-03-04T05:60:00Z",
    "2026-03-04  05:06:00Z",
    "2026-03-04T05:06:00  +0530",
    "2026-03-04T05:06:00+05",
    "2026-03-04 05:06:00",
    "2026-03-04T05:06:00+24:00",
    "2026-03-04T05:06:00+05:60",
    "10000-01-01T00:00:00Z",
    "+010000-01-01T00:00:00Z",
    "2026-03-04T05:06:00,5Z",
    "2026-03-04T05:06:00.Z",
    "1772600760",
    "٢٠٢٦-03-04T05:06:00Z",
    " 2026-03-04T05:06:00Z",
    "2026-03-04T05:06:00Z\n",
    "now",
    "",
    1772600760,
    1772600760000,
    null,
    undefined,
    new Date(NOW),
  ])("%j is none", (effective_at) => {
    expect(outcome(judged({ effective_at }))).toBe("rejected: effective_at_invalid");
  });

  const at = (ms: number, skewMs: number | null = null) =>
    outcome(judged({ effective_at: new Date(NOW + ms).toISOString() }, { received: NOW, skewMs }));
  const DAY = 86_400_000;

  test("two minutes ahead is borne, more is set aside", () => {
    expect(at(120_000)).toBe("72 final as it is");
    expect(at(120_001)).toBe("quarantined: in_the_future");
  });

  test("thirty days old is history, more is set aside", () => {
    expect(at(-7 * DAY - 1)).toBe("72 final as it is");
    expect(at(-30 * DAY)).toBe("72 final as it is");
    expect(at(-30 * DAY - 1)).toBe("quarantined: too_old");
    expect(outcome(judged({ effective_at: "0000-01-01T00:00:00Z" }))).toBe("quarantined: too_old");
    expect(outcome(judged({ effective_at: "9999-12-31T23:59:59Z" }))).toBe("quarantined: in_the_future");
  });

  test("of a clock that is known to be wrong is set right before it is judged", () => {
    expect(at(3_600_000)).toBe("quarantined: in_the_future");
    expect(at(3_600_000, 3_600_000)).toBe("72 final as it is");
    expect(at(0, -120_001)).toBe("quarantined: in_the_future");
    const result = judged({}, { received: NOW, skewMs: 1500.4 });
    expect(result).toMatchObject({ sample: { at: NOW - 7000 - 1500 } });
  });
});

describe("a sequence number", () => {
  test.each([0, 1, 2 ** 53 - 1])("%d is one", (seq) => {
    expect(judged({ seq })).toMatchObject({ ok: true, sample: { seq } });
  });

  test.each([-1, 1.5, 2 ** 53, "1", true, {}, Number.NaN])("%j is none", (seq) => {
    expect(outcome(judged({ seq }))).toBe("rejected: seq_invalid");
  });

  test("may be absent", () => {
    expect(judged({ seq: undefined })).toMatchObject({ sample: { seq: null } });
    expect(judged({ seq: null })).toMatchObject({ sample: { seq: null } });
  });
});

describe("pressures of one instant", () => {
  const pressure = (code: string, value: number, at = NOW, status: Sample["status"] = "final"): Sample => ({
    code,
    value,
    unit: "mm[Hg]",
    at,
    seq: null,
    status,
  });
  const cuff = (systolic: number | null, mean: number | null, diastolic: number | null, at = NOW) => [
    ...(systolic === null ? [] : [pressure(CODES.systolic, systolic, at)]),
    ...(mean === null ? [] : [pressure(CODES.mean_pressure, mean, at)]),
    ...(diastolic === null ? [] : [pressure(CODES.diastolic, diastolic, at)]),
  ];
  const statuses = (samples: readonly Sample[]) => crossCheckPressures(samples).map(({ status }) => status);

  test.each([
    [120, 93, 80],
    [120, null, 80],
    [120, 93, null],
    [null, 93, 80],
    [120, null, null],
    [null, null, 80],
    [0, 0, 0],
    [80, 80, 80],
  ])("%j/%j/%j agree", (systolic, mean, diastolic) => {
    const samples = cuff(systolic, mean, diastolic);
    expect(crossCheckPressures(samples)).toEqual(samples);
  });

  test.each([
    [80, null, 120],
    [80, 93, 120],
    [120, 121, 80],
    [120, 79, 80],
    [120, 121, null],
    [null, 79, 80],
  ])("%j/%j/%j contradict each other: none of them counts", (systolic, mean, diastolic) => {
    expect(new Set(statuses(cuff(systolic, mean, diastolic)))).toEqual(new Set(["invalid"]));
  });

  test("one invalid pressure invalidates the others: 16/10 in kPa", () => {
    const samples = (
      [
        [CODES.systolic, 16],
        [CODES.diastolic, 10],
      ] as const
    ).flatMap(([code, value]) => {
      const result = judged({ code, value, unit: "mm[Hg]" });
      return result.ok ? [result.sample] : [];
    });
    expect(samples.map(({ status }) => status)).toEqual(["invalid", "invalid"]);
    expect(statuses(samples)).toEqual(["invalid", "invalid"]);
  });

  test("one whose unit is doubtful leaves the others: 74/10", () => {
    const samples = ([CODES.systolic, CODES.mean_pressure, CODES.diastolic] as const).flatMap((code, i) => {
      const result = judged({ code, value: [74, 31, 10][i], unit: "mm[Hg]" });
      return result.ok ? [result.sample] : [];
    });
    expect(statuses(samples)).toEqual(["final", "final", "invalid"]);
  });

  test("leave other instants, other vitals and the order alone, and the given samples as they were", () => {
    const pulse: Sample = { ...pressure(CODES.heart_rate, 300), unit: "/min" };
    const samples = [...cuff(120, 93, 80, NOW - 1), pulse, ...cuff(80, null, 120)];
    const before = structuredClone(samples);
    const checked = crossCheckPressures(samples);
    expect(samples).toEqual(before);
    expect(checked.map(({ status }) => status)).toEqual(["final", "final", "final", "final", "invalid", "invalid"]);
    expect(checked.map((sample) => ({ ...sample, status: "final" }))).toEqual(before);
    expect(crossCheckPressures([])).toEqual([]);
  });
});

describe("a wearable's metrics", () => {
  const timestamp = "2026-03-04T10:36:00+05:30";
  const inputsOf = (readings: readonly unknown[]) =>
    toWearableItems(readings).map(({ input }) => input as { code: string; value: unknown });

  test("are items in LOINC and UCUM, each of them known", () => {
    const all = {
      heart_rate: 72,
      spo2: 97,
      systolic: 120,
      diastolic: 80,
      respiratory_rate: 16,
      temperature: 36.8,
      glucose: 95,
      steps: 8123,
      sleep_minutes: 431,
      calories: 2100,
    };
    const items = inputsOf([{ timestamp, ...all }]);
    expect(items.map(({ value }) => value)).toEqual(Object.values(all));
    expect(items.map((item) => outcome(validateSample(item, CLOCK)))).toEqual(
      Object.values(all).map((value) => `${value} final as it is`),
    );
    expect(items[9]).toEqual({ code: "41981-2", value: 2100, unit: "kcal", effective_at: timestamp });
  });

  test("keep 0, leave out what was not measured, and keep the order", () => {
    const items = inputsOf([
      { timestamp, steps: 0, heart_rate: null },
      { timestamp: "2026-03-04T10:37:00+05:30", spo2: 96, heart_rate: 70, glucose: undefined },
    ]);
    expect(items.map(({ code, value }) => [code, value])).toEqual([
      [CODES.steps, 0],
      [CODES.heart_rate, 70],
      [CODES.spo2, 96],
    ]);
  });

  test("of a reading that is no reading, has no value or has unknown names are refused one by one", () => {
    const judged = toWearableItems([
      { timestamp, heart_rate: "72", spo2: 97, "": 1, constructor: 2, [`x${"y".repeat(99)}`]: null },
      { timestamp, heart_rate: null },
      {},
      null,
      [],
      "72",
    ]);
    expect(judged.map(({ reading, metric, refusal }) => [reading, metric, refusal?.reason ?? null])).toEqual([
      [0, "heart_rate", null],
      [0, "spo2", null],
      [0, "", "metric_unknown"],
      [0, "constructor", "metric_unknown"],
      [0, `x${"y".repeat(63)}`, "metric_unknown"],
      [1, null, "no_value"],
      [2, null, "no_value"],
      [3, null, "reading_invalid"],
      [4, null, "reading_invalid"],
      [5, null, "reading_invalid"],
    ]);
    expect(outcome(validateSample(judged[0]?.input, CLOCK))).toBe("rejected: value_not_a_number");
  });

  test("in another unit than the table's are suspect, not converted", () => {
    const items = inputsOf([{ timestamp, temperature: 98.6, spo2: 0.97, glucose: 5.2 }]);
    expect(items.map((item) => outcome(validateSample(item, CLOCK)))).toEqual([
      "0.97 invalid unit_suspect",
      "98.6 invalid unit_suspect",
      "5.2 invalid unit_suspect",
    ]);
  });
});

describe("real monitors", () => {
  const folder = "../shared/data/vitals";
  const COLUMNS: Record<string, [string, string]> = {
    HR: [CODES.heart_rate, "/min"],
    RESP: [CODES.respiratory_rate, "/min"],
    Resp: [CODES.respiratory_rate, "/min"],
    RespRate: [CODES.respiratory_rate, "/min"],
    SpO2: [CODES.spo2, "%"],
    O2Sat: [CODES.spo2, "%"],
    SaO2: [CODES.spo2, "%"],
    Temp: [CODES.temperature, "Cel"],
    SBP: [CODES.systolic, "mm[Hg]"],
    DBP: [CODES.diastolic, "mm[Hg]"],
    MAP: [CODES.mean_pressure, "mm[Hg]"],
    NBPSys: [CODES.systolic, "mm[Hg]"],
    NBPDias: [CODES.diastolic, "mm[Hg]"],
    NBPMean: [CODES.mean_pressure, "mm[Hg]"],
    SysABP: [CODES.systolic, "mm[Hg]"],
    NISysABP: [CODES.systolic, "mm[Hg]"],
    EtCO2: [CODES.etco2, "mm[Hg]"],
    Glucose: [CODES.glucose, "mg/dL"],
  };
  function readings(pattern: string, separator: string): [string, string, number][] {
    return globSync(pattern, { cwd: folder }).flatMap((path) => {
      const [header = "", ...rows] = readFileSync(`${folder}/${path}`, "utf8").trim().split(/\r?\n/);
      const names = header.split(separator);
      return rows.flatMap((row) => {
        const cells = row.split(separator);
        const pairs = names.join() === "Time,Parameter,Value" ? [[cells[1], cells[2]]] : names.map((name, i) => [name, cells[i]]);
        return pairs.flatMap(([name = "", cell = ""]) => {
          const column = COLUMNS[name];
          return column && cell !== "" && Number.isFinite(Number(cell))
            ? [[...column, Number(cell)] as [string, string, number]]
            : [];
        });
      });
    });
  }

  test.for([
    // One cuff reading of 74/10 among 273 values: each value by itself here, without its systolic pressure.
    ["bedside/s25047*.csv", ",", 200, 0.996],
    ["icu-hourly/*.psv", "|", 30_000, 0.9999],
    ["icu-48h/*.txt", ",", 10_000, 0.995],
  ] as const)("%s: nothing is lost, nearly all is final, and 0 stays", ([pattern, separator, least, share], { skip }) => {
    skip(!existsSync(folder), absent("vitals"));
    const all = readings(pattern, separator);
    const results = all.map(([code, unit, value]) => ({ code, value, result: of(code, value, unit) }));
    expect(results.length).toBeGreaterThan(least);
    expect(results.filter(({ result }) => !result.ok)).toEqual([]);
    const final = results.filter(({ result }) => result.ok && result.sample.status === "final");
    expect(final.length / results.length).toBeGreaterThanOrEqual(share);
    const zero = results.filter(({ code, value }) => value === 0 && code !== CODES.temperature && code !== CODES.glucose);
    expect(zero.filter(({ result }) => !(result.ok && result.sample.status === "final"))).toEqual([]);
    const cold = results.filter(({ code, value }) => code === CODES.temperature && value < 24);
    expect(cold.filter(({ result }) => result.ok && result.sample.status === "final")).toEqual([]);
  });
});
