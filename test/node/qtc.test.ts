// QTc by Bazett and Fridericia from the intervals of a report: known values, missing inputs, differences from the machine.
import { describe, expect, it } from "vitest";
import { computeQtc } from "../../src/reports/reading/qtc.ts";

/** QT (ms), RR (ms), Bazett, Fridericia: by hand; RR 640 and 512 ms have the roots 0.8. */
const KNOWN = [
  [400, 1000, 400, 400],
  [400, 640, 500, 464],
  [320, 512, 447, 400],
  [360, 800, 402, 388],
  [300, 500, 424, 378],
  [440, 1200, 402, 414],
  [500, 1500, 408, 437],
] as const;

describe("QTc", () => {
  it.each(KNOWN)("of QT %d ms and RR %d ms is %d (Bazett) and %d (Fridericia)", (qt, rr, bazett, fridericia) => {
    const fromRr = computeQtc({ qt_interval_ms: qt, rr_interval_ms: rr });
    expect(fromRr).toMatchObject({
      bazett_ms: bazett,
      fridericia_ms: fridericia,
      rr_interval_ms: rr,
      rr_source: "rr_interval_ms",
    });
    const fromRate = computeQtc({ qt_interval_ms: qt, heart_rate: 60_000 / rr });
    expect(fromRate).toMatchObject({ bazett_ms: bazett, fridericia_ms: fridericia, rr_interval_ms: rr, rr_source: "heart_rate" });
    expect(fromRr).toMatchObject({ label: "computed from supplied intervals", qt_interval_ms: qt, differing: [] });
  });

  it("by swapped roots, or with RR in ms, would not have these values", () => {
    const swapped = (qt: number, rr: number) => [Math.round(qt / Math.cbrt(rr / 1000)), Math.round(qt / Math.sqrt(rr / 1000))];
    const inMs = (qt: number, rr: number) => [Math.round(qt / Math.sqrt(rr)), Math.round(qt / Math.cbrt(rr))];
    for (const wrong of [swapped, inMs])
      expect(KNOWN.every(([qt, rr, ...right]) => wrong(qt, rr).join() === right.join())).toBe(false);
  });

  it("uses the RR interval before the heart rate", () => {
    expect(computeQtc({ qt_interval_ms: 400, rr_interval_ms: 640, heart_rate: 60 })).toMatchObject({ bazett_ms: 500 });
    expect(computeQtc({ qt_interval_ms: 400, rr_interval_ms: 0, heart_rate: 60 })).toMatchObject({ bazett_ms: 400 });
  });

  it.each([
    ["no metrics", null],
    ["no QT", { rr_interval_ms: 800 }],
    ["neither RR nor rate", { qt_interval_ms: 400 }],
    ["QT 0", { qt_interval_ms: 0, rr_interval_ms: 800 }],
    ["RR and rate 0", { qt_interval_ms: 400, rr_interval_ms: 0, heart_rate: 0 }],
    ["text", { qt_interval_ms: "400", rr_interval_ms: 800 }],
    ["an implausible QT", { qt_interval_ms: 5001, rr_interval_ms: 800 }],
  ])("of %s is nothing", (_, metrics) => {
    expect(computeQtc(metrics)).toBeNull();
  });

  it.each([
    ["equal", { qtc_bazett_ms: 500, qtc_fridericia_ms: 464 }, []],
    ["10 ms apart", { qtc_bazett_ms: 510, qtc_fridericia_ms: 454 }, []],
    ["11 ms apart", { qtc_bazett_ms: 489, qtc_fridericia_ms: 475 }, ["qtc_bazett_ms", "qtc_fridericia_ms"]],
    ["swapped", { qtc_bazett_ms: 464 }, ["qtc_bazett_ms"]],
    ["without a formula, near one of both", { qtc_interval_ms: 470 }, []],
    ["without a formula, near neither", { qtc_interval_ms: 482 }, ["qtc_interval_ms"]],
    ["not measured", { qtc_bazett_ms: 0 }, []],
  ])("of a machine, %s", (_, machine, differing) => {
    expect(computeQtc({ qt_interval_ms: 400, rr_interval_ms: 640, ...machine })?.differing).toEqual(differing);
  });
});
