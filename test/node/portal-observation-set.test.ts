// The form of a set of observations: the score as it forms, what is refused and what is asked, and the request.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  EMPTY_DRAFT,
  type Field,
  findFaults,
  findField,
  findMissing,
  formScore,
  isFarOut,
  type NumberField,
  type SetDraft,
  toBody,
  toDraft,
  typeNumber,
} from "../../portal/src/monitoring/observation-set/set-draft.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { ACVPU } from "../../src/monitoring/vitals/codes.ts";
import type { AgeBand } from "../../src/monitoring/vitals/model.ts";
import { scoreNews2 } from "../../src/monitoring/vitals/news2.ts";
import { readSample } from "../../src/monitoring/vitals/sample-validation.ts";

const NOW = Date.parse("2026-11-29T16:30:20Z");
const ZONE = "Asia/Kolkata";
const ADULT = { band: "adult", isScored: true, now: NOW, zone: ZONE } as const;

const typed = (numbers: Partial<Record<NumberField, string>>, rest: Partial<SetDraft> = {}): SetDraft => ({
  ...EMPTY_DRAFT,
  ...rest,
  numbers: { ...EMPTY_DRAFT.numbers, ...numbers },
});
const NORMAL = {
  respiratory_rate: "16",
  spo2: "97",
  systolic: "122",
  diastolic: "78",
  heart_rate: "72",
  temperature: "36.8",
} as const;
const full = (numbers: Partial<Record<NumberField, string>> = {}, rest: Partial<SetDraft> = {}) =>
  typed({ ...NORMAL, ...numbers }, { oxygen: "air", consciousness: "A", ...rest });
const faults = (draft: SetDraft, more: Partial<Parameters<typeof findFaults>[1]> = {}) =>
  Object.fromEntries(Object.entries(findFaults(draft, { ...ADULT, ...more })).map(([field, fault]) => [field, fault.kind]));

describe("the score", () => {
  it("has no number before everything is entered, and says what it is at least", () => {
    expect(formScore(EMPTY_DRAFT, 1)).toEqual({ parts: {}, complete: null, atLeast: 0 });
    const some = typed({ respiratory_rate: "26", temperature: "38.4" });
    expect(formScore(some, 1)).toEqual({ parts: { respiratory_rate: 3, temperature: 1 }, complete: null, atLeast: 4 });
    expect(findMissing(some, true)).toEqual(["spo2", "oxygen", "systolic", "pulse", "consciousness"]);
  });

  it("is that of the chart once it is complete", () => {
    expect(formScore(full(), 1).complete).toMatchObject({ score: 0, risk: "low" });
    const ill = full({ respiratory_rate: "25", systolic: "90", temperature: "३८.५" }, { oxygen: "oxygen", consciousness: "V" });
    expect(formScore(ill, 1).complete).toMatchObject({ score: 12, risk: "high" });
  });

  it("on scale 2 gives no points for a saturation while it is not known whether oxygen is given", () => {
    const some = typed({ spo2: "97" });
    expect(formScore(some, 2)).toEqual({ parts: {}, complete: null, atLeast: 0 });
    expect(formScore({ ...some, oxygen: "oxygen" }, 2).parts).toEqual({ spo2: 3, oxygen: 2 });
    expect(formScore({ ...some, oxygen: "air" }, 2).parts).toEqual({ spo2: 0, oxygen: 0 });
  });

  it("only rises while more is entered", () => {
    const number = (min: number, max: number) => fc.option(fc.integer({ min, max }).map(String), { nil: "" });
    const drafts = fc.record({
      respiratory_rate: number(0, 60),
      spo2: number(50, 100),
      systolic: number(50, 250),
      heart_rate: number(20, 200),
      temperature: number(30, 42),
      oxygen: fc.constantFrom("air", "oxygen", null),
      consciousness: fc.constantFrom(...ACVPU, null),
      scale: fc.constantFrom(1, 2),
    });
    fc.assert(
      fc.property(drafts, ({ oxygen, consciousness, scale, ...numbers }) => {
        const forming = formScore(typed(numbers, { oxygen, consciousness }), scale);
        const filled = formScore(
          typed(
            Object.fromEntries(
              Object.entries({ ...NORMAL, ...numbers }).map(([field, text]) => [field, text || (NORMAL[field as "spo2"] ?? "")]),
            ),
            { oxygen: oxygen ?? "oxygen", consciousness: consciousness ?? "A" },
          ),
          scale,
        );
        expect(filled.complete?.score ?? -1).toBeGreaterThanOrEqual(forming.atLeast);
      }),
      { numRuns: 300 },
    );
  });
});

describe("what must change", () => {
  it.each<[string, SetDraft, Partial<Record<Field, string>>]>([
    ["nothing of an ordinary set", full(), {}],
    ["a text", full({ heart_rate: "7o" }), { heart_rate: "no_number" }],
    ["what cannot be", full({ spo2: "104" }), { spo2: "implausible" }],
    ["a temperature in Fahrenheit", full({ temperature: "98.6" }), { temperature: "implausible" }],
    ["a saturation as a fraction", full({ spo2: "0.97" }), { spo2: "other_unit" }],
    ["a pressure in kPa", full({ systolic: "16", diastolic: "10" }), { systolic: "other_unit", diastolic: "other_unit" }],
    ["pressures the wrong way round", full({ systolic: "78", diastolic: "122" }), { systolic: "not_above_diastolic" }],
    ["oxygen that is none", full({ inspired_oxygen: "21" }, { oxygen: "oxygen" }), { oxygen_flow: "no_oxygen" }],
    ["oxygen without flow and fraction", full({}, { oxygen: "oxygen" }), { oxygen_flow: "no_oxygen" }],
    [
      "oxygen with a flow of 0",
      full({ oxygen_flow: "0", inspired_oxygen: "40" }, { oxygen: "oxygen" }),
      { oxygen_flow: "no_oxygen" },
    ],
    ["nothing of oxygen by flow", full({ oxygen_flow: "2" }, { oxygen: "oxygen" }), {}],
    ["nothing of oxygen by fraction", full({ inspired_oxygen: "28" }, { oxygen: "oxygen" }), {}],
    ["nothing of what is typed beside air", full({ oxygen_flow: "x" }), {}],
    ["something missing without a reason", full({ temperature: "" }), { partial_reason: "missing" }],
    ["nothing where a reason is given", full({ temperature: "" }, { reason: "equipment" }), {}],
    ["nothing of one who refused everything", typed({}, { reason: "refused" }), {}],
    ["an hour ahead", full({}, { measuredAt: "2026-11-29T23:00" }), { effective_at: "in_future" }],
    ["more than a day back", full({}, { measuredAt: "2026-11-28T21:59" }), { effective_at: "too_old" }],
    ["no time", full({}, { measuredAt: "" }), { effective_at: "no_time" }],
    ["nothing of this minute", full({}, { measuredAt: "2026-11-29T22:00" }), {}],
  ])("%s", (_, draft, expected) => {
    expect(faults(draft)).toEqual(expected);
  });

  it("asks once for a far-out value, and again when it changes", () => {
    const far = full({ heart_rate: "172" });
    expect(faults(far)).toEqual({ heart_rate: "unconfirmed" });
    const confirmed: SetDraft = { ...far, confirmed: ["heart_rate"] };
    expect(faults(confirmed)).toEqual({});
    expect(faults(typeNumber(confirmed, "heart_rate", "17"))).toEqual({ heart_rate: "unconfirmed" });
    expect(faults(typeNumber(confirmed, "temperature", "36.9"))).toEqual({});
  });

  it.each<[NumberField, string, AgeBand, boolean]>([
    ["respiratory_rate", "46", "adult", true],
    ["respiratory_rate", "45", "adult", false],
    ["respiratory_rate", "5", "adult", true],
    ["temperature", "40.1", "adult", true],
    ["temperature", "34.5", "adult", false],
    ["spo2", "74", "adult", true],
    ["heart_rate", "180", "adult", true],
    ["heart_rate", "180", "neonate", false],
    ["heart_rate", "230", "neonate", true],
    ["respiratory_rate", "50", "infant", false],
    ["systolic", "226", "adult", true],
    ["diastolic", "27", "adult", true],
    ["systolic", "400", "adult", false],
  ])("%s of %s is far out for one who is %s: %s", (field, text, band, expected) => {
    expect(isFarOut(full({ [field]: text }), field, band)).toBe(expected);
  });

  it("wants no complete set where NEWS2 does not apply, but something", () => {
    const unscored = { isScored: false } as const;
    expect(faults(typed({ temperature: "37" }), unscored)).toEqual({});
    expect(faults(EMPTY_DRAFT, unscored)).toEqual({ partial_reason: "missing" });
  });
});

describe("the request", () => {
  const circumstances = { scale: 1, isScored: true, now: NOW, zone: ZONE } as const;

  it("says air by both codes, the score that was confirmed, and the time", () => {
    const body = toBody(full(), circumstances, 0);
    expect(body).toMatchObject({ effective_at: "2026-11-29T16:30:20.000Z", spo2_scale: 1, confirmed_score: 0 });
    expect(body).not.toHaveProperty("partial_reason");
    expect(Object.fromEntries(body.samples.map(({ code, value }) => [code, value]))).toEqual({
      [CODES.respiratory_rate]: 16,
      [CODES.spo2]: 97,
      [CODES.inspired_oxygen]: 21,
      [CODES.oxygen_flow]: 0,
      [CODES.systolic]: 122,
      [CODES.diastolic]: 78,
      [CODES.heart_rate]: 72,
      [CODES.consciousness]: 0,
      [CODES.temperature]: 36.8,
    });
  });

  it("of a partial set has its reason and no score; a complete one has no reason", () => {
    const partial = toBody(full({ spo2: "" }, { reason: "equipment" }), circumstances, null);
    expect(partial).toMatchObject({ partial_reason: "equipment", confirmed_score: null });
    expect(toBody(full({}, { reason: "equipment" }), circumstances, 0)).not.toHaveProperty("partial_reason");
    expect(toBody(full(), { ...circumstances, isScored: false }, 0)).toMatchObject({ confirmed_score: null });
  });

  it("is never ahead of now", () => {
    expect(toBody(full({}, { measuredAt: "2026-11-29T22:01" }), circumstances, 0).effective_at).toBe("2026-11-29T16:30:20.000Z");
    expect(toBody(full({}, { measuredAt: "2026-11-29T21:10" }), circumstances, 0).effective_at).toBe("2026-11-29T15:40:00.000Z");
  });

  it("fills the form again as it was, and has valid samples, whatever was entered", () => {
    const texts = (...choices: string[]) => fc.constantFrom("", ...choices);
    const drafts = fc.record({
      numbers: fc.record({
        respiratory_rate: texts("16", "30"),
        spo2: texts("97", "88"),
        oxygen_flow: texts("2", "0.5"),
        inspired_oxygen: texts("28", "60"),
        systolic: texts("122"),
        diastolic: texts("78"),
        heart_rate: texts("72"),
        temperature: texts("36.8", "39"),
      }),
      oxygen: fc.constantFrom("air", "oxygen", null),
      consciousness: fc.constantFrom(...ACVPU, null),
      reason: fc.constantFrom("asleep", "refused"),
    });
    fc.assert(
      fc.property(drafts, (entered) => {
        const draft: SetDraft = { ...EMPTY_DRAFT, ...entered, measuredAt: "2026-11-29T21:10" };
        // Such a draft is never sent.
        fc.pre(Object.keys(findFaults(draft, ADULT)).length === 0);
        const body = toBody(draft, circumstances, formScore(draft, 1).complete?.score ?? null);
        expect(toBody(toDraft(body, ZONE), circumstances, body.confirmed_score)).toEqual(body);
        for (const sample of body.samples) {
          expect(readSample({ ...sample, effective_at: body.effective_at })).toMatchObject({
            ok: true,
            sample: { status: "final" },
          });
        }
      }),
      { numRuns: 200 },
    );
  });

  it("finds the field of each error", () => {
    const body = toBody(full(), circumstances, 0);
    const index = body.samples.findIndex(({ code }) => code === CODES.heart_rate);
    expect(findField(`samples.${index}.value`, body)).toBe("heart_rate");
    expect(findField(`samples.${index}`, body)).toBe("heart_rate");
    expect(findField("effective_at", body)).toBe("effective_at");
    expect(findField("confirmed_score", body)).toBeNull();
  });

  it("has the score of the rule that the service uses", () => {
    const values = {
      respiratory_rate: 16,
      spo2: 97,
      oxygen: false,
      systolic: 122,
      pulse: 72,
      consciousness: "A",
      temperature: 36.8,
    };
    expect(formScore(full(), 1).complete).toEqual(scoreNews2({ ...values, consciousness: "A" }, 1));
  });
});
