// NEWS2 against the RCP chart, published cases and an independent second implementation.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { mulberry32 } from "../../cli/random.ts";
import { ACVPU, type Acvpu, type News2Parameter, type News2Values, scoreNews2 } from "../../src/monitoring/vitals/news2.ts";
import { times, VERIFY } from "../long.ts";
import { absent } from "../shared-data.ts";
import { scorePart, scoreWith } from "./news2-world.ts";

/**
 * The second implementation: reads the chart column by column, as on paper, in whole tenths. Each row lists
 * [points, from, to] in the chart's own numbers; a value without exactly one column is an error, not a score.
 */
const ON_PAPER = {
  respiratory_rate: "3:0-8 1:9-11 0:12-20 2:21-24 3:25-999",
  spo2_1: "3:0-91 2:92-93 1:94-95 0:96-100",
  spo2_2_air: "3:0-83 2:84-85 1:86-87 0:88-100",
  spo2_2_oxygen: "3:0-83 2:84-85 1:86-87 0:88-92 1:93-94 2:95-96 3:97-100",
  systolic: "3:0-90 2:91-100 1:101-110 0:111-219 3:220-999",
  pulse: "3:0-40 1:41-50 0:51-90 1:91-110 2:111-130 3:131-999",
  // In tenths of a degree.
  temperature: "3:0-350 1:351-360 0:361-380 1:381-390 2:391-999",
};
const COLUMNS = new Map(
  Object.entries(ON_PAPER).map(([row, columns]) => [
    row,
    columns.split(" ").map((column) => column.split(/[:-]/).map(Number) as [number, number, number]),
  ]),
);
function onPaper(row: keyof typeof ON_PAPER, shown: number): number {
  const hits = (COLUMNS.get(row) ?? []).filter(([, from, to]) => shown >= from && shown <= to);
  const [hit] = hits;
  if (!hit || hits.length !== 1) throw new Error(`${row} ${shown} has ${hits.length} columns`);
  return hit[0];
}
/** Values are whole hundredths, so that rounding half up is integer arithmetic. */
type Hundredths = {
  rr: number;
  spo2: number;
  sbp: number;
  pulse: number;
  temp: number;
  oxygen: boolean;
  acvpu: Acvpu;
  scale: 1 | 2;
};
function secondOpinion({ rr, spo2, sbp, pulse, temp, oxygen, acvpu, scale }: Hundredths): { score: number; risk: string } {
  const whole = (hundredths: number) => Math.floor((hundredths + 50) / 100);
  const row = scale === 1 ? "spo2_1" : oxygen ? "spo2_2_oxygen" : "spo2_2_air";
  const columns = [
    onPaper("respiratory_rate", whole(rr)),
    onPaper(row, whole(spo2)),
    onPaper("systolic", whole(sbp)),
    onPaper("pulse", whole(pulse)),
    onPaper("temperature", Math.floor((temp + 5) / 10)),
    acvpu === "A" ? 0 : 3,
  ];
  let score = oxygen ? 2 : 0;
  for (const points of columns) score += points;
  const threes = columns.filter((points) => points === 3).length;
  const risk = score > 6 ? "high" : score > 4 ? "medium" : threes > 0 ? "low_medium" : "low";
  return { score, risk };
}

describe("the chart", () => {
  const EDGES: Record<string, [News2Parameter, (value: number) => Partial<News2Values>, 1 | 2, [number, number][]]> = {
    respiration: [
      "respiratory_rate",
      (respiratory_rate) => ({ respiratory_rate }),
      1,
      [
        [0, 3],
        [8, 3],
        [9, 1],
        [11, 1],
        [12, 0],
        [20, 0],
        [21, 2],
        [24, 2],
        [25, 3],
        [60, 3],
      ],
    ],
    "SpO2 scale 1": [
      "spo2",
      (spo2) => ({ spo2 }),
      1,
      [
        [0, 3],
        [91, 3],
        [92, 2],
        [93, 2],
        [94, 1],
        [95, 1],
        [96, 0],
        [100, 0],
      ],
    ],
    "SpO2 scale 1 on oxygen": [
      "spo2",
      (spo2) => ({ spo2, oxygen: true }),
      1,
      [
        [91, 3],
        [92, 2],
        [93, 2],
        [94, 1],
        [95, 1],
        [96, 0],
        [100, 0],
      ],
    ],
    "SpO2 scale 2 on air": [
      "spo2",
      (spo2) => ({ spo2 }),
      2,
      [
        [0, 3],
        [83, 3],
        [84, 2],
        [85, 2],
        [86, 1],
        [87, 1],
        [88, 0],
        [92, 0],
        [93, 0],
        [97, 0],
        [100, 0],
      ],
    ],
    "SpO2 scale 2 on oxygen": [
      "spo2",
      (spo2) => ({ spo2, oxygen: true }),
      2,
      [
        [83, 3],
        [84, 2],
        [85, 2],
        [86, 1],
        [87, 1],
        [88, 0],
        [92, 0],
        [93, 1],
        [94, 1],
        [95, 2],
        [96, 2],
        [97, 3],
        [100, 3],
      ],
    ],
    "systolic pressure": [
      "systolic",
      (systolic) => ({ systolic }),
      1,
      [
        [0, 3],
        [90, 3],
        [91, 2],
        [100, 2],
        [101, 1],
        [110, 1],
        [111, 0],
        [219, 0],
        [220, 3],
        [300, 3],
      ],
    ],
    pulse: [
      "pulse",
      (pulse) => ({ pulse }),
      1,
      [
        [0, 3],
        [40, 3],
        [41, 1],
        [50, 1],
        [51, 0],
        [90, 0],
        [91, 1],
        [110, 1],
        [111, 2],
        [130, 2],
        [131, 3],
        [300, 3],
      ],
    ],
    temperature: [
      "temperature",
      (temperature) => ({ temperature }),
      1,
      [
        [24, 3],
        [35, 3],
        [35.1, 1],
        [36, 1],
        [36.1, 0],
        [38, 0],
        [38.1, 1],
        [39, 1],
        [39.1, 2],
        [42, 2],
      ],
    ],
  };
  test.each(Object.entries(EDGES))("%s at every edge", (_, [name, changed, scale, edges]) => {
    expect(edges.map(([value]) => [value, scorePart(name, changed(value), scale)])).toEqual(edges);
  });

  test("oxygen has two points and everything but alert three", () => {
    expect([scorePart("oxygen", { oxygen: false }), scorePart("oxygen", { oxygen: true })]).toEqual([0, 2]);
    expect(ACVPU.map((consciousness) => scorePart("consciousness", { consciousness }))).toEqual([0, 3, 3, 3, 3]);
  });

  test("between its numbers: rounded half up to the chart's step", () => {
    expect([8.49, 8.5, 11.5, 20.49, 24.5].map((respiratory_rate) => scorePart("respiratory_rate", { respiratory_rate }))).toEqual(
      [3, 1, 0, 0, 3],
    );
    expect([35.04, 35.05, 36.05, 38.04, 38.05, 39.05].map((temperature) => scorePart("temperature", { temperature }))).toEqual([
      3, 1, 0, 0, 1, 2,
    ]);
    expect([91.49, 91.5].map((spo2) => scorePart("spo2", { spo2 }))).toEqual([3, 2]);
    expect([219.49, 219.5].map((systolic) => scorePart("systolic", { systolic }))).toEqual([0, 3]);
  });

  test("every hundredth of every parameter has exactly one band", () => {
    const base: Hundredths = { rr: 1600, spo2: 9800, sbp: 12000, pulse: 7000, temp: 3680, oxygen: false, acvpu: "A", scale: 1 };
    const sweep = (
      to: number,
      name: News2Parameter,
      put: (n: number) => Partial<Hundredths>,
      value: (n: number) => Partial<News2Values>,
    ) => {
      for (const scale of [1, 2] as const) {
        for (const oxygen of [false, true]) {
          const wrong: number[] = [];
          for (let n = 0; n <= to; n++) {
            const first = scoreWith({ ...value(n), oxygen }, scale);
            if (first.score !== secondOpinion({ ...base, oxygen, scale, ...put(n) }).score) wrong.push(n);
          }
          expect(wrong, name).toEqual([]);
        }
      }
    };
    sweep(
      7000,
      "respiratory_rate",
      (rr) => ({ rr }),
      (n) => ({ respiratory_rate: n / 100 }),
    );
    sweep(
      10_000,
      "spo2",
      (spo2) => ({ spo2 }),
      (n) => ({ spo2: n / 100 }),
    );
    sweep(
      30_000,
      "systolic",
      (sbp) => ({ sbp }),
      (n) => ({ systolic: n / 100 }),
    );
    sweep(
      30_000,
      "pulse",
      (pulse) => ({ pulse }),
      (n) => ({ pulse: n / 100 }),
    );
    sweep(
      4650,
      "temperature",
      (temp) => ({ temp }),
      (n) => ({ temperature: n / 100 }),
    );
  });

  test("a chart read without rounding has holes: the sweep would see them", () => {
    expect(() => onPaper("respiratory_rate", 8.5)).toThrow("0 columns");
    expect(() => onPaper("temperature", 350.5)).toThrow("0 columns");
  });
});

describe("published cases", () => {
  const file = "../shared/data/vectors/news2/news2_cases.json";
  type Inputs = { rr: number; spo2: number; scale: 1 | 2; o2: boolean; sbp: number; hr: number; acvpu: Acvpu; t: number };
  type Cases = {
    totals: { input: Inputs; expected_total: number; published_total_wrong?: number }[];
    bands: Record<string, [number, number][]>;
  };
  const cases: Cases | null = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;

  test("have their totals, the chart deciding where an example contradicts it", ({ skip }) => {
    skip(!cases, absent("vectors/news2"));
    expect(cases?.totals.length).toBeGreaterThanOrEqual(14);
    for (const { input, expected_total, published_total_wrong } of cases?.totals ?? []) {
      const { rr, spo2, scale, o2, sbp, hr, acvpu, t } = input;
      const changed: News2Values = {
        respiratory_rate: rr,
        spo2,
        oxygen: o2,
        systolic: sbp,
        pulse: hr,
        consciousness: acvpu,
        temperature: t,
      };
      expect(scoreWith(changed, scale).score).toBe(expected_total);
      expect(scoreWith(changed, scale).score).not.toBe(published_total_wrong);
    }
    expect(scorePart("spo2", { spo2: 93, oxygen: true }, 2)).toBe(1);
  });

  test("have their bands", ({ skip }) => {
    skip(!cases, absent("vectors/news2"));
    const of: Record<string, (value: number) => number> = {
      rr: (respiratory_rate) => scorePart("respiratory_rate", { respiratory_rate }),
      spo2_scale1: (spo2) => scorePart("spo2", { spo2 }),
      spo2_scale2_air: (spo2) => scorePart("spo2", { spo2 }, 2),
      spo2_scale2_oxygen: (spo2) => scorePart("spo2", { spo2, oxygen: true }, 2),
      sbp: (systolic) => scorePart("systolic", { systolic }),
      pulse: (pulse) => scorePart("pulse", { pulse }),
      temp: (temperature) => scorePart("temperature", { temperature }),
    };
    for (const [name, score] of Object.entries(of)) {
      const edges = cases?.bands[name] ?? [];
      expect(edges.length, name).toBeGreaterThan(5);
      expect(edges.map(([value]) => [value, score(value)])).toEqual(edges);
    }
  });
});

describe("two implementations", () => {
  /** The number of random patients for whom the two disagree. */
  function disagreements(
    patients: number,
    seed: number,
    judge: (values: News2Values, scale: 1 | 2) => { score: number; risk: string } | { missing: News2Parameter[] },
  ) {
    const random = mulberry32(seed);
    const upTo = (max: number) => Math.floor(random() * (max + 1));
    // Half of the values are near an edge, where faults are likely.
    const near = (edges: number[], max: number) =>
      random() < 0.5 ? upTo(max) : (edges[upTo(edges.length - 1)] ?? 0) * 100 + upTo(200) - 100;
    let wrong = 0;
    for (let i = 0; i < patients; i++) {
      const patient: Hundredths = {
        rr: near([8, 11, 20, 24], 6000),
        spo2: Math.min(10_000, near([83, 85, 87, 91, 92, 93, 94, 95, 96, 97], 10_000)),
        sbp: near([90, 100, 110, 219], 30_000),
        pulse: near([40, 50, 90, 110, 130], 25_000),
        temp: near([35, 36, 38, 39], 4600),
        oxygen: random() < 0.5,
        acvpu: ACVPU[upTo(4)] ?? "A",
        scale: random() < 0.5 ? 1 : 2,
      };
      const first = judge(
        {
          respiratory_rate: patient.rr / 100,
          spo2: patient.spo2 / 100,
          oxygen: patient.oxygen,
          systolic: patient.sbp / 100,
          pulse: patient.pulse / 100,
          consciousness: patient.acvpu,
          temperature: patient.temp / 100,
        },
        patient.scale,
      );
      const second = secondOpinion(patient);
      if ("missing" in first || first.score !== second.score || first.risk !== second.risk) wrong++;
    }
    return wrong;
  }

  const PATIENTS = times(100_000, 1_000_000);
  test(`agree on ${PATIENTS} random patients`, () => {
    const seed = VERIFY ? Math.floor(Math.random() * 2 ** 32) : 1;
    expect(disagreements(PATIENTS, seed, scoreNews2), `seed ${seed}`).toBe(0);
  });

  test("detect a chart with one wrong edge, or one that rounds down", () => {
    const moved: typeof scoreNews2 = (values, scale) =>
      scoreNews2({ ...values, pulse: values.pulse === null ? null : values.pulse - 0.01 }, scale);
    const down: typeof scoreNews2 = (values, scale) =>
      scoreNews2(
        { ...values, temperature: values.temperature === null ? null : Math.floor(values.temperature * 10) / 10 },
        scale,
      );
    expect(disagreements(20_000, 1, moved)).toBeGreaterThan(0);
    expect(disagreements(20_000, 1, down)).toBeGreaterThan(0);
  });
});
