// Limits: validation, precedence of layers, and the counts of a preview.
import { describe, expect, it } from "vitest";
import type { LimitsOverride } from "../../src/monitoring/alarm-rules/limits.ts";
import { checkLimits, mergeLimits } from "../../src/monitoring/alarm-rules/limits.ts";
import { previewAlarms } from "../../src/monitoring/alarm-rules/preview.ts";
import { getDefaultLimits, VITALS } from "../../src/monitoring/vitals/catalogue.ts";
import { AGE_BANDS } from "../../src/monitoring/vitals/model.ts";
import { CONFIG, createSample, HOUR, HR, HR_LIMITS, MINUTE, RR, SBP, SECOND, SPO2, START } from "./alerts-world.ts";

const adult = getDefaultLimits("adult");
/** With every bound. */
const base = { ...HR_LIMITS, critical_high: 131 };
const problems = (override: LimitsOverride, code: string = HR) =>
  checkLimits(override, code, base).map((problem) => `${problem.field} ${problem.code}`);

describe("checkLimits", () => {
  it("accepts the defaults of every band", () => {
    for (const band of AGE_BANDS) {
      for (const [code, limits] of Object.entries(getDefaultLimits(band)))
        expect(checkLimits(limits, code), `${band} ${code}`).toEqual([]);
    }
  });

  it.each([
    [{}, []],
    [{ high: 110 }, []],
    [{ high: 131 }, []],
    [{ low: 120 }, ["low crossed"]],
    [{ low: 130, high: 110 }, ["low crossed"]],
    [{ critical_low: 51 }, ["critical_low crossed"]],
    [{ critical_low: 50 }, []],
    [{ critical_high: 119 }, ["critical_high crossed"]],
    [{ high: 132 }, ["critical_high crossed"]],
    [{ high: 351 }, ["high out_of_range", "critical_high crossed"]],
    [{ low: -1 }, ["low out_of_range", "critical_low crossed"]],
    [{ high: Number.NaN }, ["high out_of_range"]],
    [{ critical_high: null }, []],
    [{ critical_high: null, high: null }, ["critical_high unguarded"]],
    [{ high: null }, []],
    [{ critical_high: 240 }, []],
    [{ critical_high: 241 }, ["critical_high too_far"]],
    [{ critical_low: 20 }, []],
    [{ critical_low: 19 }, ["critical_low too_far"]],
    [{ critical_low: 1 }, ["critical_low too_far"]],
    [{ duration_s: 300 }, []],
    [{ duration_s: 301 }, ["duration_s out_of_range"]],
    [{ duration_s: -1 }, ["duration_s out_of_range"]],
    [{ silence_s: 29 }, ["silence_s out_of_range"]],
    [{ silence_s: null }, []],
    [{ hysteresis: -1 }, ["hysteresis out_of_range"]],
    [{ hysteresis: 35 }, ["hysteresis too_wide"]],
    [{ low: 80, high: 86 }, ["hysteresis too_wide"]],
    [{ rate_per_minute: 0 }, ["rate_per_minute out_of_range"]],
    [{ rate_per_minute: null }, []],
  ])("says of %j %j", (override, expected) => {
    expect(problems(override)).toEqual(expected);
  });

  it("knows vital signs of the catalogue alone", () => {
    expect(problems({ high: 5 }, "unknown")).toEqual(["code unknown_code"]);
  });

  it("names what is wrong for a person", () => {
    expect(checkLimits({ critical_high: null, high: null }, HR, adult[HR])).toEqual([
      {
        field: "critical_high",
        code: "unguarded",
        message: "A critical limit can only be switched off while the ordinary limit of the same side is on",
      },
    ]);
  });
});

describe("mergeLimits", () => {
  it("has the patient's before the ward's before the default, field by field", () => {
    const merged = mergeLimits(adult, { [HR]: { high: 110, low: 55 } }, { [HR]: { high: 100, critical_high: null } });
    expect(merged[HR]).toEqual({ ...adult[HR], high: 100, low: 55, critical_high: null });
    expect(merged[SPO2]).toEqual(adult[SPO2]);
  });

  it("treats undefined as inherited and null as off", () => {
    expect(mergeLimits(adult, { [HR]: { high: undefined } }, { [HR]: { silence_s: null } })[HR]).toEqual({
      ...adult[HR],
      silence_s: null,
    });
  });

  it("watches a vital that only an override has", () => {
    expect(mergeLimits({}, {}, { [RR]: { high: 30 } })[RR]).toMatchObject({
      high: 30,
      low: null,
      critical_high: null,
      duration_s: 15,
    });
  });

  it("changes nothing of what it was given", () => {
    const before = JSON.stringify(adult);
    mergeLimits(adult, { [HR]: { high: 1 } }, {});
    expect(JSON.stringify(adult)).toBe(before);
    expect(VITALS.find((vital) => vital.code === HR)?.limits.adult?.critical_high).toBe(131);
  });
});

describe("preview", () => {
  const base = CONFIG.limits;
  const day = Array.from({ length: 24 * 60 }, (_, i) =>
    createSample(HR, Math.floor(i / 60) % 2 === 0 ? 112 : 80, START + i * MINUTE),
  );
  const other = Array.from({ length: 24 * 60 }, (_, i) => createSample(SBP, i % 10 === 0 ? 300 : 120, START + i * MINUTE));

  it("counts what other limits would have raised", () => {
    const tight = { ...base, [HR]: { ...HR_LIMITS, high: 110 } };
    expect(previewAlarms(day, base, tight, CONFIG)).toEqual({
      before: 0,
      after: 12,
      by_code: {
        [HR]: { before: { alarms: 0, high: 0, medium: 0, low: 0 }, after: { alarms: 12, high: 0, medium: 12, low: 0 } },
      },
    });
    expect(previewAlarms(day.toReversed(), tight, base, CONFIG)).toMatchObject({ before: 12, after: 0 });
  });

  it("replays only what differs", () => {
    expect(previewAlarms([...day, ...other], base, { ...base }, CONFIG)).toEqual({ before: 0, after: 0, by_code: {} });
    expect(
      Object.keys(previewAlarms([...day, ...other], base, { ...base, [HR]: { ...HR_LIMITS, high: 110 } }, CONFIG).by_code),
    ).toEqual([HR]);
  });

  it("counts the last value, and values after a gap", () => {
    const samples = [
      createSample(HR, 125, START),
      createSample(HR, 80, START + 5 * HOUR),
      createSample(HR, 125, START + 10 * HOUR),
    ];
    expect(previewAlarms(samples, {}, base, CONFIG)).toMatchObject({ before: 0, after: 2 });
  });

  it("counts an alarm that became critical once, by both of its priorities", () => {
    const samples = Array.from({ length: 60 }, (_, i) => createSample(HR, i < 30 ? 125 : 150, START + i * SECOND));
    const counted = previewAlarms(samples, {}, base, CONFIG);
    expect(counted.by_code[HR]?.after).toEqual({ alarms: 1, high: 1, medium: 1, low: 0 });
  });

  it("does not affect the patient's monitoring", () => {
    const tight = { ...base, [HR]: { ...HR_LIMITS, high: 110 } };
    expect(previewAlarms(day, base, tight, { ...CONFIG, monitoring: "off" })).toMatchObject({ after: 12 });
  });
});
