// The catalogue of vital signs: codes, units and conversions, age bands and default limits.

import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHARTS } from "../../portal/src/monitoring/vitals/chart-catalogue.ts";
import { locateValue } from "../../src/monitoring/alarm-rules/limit-rule.ts";
import { NO_LIMITS } from "../../src/monitoring/alarm-rules/no-limits.ts";
import { MAX_CODES } from "../../src/monitoring/history/query.ts";
import {
  CODES,
  findAgeBand,
  findVital,
  findVitalByName,
  getDefaultLimits,
  roundHalfUp,
  VITALS,
} from "../../src/monitoring/vitals/catalogue.ts";
import { AGE_BANDS } from "../../src/monitoring/vitals/model.ts";
import { absent } from "../shared-data.ts";

/** The last digit of a LOINC code is its check digit (Luhn). */
function passesLuhn(code: string): boolean {
  const digits = [...code.replace("-", "")].reverse().map(Number);
  const sum = digits.reduce((total, digit, i) => total + (i % 2 ? (digit * 2 > 9 ? digit * 2 - 9 : digit * 2) : digit), 0);
  return sum % 10 === 0;
}

function convert(name: string, value: number, unit: string): number {
  const conversion = findVitalByName(name)?.units[unit];
  if (!conversion) throw new Error(`${name} has no unit ${unit}`);
  return value * conversion.factor + conversion.offset;
}

describe("codes", () => {
  test("have valid check digits and name one vital each", () => {
    const codes = VITALS.flatMap(({ code, also }) => [code, ...also]);
    expect(codes.filter((code) => !passesLuhn(code))).toEqual([]);
    expect(new Set(codes).size).toBe(codes.length);
    expect(passesLuhn("3150-6")).toBe(false);
  });

  test("are found by LOINC, by another LOINC and by name", () => {
    for (const [name, code] of Object.entries(CODES)) {
      expect(findVital(code)?.name).toBe(name);
      expect(findVitalByName(name)?.code).toBe(code);
    }
    expect(VITALS).toHaveLength(Object.keys(CODES).length);
    expect(findVital("59408-5")).toBe(findVitalByName("spo2"));
    expect(findVital("19891-1")).toBe(findVitalByName("etco2"));
    for (const nobody of ["", "heart_rate", "constructor", "__proto__", "8867-4 "]) expect(findVital(nobody)).toBeNull();
    for (const nobody of ["", "8867-4", "constructor"]) expect(findVitalByName(nobody)).toBeNull();
  });

  const published = "../shared/data/vectors/fhir_vital_signs_loinc.json";
  test("of the FHIR vital-signs profiles are known with each unit", ({ skip }) => {
    skip(!existsSync(published), absent("vectors"));
    type Published = { loinc: string; also?: string[]; ucum?: string[]; components?: Published[] };
    const { codes }: { codes: Published[] } = JSON.parse(readFileSync(published, "utf8"));
    // Panels are groups; the circumference of the head is none of this catalogue.
    const outside = new Set(["85353-1", "85354-9", "9843-4"]);
    const known = codes.flatMap((code) => code.components ?? [code]).filter(({ loinc }) => !outside.has(loinc));
    expect(known.map(({ loinc }) => loinc)).toEqual([
      "9279-1",
      "8867-4",
      "2708-6",
      "8310-5",
      "8302-2",
      "29463-7",
      "39156-5",
      "8480-6",
      "8462-4",
    ]);
    for (const { loinc, also = [], ucum = [] } of known) {
      for (const code of [loinc, ...also]) {
        expect(ucum.filter((unit) => !Object.hasOwn(findVital(code)?.units ?? {}, unit))).toEqual([]);
      }
    }
  });
});

describe("units", () => {
  // Published conversions, to six digits; not computed with the factors under test.
  const CASES: readonly (readonly [string, number, string, number])[] = [
    ["temperature", 98.6, "[degF]", 37],
    ["temperature", 32, "°F", 0],
    ["temperature", 104, "degF", 40],
    ["temperature", 37, "°C", 37],
    ["systolic", 16, "kPa", 120.0099],
    ["diastolic", 10.6658, "kPa", 80],
    ["mean_pressure", 93, "mmHg", 93],
    ["etco2", 5.3329, "kPa", 40],
    ["glucose", 5.55, "mmol/L", 100],
    ["glucose", 10, "mmol/L", 180.182],
    ["glucose", 0.9, "g/L", 90],
    ["spo2", 0.97, "1", 97],
    ["inspired_oxygen", 0.21, "1", 21],
    ["weight", 150, "[lb_av]", 68.0389],
    ["weight", 3500, "g", 3.5],
    ["energy", 8368, "kJ", 2000],
    ["energy", 8_368_000, "J", 2000],
    ["energy_day", 2_000_000, "cal", 2000],
    ["energy", 2000, "Cal", 2000],
    ["heart_rate", 72, "count/min", 72],
    ["heart_rate", 72, "{beat}/min", 72],
    ["resting_heart_rate", 58, "beats/minute", 58],
    ["distance", 26.2188, "mi", 42_195.07],
    ["distance_day", 42.195, "km", 42_195],
    ["height", 70, "[in_i]", 177.8],
    ["height", 1.78, "m", 178],
    ["bmi", 22.5, "count", 22.5],
    ["body_fat", 0.21, "1", 21],
    ["heart_rate_variability", 0.045, "s", 45],
    ["sleep_minutes", 7.5, "h", 450],
    ["oxygen_flow", 250, "mL/min", 0.25],
    ["heart_rate", 72, "bpm", 72],
    ["respiratory_rate", 16, "{breaths}/min", 16],
  ];
  test.each(CASES)("%s of %d %s is %d in the catalogue's unit within 0.1 %", (name, value, unit, expected) => {
    expect(Math.abs(convert(name, value, unit) - expected)).toBeLessThanOrEqual(Math.max(0.001 * expected, 1e-9));
  });

  test("of each vital hold its own, and each converts a rising value to a rising one", () => {
    for (const { units, unit, name } of VITALS) {
      expect(units[unit], name).toEqual({ factor: 1, offset: 0 });
      expect(Object.values(units).every(({ factor }) => factor > 0)).toBe(true);
    }
  });

  test("keep conversions within 0.1 % after rounding, where values are usual", () => {
    const usual = {
      temperature: 35,
      systolic: 60,
      diastolic: 30,
      mean_pressure: 40,
      glucose: 40,
      etco2: 10,
      weight: 2,
      spo2: 70,
    };
    for (const [name, least] of Object.entries(usual)) {
      expect(0.5 * 10 ** -(findVitalByName(name)?.decimals ?? 0)).toBeLessThan(least / 1000);
    }
    expect(0.5 * 10 ** -1).toBeGreaterThan(35 / 1000);
  });
});

describe("rounding", () => {
  test.each([
    [35.05, 1, 35.1],
    [36.005, 2, 36.01],
    [1.005, 2, 1.01],
    [8.5, 0, 9],
    [8.49, 0, 8],
    [72.0000001, 1, 72],
    [-0.04, 1, 0],
    [-1.5, 0, -1],
    [0, 2, 0],
  ])("%d to %d decimals is %d", (value, decimals, expected) => {
    expect(roundHalfUp(value, decimals)).toBe(expected);
  });

  test("agrees with twelve digits for values with and without a short decimal form", () => {
    const exact = (value: number, scale: number) => Math.round(Number((value * scale).toPrecision(12))) / scale + 0;
    const value = fc.oneof(
      fc.double({ min: -1e15, max: 1e15 }),
      fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 1000),
    );
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 3 }), (number, decimals) => {
        expect(roundHalfUp(number, decimals)).toBe(exact(number, 10 ** decimals));
      }),
    );
  });
});

describe("age bands", () => {
  const at = (day: string) => Date.parse(`${day}T00:00:00Z`);
  test.each([
    ["2026-03-01", "2026-03-01", "neonate", "2026-03-29"],
    ["2026-03-01", "2026-03-28", "neonate", "2026-03-29"],
    ["2026-03-01", "2026-03-29", "infant", "2027-03-01"],
    ["2025-03-01", "2026-02-28", "infant", "2026-03-01"],
    ["2025-03-01", "2026-03-01", "toddler", "2028-03-01"],
    ["2023-03-01", "2026-03-01", "child", "2035-03-01"],
    ["2014-03-01", "2026-02-28", "child", "2026-03-01"],
    ["2014-03-01", "2026-03-01", "adolescent", "2030-03-01"],
    ["2010-03-01", "2026-02-28", "adolescent", "2026-03-01"],
    ["2010-03-01", "2026-03-01", "adult", null],
    ["1926-03-01", "2026-03-01", "adult", null],
    // Born on 29 February: in other years the birthday is 1 March.
    ["2024-02-29", "2025-02-28", "infant", "2025-03-01"],
    // A date of birth in the future, as east of Greenwich is possible.
    ["2026-03-02", "2026-03-01", "neonate", "2026-03-30"],
    // A month or a year alone: as old as is certain.
    ["2010-02", "2026-02-27", "adolescent", "2026-02-28"],
    ["2010-02", "2026-02-28", "adult", null],
    ["2010", "2026-12-30", "adolescent", "2026-12-31"],
    ["2025", "2026-06-01", "infant", "2026-12-31"],
    ["1964", "2026-03-01", "adult", null],
  ])("born %s, on %s: %s until %s", (born, today, band, until) => {
    expect(findAgeBand(born, at(today))).toEqual({ band, until: until === null ? null : at(until) });
  });

  test("end to the millisecond", () => {
    const end = at("2026-03-29");
    expect(findAgeBand("2026-03-01", end - 1)).toEqual({ band: "neonate", until: end });
    expect(findAgeBand("2026-03-01", end).band).toBe("infant");
  });

  test("refuse what is no date", () => {
    for (const text of ["", "yesterday", "26", "2026-13", "2026-02-30", "2026-3"])
      expect(() => findAgeBand(text, at("2026-03-01"))).toThrow(RangeError);
  });
});

describe("default limits", () => {
  test("lie inside what is plausible, in order, and leave room to recover", () => {
    for (const band of AGE_BANDS) {
      for (const [code, limits] of Object.entries(getDefaultLimits(band))) {
        const vital = findVital(code);
        const bounds = [limits.critical_low, limits.low, limits.high, limits.critical_high].filter((bound) => bound !== null);
        expect(bounds.length, `${band} ${vital?.name}`).toBeGreaterThan(0);
        expect(bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] ?? 0))).toBe(true);
        expect(bounds.every((bound) => bound >= (vital?.plausible.min ?? 0) && bound <= (vital?.plausible.max ?? 0))).toBe(true);
        if (limits.low !== null && limits.high !== null) expect(limits.low + 2 * limits.hysteresis).toBeLessThan(limits.high);
        expect(limits.duration_s).toBeGreaterThanOrEqual(0);
      }
    }
  });

  test("alarm an adult's nothing and NEWS2's extremes", () => {
    const adult = getDefaultLimits("adult");
    for (const code of [CODES.heart_rate, CODES.spo2, CODES.respiratory_rate, CODES.systolic]) {
      expect(adult[code]?.critical_low).toBeGreaterThan(0);
    }
    expect(adult[CODES.spo2]?.critical_low).toBeGreaterThanOrEqual(84);
    expect(adult[CODES.heart_rate]).toMatchObject({ critical_low: 40, critical_high: 131, silence_s: 120 });
    expect(adult[CODES.respiratory_rate]).toMatchObject({ critical_low: 8, high: 25, silence_s: 120 });
    expect(adult[CODES.temperature]).toMatchObject({ low: 35, high: null, critical_high: 40, silence_s: null });
    // One and two points of NEWS2 are the score's to judge, in sum.
    for (const [code, low, high] of [
      [CODES.heart_rate, 41, 130],
      [CODES.systolic, 91, 219],
      [CODES.temperature, 35.1, 39.9],
      [CODES.respiratory_rate, 9, 24],
      [CODES.spo2, 92, 100],
    ] as const) {
      const limits = adult[code] ?? NO_LIMITS;
      expect([low, high].map((value) => locateValue(code, value, limits))).toEqual([null, null]);
    }
    expect(adult[CODES.steps]).toBeUndefined();
  });

  test("let a quiet day of each age pass", () => {
    const quiet = {
      neonate: [130, 45],
      infant: [120, 35],
      toddler: [110, 26],
      child: [90, 20],
      adolescent: [75, 16],
      adult: [70, 14],
    };
    for (const band of AGE_BANDS) {
      const [rate = 0, breaths = 0] = quiet[band];
      for (const [code, value] of [
        [CODES.heart_rate, rate],
        [CODES.respiratory_rate, breaths],
        [CODES.spo2, 98],
        [CODES.temperature, 36.9],
      ] as const) {
        const limits = getDefaultLimits(band)[code];
        expect(value).toBeGreaterThan(limits?.low ?? 0);
        expect(value).toBeLessThan(limits?.high ?? Number.POSITIVE_INFINITY);
      }
    }
    // A newborn's normal heart rate is an alarm for an adult: the bands differ where it matters.
    expect(140).toBeGreaterThan(getDefaultLimits("adult")[CODES.heart_rate]?.critical_high ?? Number.POSITIVE_INFINITY);
    expect(140).toBeLessThan(getDefaultLimits("neonate")[CODES.heart_rate]?.high ?? 0);
  });
});

test("has no more vitals than one query of a history may name", () => {
  const charted = CHARTS.flatMap(({ vitals }) => vitals);
  expect(charted.length).toBeLessThanOrEqual(MAX_CODES);
  expect(Object.keys(CODES).length).toBeLessThanOrEqual(MAX_CODES);
});
