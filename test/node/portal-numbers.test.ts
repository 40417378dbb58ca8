// Numbers that people type: what the portal shows reads back as itself, and what can be read in two ways is never guessed.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatNumber } from "../../portal/src/platform/design/format.ts";
import { parseNumber, readNumber } from "../../portal/src/platform/design/parse-number.ts";

const toDevanagari = (text: string) => text.replace(/\d/g, (digit) => String.fromCharCode(0x966 + Number(digit)));
const LOCALES = ["en-IN", "hi-IN-u-nu-latn", "hi-IN-u-nu-deva", "en-US"] as const;

/** With at most three decimal places, which the portal shows. */
const numbers = fc.oneof(
  fc.integer({ min: -99_999_999, max: 99_999_999 }),
  fc.integer({ min: -99_999_999, max: 99_999_999 }).map((n) => n / 1_000),
);

describe("a number as it is shown", () => {
  it.each(LOCALES)("reads back as itself or is asked about (%s)", (locale) => {
    const format = new Intl.NumberFormat(locale);
    fc.assert(
      fc.property(numbers, (value) => {
        const shown = format.format(value);
        for (const text of [shown, toDevanagari(shown), ` ${shown}\u00a0`, `\u200e${shown}\u200f`]) {
          const reading = readNumber(text, locale);
          const read =
            reading.kind === "number" ? reading.value : reading.kind === "ambiguous" ? reading.readings[0] : Number.NaN;
          expect(read + 0, text).toBe(value + 0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("reads back from the portal's own format", () => {
    for (const value of [0, 72, 4200.5, 36.8, 123_456, 12_345_678.25]) expect(parseNumber(formatNumber(value))).toBe(value);
  });
});

describe("a number that can be read in two ways", () => {
  it.each([
    ["4,200", [4200, 4.2]],
    ["४,२००", [4200, 4.2]],
    ["-12,345", [-12_345, -12.345]],
    ["1,000", [1000, 1]],
  ])("is asked about: %s", (text, readings) => {
    expect(readNumber(text, "en-IN")).toEqual({ kind: "ambiguous", readings });
    expect(parseNumber(text)).toBeNull();
  });

  it("is asked about in a locale of decimal commas too", () => {
    expect(readNumber("4.200", "de-DE")).toEqual({ kind: "ambiguous", readings: [4200, 4.2] });
    expect(readNumber("4,2", "de-DE")).toEqual({ kind: "number", value: 4.2 });
    expect(readNumber("1.234.567,5", "de-DE")).toEqual({ kind: "number", value: 1_234_567.5 });
  });
});

describe("what can be read in one way", () => {
  it.each([
    ["72", 72],
    [" ७२ ", 72],
    ["36.8", 36.8],
    ["37,2", 37.2],
    ["12,34", 12.34],
    ["0,125", 0.125],
    ["1234,567", 1234.567],
    ["4.200", 4.2],
    ["1,23,456", 123_456],
    ["1,234,567", 1_234_567],
    ["4,200.0", 4200],
    ["\u22125", -5],
    ["+5", 5],
  ])("%s is %d", (text, value) => {
    expect(readNumber(text, "en-IN")).toEqual({ kind: "number", value });
  });

  it.each([
    "",
    "-",
    "7o",
    "1.2.3",
    "1.234,5",
    "1,2,3",
    "12,3456,789",
    "0,123,456",
    "1e3",
    "0x10",
    "4 200",
    ".5",
    "५.",
    "9".repeat(400),
  ])("%s is no number", (text) => expect(readNumber(text, "en-IN")).toEqual({ kind: "invalid" }));
});
