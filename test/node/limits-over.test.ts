// Limits over time: the steps of a chart against the limits that the alarm rules apply at each moment.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addLiveLimits, groupLimitSteps, limitsAt } from "../../portal/src/monitoring/vitals/limit-steps.ts";
import { listLimitsInForce } from "../../src/monitoring/patient-object/context/alarm-config.ts";
import type { LimitsNote } from "../../src/monitoring/patient-object/context/facts.ts";
import { appendNote, computeLimitsHistory } from "../../src/monitoring/patient-object/context/limits-history.ts";
import { CODES } from "../../src/monitoring/vitals/codes.ts";
import { AGE_BANDS } from "../../src/monitoring/vitals/model.ts";
import { times } from "../long.ts";

const DAY = 86_400_000;
const START = Date.parse("2026-03-01T00:00:00.000Z");
const iso = (at: number) => new Date(at).toISOString();
const note = (at: number, patient: LimitsNote["overrides"]["patient"] = {}, more: Partial<LimitsNote> = {}): LimitsNote => ({
  at,
  age: { band: "adult", until: null },
  overrides: { ward: {}, patient },
  ...more,
});

const override = fc.dictionary(
  // Step counts have no default limits: after a reset there are none.
  fc.constantFrom(CODES.heart_rate, CODES.spo2, CODES.steps),
  fc.record({ low: fc.option(fc.integer({ min: 30, max: 60 })), high: fc.integer({ min: 90, max: 130 }) }, { requiredKeys: [] }),
  { maxKeys: 3 },
);
const aged = fc.option(
  fc.record({
    band: fc.constantFrom(...AGE_BANDS),
    until: fc.option(fc.integer({ min: START - 5 * DAY, max: START + 40 * DAY })),
  }),
);
const lives = fc
  .array(
    fc.record({ at: fc.integer({ min: START - 10 * DAY, max: START + 40 * DAY }), age: aged, ward: override, patient: override }),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((all) =>
    all
      .sort((a, b) => a.at - b.at)
      .reduce<LimitsNote[]>((notes, { at, age, ward, patient }) => {
        const one: LimitsNote = { at, age, overrides: { ward, patient } as LimitsNote["overrides"] };
        return appendNote(notes, one) ?? notes;
      }, []),
  );

describe("the limits over a span", () => {
  it("are at each moment those that the alarm rules go by", () => {
    const anyMoments = fc.array(fc.integer({ min: START, max: START + 30 * DAY - 1 }), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(lives, anyMoments, (notes, moments) => {
        const span = { from: START, to: START + 30 * DAY };
        const steps = computeLimitsHistory(notes, { ...span, codes: null });
        for (const at of [START, ...moments, ...steps.map(({ from }) => Date.parse(from))]) {
          const rests = notes.findLast((one) => one.at <= at) ?? notes[0];
          for (const { silence_s: _, ...limits } of rests ? listLimitsInForce(rests, at) : []) {
            const step = steps.findLast(({ code, from }) => code === limits.code && Date.parse(from) <= at);
            expect(step).toEqual({ ...limits, from: step?.from });
          }
        }
        // No duplicates, nothing out of range, each code in order of time.
        for (const [i, { from, ...step }] of steps.entries()) {
          const before = steps[i - 1];
          expect(Date.parse(from)).toBeGreaterThanOrEqual(span.from);
          expect(Date.parse(from)).toBeLessThan(span.to);
          if (before?.code !== step.code) continue;
          expect(before.from < from).toBe(true);
          expect({ ...before, from: "" }).not.toEqual({ ...step, from: "" });
        }
      }),
      { numRuns: times(300, 3_000), seed: 41 },
    );
  });

  it("change with the birthday that ends an age band, and end where a vital has none left", () => {
    const birthday = START + 3 * DAY;
    const child = note(START - DAY, {}, { age: { band: "child", until: birthday } });
    const codes = [CODES.heart_rate];
    const [before, after, ...more] = computeLimitsHistory([child], { codes, from: START, to: START + 9 * DAY });
    expect(more).toEqual([]);
    expect([before?.from, after?.from]).toEqual([iso(START), iso(birthday)]);
    expect(after?.high).toBe(listLimitsInForce(note(0), birthday).find(({ code }) => code === CODES.heart_rate)?.high);
    expect(before?.high).not.toBe(after?.high);

    const steps = [note(START, { [CODES.steps]: { high: 20_000 } }), note(START + DAY)];
    expect(
      computeLimitsHistory(steps, { codes: [CODES.steps], from: START, to: START + 9 * DAY }).map(({ high }) => high),
    ).toEqual([20_000, null]);
  });

  it("keep what still held a year ago, and not more than two hundred changes", () => {
    const change = (at: number, high: number) => note(at, { [CODES.heart_rate]: { high } });
    expect(appendNote([change(START, 120)], change(START + DAY, 120))).toBeNull();
    const years = [0, 100, 400, 700].reduce<LimitsNote[]>(
      (notes, day, i) => appendNote(notes, change(START + day * DAY, 120 + i)) ?? [],
      [],
    );
    expect(years.map(({ at }) => (at - START) / DAY)).toEqual([100, 400, 700]);
    const many = Array.from({ length: 300 }, (_, i) => i).reduce<LimitsNote[]>(
      (notes, i) => appendNote(notes, change(START + i * 60_000, 100 + (i % 2))) ?? [],
      [],
    );
    expect([many.length, many.at(-1)?.at]).toEqual([200, START + 299 * 60_000]);
  });
});

describe("a chart's limits", () => {
  const told = computeLimitsHistory([note(START), note(START + DAY, { [CODES.heart_rate]: { high: 125 } })], {
    codes: null,
    from: START,
    to: START + 2 * DAY,
  });
  const steps = groupLimitSteps(told).get(CODES.heart_rate) ?? [];
  const live = (high: number, limitsSince: number) => ({
    limits: new Map(listLimitsInForce(note(0, { [CODES.heart_rate]: { high } }), START).map((one) => [one.code, one])),
    limitsSince,
  });

  it("are those of the time that is looked at", () => {
    expect([START - DAY, START, START + DAY - 1, START + DAY, START + 9 * DAY].map((at) => limitsAt(steps, at)?.high)).toEqual([
      null,
      null,
      null,
      125,
      125,
    ]);
    expect(limitsAt([], START)).toBeUndefined();
  });

  it("are continued by live changes, and not by changes that the response already contained", () => {
    const highs = (...more: Parameters<typeof live>) =>
      addLiveLimits(steps, CODES.heart_rate, live(...more), START + 2 * DAY).map(({ high, from }) => [
        high,
        (from - START) / DAY,
      ]);
    const known = [
      [null, 0],
      [125, 1],
    ];
    expect(highs(130, START + 3 * DAY)).toEqual([...known, [130, 3]]);
    expect(highs(125, START + 3 * DAY)).toEqual(known);
    expect(highs(120, START + DAY)).toEqual(known);
    expect(addLiveLimits(steps, CODES.heart_rate, undefined, START)).toBe(steps);
  });
});
