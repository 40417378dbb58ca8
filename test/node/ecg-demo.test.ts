// The demo ECG measures as its metrics state, and prints at the scale in its footer.

import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { drawEcgReport } from "../../cli/demo/ecg-pdf.ts";
import type { EcgMetrics, EcgSignal } from "../../cli/demo/ecg-signal.ts";
import { generateEcgMetrics, synthesizeEcg } from "../../cli/demo/ecg-signal.ts";

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);
const SAMPLE_MS = 2;
const MM = 72 / 25.4;
const RECORDED_AT = "2026-03-14T09:26:53+05:45";

type Point = { x: number; y: number };

describe("ecgMetrics", () => {
  it.each(SEEDS)("generates consistent adult resting values for seed %i", (seed) => {
    const metrics = generateEcgMetrics(seed);
    const rr = metrics.rr_interval_ms / 1000;
    expect(metrics.rr_interval_ms).toBe(Math.round(60_000 / metrics.heart_rate));
    expect(metrics.qtc_bazett_ms).toBe(Math.round(metrics.qt_interval_ms / Math.sqrt(rr)));
    expect(metrics.qtc_fridericia_ms).toBe(Math.round(metrics.qt_interval_ms / Math.cbrt(rr)));
    expectWithin(metrics.heart_rate, 50, 100);
    expectWithin(metrics.pr_interval_ms, 120, 200);
    expectWithin(metrics.qrs_duration_ms, 70, 110);
    expectWithin(metrics.qtc_bazett_ms, 350, 450);
    expectWithin(metrics.qrs_axis_deg, -30, 90);
    expect(generateEcgMetrics(seed)).toEqual(metrics);
  });

  it("differs between seeds", () => {
    expect(new Set(SEEDS.map((seed) => JSON.stringify(generateEcgMetrics(seed)))).size).toBe(SEEDS.length);
  });
});

describe("synthesizeEcg", () => {
  const outliers: Partial<EcgMetrics>[] = [
    { heart_rate: 45, rr_interval_ms: 1333 },
    { heart_rate: 110, rr_interval_ms: 545, qt_interval_ms: 310, pr_interval_ms: 130 },
    { pr_interval_ms: 240, heart_rate: 60, rr_interval_ms: 1000 },
    { qrs_duration_ms: 140, qt_interval_ms: 430, heart_rate: 60, rr_interval_ms: 1000 },
    { qt_interval_ms: 500, heart_rate: 55, rr_interval_ms: 1091 },
  ];
  const cases = [
    ...SEEDS.map((seed) => generateEcgMetrics(seed)),
    ...outliers.map((outlier) => ({ ...generateEcgMetrics(1), ...outlier })),
  ];

  it.each(cases)("measures as claimed: $heart_rate/min, QT $qt_interval_ms ms", (metrics) => {
    const measured = measure(synthesizeEcg(metrics, 3));
    expect(Math.abs(measured.rr / metrics.rr_interval_ms - 1)).toBeLessThan(0.01);
    expect(Math.abs(60_000 / measured.rr / metrics.heart_rate - 1)).toBeLessThan(0.01);
    expect(Math.abs(measured.p - metrics.p_duration_ms)).toBeLessThanOrEqual(20);
    expect(Math.abs(measured.pr - metrics.pr_interval_ms)).toBeLessThanOrEqual(20);
    expect(Math.abs(measured.qrs - metrics.qrs_duration_ms)).toBeLessThanOrEqual(20);
    expect(Math.abs(measured.qt - metrics.qt_interval_ms)).toBeLessThanOrEqual(20);
  });

  it.each([-60, -30, 0, 15, 45, 75, 90, 120, 170])("shows a QRS axis of %i°", (axis) => {
    const { area } = measure(synthesizeEcg({ ...generateEcgMetrics(4), qrs_axis_deg: axis }, 4));
    const measured = (Math.atan2((2 / Math.sqrt(3)) * area.aVF, area.I) * 180) / Math.PI;
    expect(Math.abs(measured - axis)).toBeLessThan(5);
  });

  it.each(SEEDS)("obeys Einthoven and Goldberger for seed %i", (seed) => {
    const { leads } = synthesizeEcg(generateEcgMetrics(seed), seed);
    expect(Object.keys(leads)).toHaveLength(12);
    const residues = Array.from({ length: 5000 }, (_, k) => {
      const [one, two, three] = [at(leads.I, k), at(leads.II, k), at(leads.III, k)];
      return Math.max(
        Math.abs(two - one - three),
        Math.abs(at(leads.aVR, k) + (one + two) / 2),
        Math.abs(at(leads.aVL, k) - (one - three) / 2),
        Math.abs(at(leads.aVF, k) - (two + three) / 2),
      );
    });
    expect(Math.max(...residues)).toBeLessThan(1e-9);
  });

  it.each(SEEDS)("shows a normal R progression for seed %i", (seed) => {
    const { leads } = synthesizeEcg(generateEcgMetrics(seed), seed);
    const rs = [leads.V1, leads.V2, leads.V3, leads.V4, leads.V5, leads.V6].map((lead) => {
      return Math.max(...lead) / -Math.min(...lead);
    });
    const [v1 = 0, v2 = 0, v3 = 0, v4 = 0, v5 = 0, v6 = 0] = rs;
    expect(v1).toBeLessThan(0.7);
    expect(v2).toBeLessThan(1);
    expect(v3).toBeGreaterThan(v2);
    expect(v4).toBeGreaterThan(v3);
    expect(v4).toBeGreaterThan(1);
    expect(v5).toBeGreaterThan(3);
    expect(v6).toBeGreaterThan(3);
    expect(Math.max(...leads.V1)).toBeGreaterThan(0.1);
    expect(Math.max(...leads.V4)).toBeLessThan(2.5);
  });

  it("repeats itself for a seed and not for another", () => {
    const metrics = generateEcgMetrics(1);
    expect(synthesizeEcg(metrics, 1)).toEqual(synthesizeEcg(metrics, 1));
    expect(synthesizeEcg(metrics, 1).leads.II).not.toEqual(synthesizeEcg(metrics, 2).leads.II);
  });
});

describe("drawEcgReport", () => {
  it("is one small, whole PDF file with the same bytes for the same input", async () => {
    const bytes = await draw(1);
    const text = Buffer.from(bytes).toString("latin1");
    expect(text.slice(0, 5)).toBe("%PDF-");
    expect(text.trimEnd().slice(-5)).toBe("%%EOF");
    expect(text.match(/\/Type \/Page\b/g)).toHaveLength(1);
    expect(text).toContain("D:20260314034153Z");
    expect(bytes.length).toBeLessThan(400_000);
    expect(Buffer.compare(await draw(1), bytes)).toBe(0);
    expect(Buffer.compare(await draw(2), bytes)).not.toBe(0);
  });

  it("draws every trace at 25 mm/s and 10 mm/mV, unscaled on A4 landscape", async () => {
    const bytes = await draw(1);
    const { leads } = synthesizeEcg(generateEcgMetrics(1), 1);
    const page = readPage(bytes);
    const [, width = "", height = ""] = /\/MediaBox \[0 0 (\S+) (\S+)\]/.exec(page.file) ?? [];
    expect(Number(width) / MM).toBeCloseTo(297, 1);
    expect(Number(height) / MM).toBeCloseTo(210, 1);
    const matrices = [...page.content.matchAll(/^(.*) cm$/gm)].map(([, matrix = ""]) => matrix);
    expect(matrices.length).toBeGreaterThan(0);
    expect(matrices.filter((matrix) => !matrix.startsWith("1 0 0 -1 0 "))).toEqual([]);

    const [rhythm = [], ...others] = page.paths.filter((path) => path.length === 5000);
    expect(others).toEqual([]);
    const baselines = page.paths.filter((path) => path.length === 6).map(([foot]) => foot?.y);
    expectTrace(rhythm, leads.II, baselines[3]);
    // The last of 5000 samples lies one sample, 0.05 mm, before the end of the tenth second.
    expect(mm(rhythm[0]?.x, rhythm.at(-1)?.x)).toBeCloseTo(250 - 0.05, 2);

    const columns = page.paths.filter((path) => path.length === 1250);
    const { I, II, III, aVR, aVL, aVF, V1, V2, V3, V4, V5, V6 } = leads;
    const layout = [
      [I, aVR, V1, V4],
      [II, aVL, V2, V5],
      [III, aVF, V3, V6],
    ].flat();
    expect(columns).toHaveLength(12);
    layout.forEach((lead, index) => {
      const start = (index % 4) * 1250;
      const column = columns[index] ?? [];
      expectTrace(column, lead.slice(start, start + 1250), baselines[Math.floor(index / 4)]);
      expect(mm(rhythm[start]?.x, column[0]?.x)).toBeCloseTo(0, 2);
    });
  });

  it("opens each row with a pulse of 10 mm by 5 mm, on paper ruled in millimetres", async () => {
    const { paths } = readPage(await draw(1));
    const pulses = paths.filter((path) => path.length === 6);
    expect(pulses).toHaveLength(4);
    for (const pulse of pulses) {
      const [, foot, top, shoulder] = pulse;
      expect(mm(top?.y, foot?.y)).toBeCloseTo(10, 2);
      expect(mm(top?.x, shoulder?.x)).toBeCloseTo(5, 2);
    }
    const uprights = paths.filter(([a, b]) => a?.x === b?.x && Math.abs(mm(a?.y, b?.y)) > 100);
    const gaps = uprights.slice(1).map((path, index) => mm(uprights[index]?.[0]?.x, path[0]?.x));
    expect(gaps.filter((gap) => Math.abs(gap - 1) < 0.001)).toHaveLength(270);
    expect(gaps.filter((gap) => Math.abs(gap - 5) < 0.001)).toHaveLength(54);
  });

  it("names the patient, the time as recorded, the figures and the caution", async () => {
    const { texts } = readPage(await draw(1));
    const metrics = generateEcgMetrics(1);
    const expected = ["Sita Gurung", "100234", "1971-04-09", "ECG-12", "Test Hospital"];
    const figures = Object.values(metrics).map(String);
    expect(texts).toEqual(expect.arrayContaining([...expected, "2026-03-14 09:26:53 +05:45"]));
    expect(texts).toEqual(expect.arrayContaining(figures));
    expect(texts.at(-1)).toMatch(/^25 mm\/s · 10 mm\/mV .* decision support, not a diagnosis$/);
  });

  it("prints ? for what the standard fonts lack, and refuses a time that is none", async () => {
    const { texts } = readPage(await draw(1, { name: "सीता Müller" }));
    expect(texts).toContain("???? Müller");
    await expect(draw(1, { recorded_at: "yesterday" })).rejects.toThrow("recorded_at is not");
  });
});

function draw(seed: number, { name = "Sita Gurung", recorded_at = RECORDED_AT } = {}) {
  const metrics = generateEcgMetrics(seed);
  const patient = { name, birth_date: "1971-04-09", sex: "female", patient_number: 100234 };
  const signal = synthesizeEcg(metrics, seed);
  const origin = { device: "ECG-12", hospital: "Test Hospital", recorded_at };
  return drawEcgReport({ metrics, signal, patient, ...origin });
}

function expectWithin(value: number, low: number, high: number) {
  expect(value).toBeGreaterThanOrEqual(low);
  expect(value).toBeLessThanOrEqual(high);
}

/** Measures like a cardiograph: averages the beats, and delimits waves by their spatial magnitude. */
function measure({ leads }: EcgSignal) {
  const spatial = magnitude(Object.values(leads));
  const half = Math.max(...spatial) / 2;
  const peaks = [...spatial.keys()].filter((k) => {
    const near = spatial.subarray(Math.max(0, k - 100), k + 101);
    return at(spatial, k) > half && at(spatial, k) === Math.max(...near);
  });
  const beats = peaks.filter((peak) => peak >= 200 && peak < 4700);
  const rr = mean(peaks.slice(1).map((peak, index) => peak - (peaks[index] ?? Number.NaN)));

  function average(lead: Float64Array): Float64Array {
    const length = 500;
    return level(Float64Array.from({ length }, (_, k) => mean(beats.map((peak) => at(lead, peak - 200 + k)))));
  }
  function area(lead: Float64Array): number {
    return mean([...average(lead).subarray(qrsOn, qrsOff + 1)]);
  }
  const beat = magnitude(Object.values(leads).map(average));
  const qrsOn = walk(beat, 200, -1, 0.05);
  const qrsOff = walk(beat, 200, 1, 0.05);
  const pPeak = summit(beat, qrsOn - 110, qrsOn - 5);
  const tPeak = summit(beat, qrsOff + 20, qrsOff + 170);
  // A twentieth of the small P wave would be within the baseline wander.
  const pOn = walk(beat, pPeak, -1, 0.1);
  return {
    rr: rr * SAMPLE_MS,
    p: (walk(beat, pPeak, 1, 0.1) - pOn) * SAMPLE_MS,
    pr: (qrsOn - pOn) * SAMPLE_MS,
    qrs: (qrsOff - qrsOn) * SAMPLE_MS,
    qt: (walk(beat, tPeak, 1, 0.05) - qrsOn) * SAMPLE_MS,
    area: { I: area(leads.I), aVF: area(leads.aVF) },
  };
}

/** Takes the quietest 40 ms before the QRS as the isoelectric line. */
function level(beat: Float64Array): Float64Array {
  const windows = Array.from({ length: 90 }, (_, start) => beat.slice(start + 50, start + 70));
  const spread = (part: Float64Array) => Math.max(...part) - Math.min(...part);
  const quiet = windows.reduce((best, part) => (spread(part) < spread(best) ? part : best));
  return beat.map((value) => value - mean([...quiet]));
}

/** The first sample from the peak on that is below a fraction of it. */
function walk(beat: Float64Array, peak: number, step: 1 | -1, fraction: number): number {
  let k = peak;
  while (at(beat, k) > fraction * at(beat, peak)) k += step;
  return k;
}

function summit(beat: Float64Array, from: number, to: number): number {
  const part = beat.subarray(from, to);
  return from + part.indexOf(Math.max(...part));
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function magnitude(leads: Float64Array[]): Float64Array {
  const rms = (k: number) => Math.sqrt(mean(leads.map((lead) => at(lead, k) ** 2)));
  return Float64Array.from({ length: leads[0]?.length ?? 0 }, (_, k) => rms(k));
}

/** NaN for a missing sample, because NaN fails every comparison. */
function at(samples: Float64Array, k: number): number {
  return samples[k] ?? Number.NaN;
}

/** The page as drawn: raw file, content stream, every path in points, and every text run. */
function readPage(bytes: Uint8Array) {
  const file = Buffer.from(bytes).toString("latin1");
  const start = file.indexOf("stream\n") + "stream\n".length;
  const packed = bytes.subarray(start, file.indexOf("\nendstream", start));
  const content = inflateSync(packed).toString("latin1");
  const paths: Point[][] = [];
  for (const [, x, y, operator] of content.matchAll(/^(\S+) (\S+) ([ml])$/gm)) {
    if (operator === "m") paths.push([]);
    paths.at(-1)?.push({ x: Number(x), y: Number(y) });
  }
  const texts = [...content.matchAll(/^\[(.*)\] TJ$/gm)].map(([, run = ""]) => {
    const hex = [...run.matchAll(/<([0-9a-f]*)>/g)].map(([, part = ""]) => part).join("");
    return new TextDecoder("windows-1252").decode(Buffer.from(hex, "hex"));
  });
  return { file, content, paths, texts };
}

function mm(from = Number.NaN, to = Number.NaN): number {
  return (to - from) / MM;
}

function expectTrace(path: Point[], millivolts: Float64Array, baseline: number | undefined) {
  expect(path).toHaveLength(millivolts.length);
  const errors = path.map(({ x, y }, k) => {
    const along = mm(path[0]?.x, x) - (k / 500) * 25;
    const up = mm(y, baseline) - at(millivolts, k) * 10;
    return Math.max(Math.abs(along), Math.abs(up));
  });
  expect(Math.max(...errors)).toBeLessThan(0.001);
}
