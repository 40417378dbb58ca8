// NEWS2, the National Early Warning Score of the Royal College of Physicians (London, December 2017). Decision support, not a diagnosis.
import { CODES, roundHalfUp } from "./catalogue.ts";
import { ACVPU, type Acvpu, NEWS2_SOURCES } from "./codes.ts";
import type { TakenScore } from "./freshness.ts";
import { type AgeBand, type Sample, shownAt } from "./model.ts";

export { ACVPU, type Acvpu };
export const NEWS2_PARAMETERS = [
  "respiratory_rate",
  "spo2",
  "oxygen",
  "systolic",
  "pulse",
  "consciousness",
  "temperature",
] as const;
export type News2Parameter = (typeof NEWS2_PARAMETERS)[number];

/** In the catalogue's units; `oxygen`: true on supplemental oxygen, false on air. Null means unknown. */
export type News2Values = {
  [name in Exclude<News2Parameter, "oxygen" | "consciousness">]: number | null;
} & { oxygen: boolean | null; consciousness: Acvpu | null };

export type News2Risk = "low" | "low_medium" | "medium" | "high";
export type News2 = { score: number; risk: News2Risk; parts: Record<News2Parameter, number>; single3: boolean };

/** A row of RCP chart 1: points up to a value (inclusive), and above the last. */
type PointBands = { upTo: readonly (readonly [value: number, points: number])[]; above: number };
const RESPIRATION: PointBands = {
  upTo: [
    [8, 3],
    [11, 1],
    [20, 0],
    [24, 2],
  ],
  above: 3,
};
const SPO2_SCALE_1: PointBands = {
  upTo: [
    [91, 3],
    [93, 2],
    [95, 1],
  ],
  above: 0,
};
const SPO2_SCALE_2_AIR: PointBands = {
  upTo: [
    [83, 3],
    [85, 2],
    [87, 1],
  ],
  above: 0,
};
const SPO2_SCALE_2_OXYGEN: PointBands = {
  upTo: [
    [83, 3],
    [85, 2],
    [87, 1],
    [92, 0],
    [94, 1],
    [96, 2],
  ],
  above: 3,
};
const SYSTOLIC: PointBands = {
  upTo: [
    [90, 3],
    [100, 2],
    [110, 1],
    [219, 0],
  ],
  above: 3,
};
const PULSE: PointBands = {
  upTo: [
    [40, 3],
    [50, 1],
    [90, 0],
    [110, 1],
    [130, 2],
  ],
  above: 3,
};
const TEMPERATURE: PointBands = {
  upTo: [
    [35, 3],
    [36, 1],
    [38, 0],
    [39, 1],
  ],
  above: 2,
};

/**
 * The chart has whole numbers, and tenths for temperature, so a value between two bands is undefined. Values are first rounded half up
 * to the chart's step, as on the display of a monitor.
 */
function scoreValue({ upTo, above }: PointBands, value: number, decimals = 0): number {
  const displayed = roundHalfUp(value, decimals);
  return upTo.find(([end]) => displayed <= end)?.[1] ?? above;
}

function selectSpo2Bands(scale: 1 | 2, oxygen: boolean): PointBands {
  if (scale === 1) return SPO2_SCALE_1;
  return oxygen ? SPO2_SCALE_2_OXYGEN : SPO2_SCALE_2_AIR;
}

/** RCP table 3: 7 and more high, 5 and 6 medium, less low unless a single parameter has three points. */
export function toRisk(score: number, single3: boolean): News2Risk {
  if (score >= 7) return "high";
  if (score >= 5) return "medium";
  return single3 ? "low_medium" : "low";
}

type CompleteValues = { [name in News2Parameter]: NonNullable<News2Values[name]> };
const isKnown = (value: unknown) => value !== null && (typeof value !== "number" || Number.isFinite(value));
const isComplete = (values: News2Values): values is CompleteValues => NEWS2_PARAMETERS.every((name) => isKnown(values[name]));

/**
 * The score (0 to 20) with the points of each parameter, or the names of missing parameters. Scale 2 is only for hypercapnic
 * respiratory failure, by a clinician's decision.
 */
export function scoreNews2(values: News2Values, scale: 1 | 2): News2 | { missing: News2Parameter[] } {
  if (!isComplete(values)) return { missing: NEWS2_PARAMETERS.filter((name) => !isKnown(values[name])) };
  const { respiratory_rate, spo2, oxygen, systolic, pulse, consciousness, temperature } = values;
  const parts: News2["parts"] = {
    respiratory_rate: scoreValue(RESPIRATION, respiratory_rate),
    spo2: scoreValue(selectSpo2Bands(scale, oxygen), spo2),
    oxygen: oxygen ? 2 : 0,
    systolic: scoreValue(SYSTOLIC, systolic),
    pulse: scoreValue(PULSE, pulse),
    consciousness: consciousness === "A" ? 0 : 3,
    temperature: scoreValue(TEMPERATURE, temperature, 1),
  };
  const allPoints = Object.values(parts);
  const score = allPoints.reduce((sum, part) => sum + part, 0);
  const single3 = allPoints.includes(3);
  return { score, risk: toRisk(score, single3), parts, single3 };
}

/** The latest sample of a code; `at` and `received` are epoch milliseconds, `received` by the server's clock. */
export type LatestSample = Pick<Sample, "value" | "at" | "status"> & { received: number };
export type News2Result =
  | ({ status: "complete" } & News2)
  /** `stale`: measured too long ago. `missing`: never measured, or the latest value is invalid. */
  | { status: "incomplete"; missing: News2Parameter[]; stale: News2Parameter[] };

/**
 * The score from the latest sample of each LOINC code. A sample counts while both its measurement and its receipt are within
 * `windowMs`. Neither oxygen nor air is assumed.
 */
export function computeNews2(
  latest: Readonly<Record<string, LatestSample | undefined>>,
  { now, windowMs, scale }: { now: number; windowMs: number; scale: 1 | 2 },
): News2Result {
  const validSample = (code: string) => (latest[code]?.status === "final" ? latest[code] : null);
  const findFresh = (code: string) => {
    const sample = validSample(code);
    return sample && now - shownAt(sample) <= windowMs ? { value: sample.value, at: shownAt(sample) } : null;
  };
  const result = scoreNews2(toNews2Values(findFresh), scale);
  if (!("missing" in result)) return { status: "complete", ...result };
  const wasMeasured = (name: News2Parameter) => PARAMETER_CODES[name].some(validSample);
  return {
    status: "incomplete",
    missing: result.missing.filter((name) => !wasMeasured(name)),
    stale: result.missing.filter(wasMeasured),
  };
}

type Measured = { value: number; at: number };

/** @param find the value of a LOINC code with its time; null when it is unknown */
function toNews2Values(find: (code: string) => Measured | null): News2Values {
  const readValue = (code: string) => find(code)?.value ?? null;
  return {
    respiratory_rate: readValue(CODES.respiratory_rate),
    spo2: readValue(CODES.spo2),
    oxygen: isOnOxygen(find(CODES.inspired_oxygen), find(CODES.oxygen_flow)),
    systolic: readValue(CODES.systolic),
    pulse: readValue(CODES.heart_rate),
    consciousness: ACVPU[readValue(CODES.consciousness) ?? -1] ?? null,
    temperature: readValue(CODES.temperature),
  };
}

/** The values of one set of observations by LOINC code, with their times of measurement, epoch milliseconds. */
export type ObservationSet = Record<string, Measured>;

/**
 * The newest complete set: the latest values, none older than the newest by more than `windowMs`, since RCP 2017 scores observations of
 * the same time. Null when parameters are missing or were measured at another time.
 */
export function findNewestSet(
  latest: Readonly<Record<string, LatestSample | undefined>>,
  { windowMs, scale }: { windowMs: number; scale: 1 | 2 },
): ObservationSet | null {
  const valid = ALL_CODES.flatMap((code) => {
    const sample = latest[code];
    return sample?.status === "final" ? [{ code, value: sample.value, at: shownAt(sample) }] : [];
  });
  const newest = Math.max(...valid.map(({ at }) => at));
  const inWindow = valid.filter(({ at }) => newest - at <= windowMs);
  const set = Object.fromEntries(inWindow.map(({ code, value, at }) => [code, { value, at }]));
  return scoreSet(set, scale) ? set : null;
}

/** The score of exactly these values, or the names of missing parameters. */
export function scoreNews2Set(set: ObservationSet, scale: 1 | 2): News2 | { missing: News2Parameter[] } {
  return scoreNews2(
    toNews2Values((code) => set[code] ?? null),
    scale,
  );
}

/** The newest measurement of a set, epoch milliseconds. */
export const timeOfSet = (set: ObservationSet): number => Math.max(...Object.values(set).map(({ at }) => at));

/** The score of a set; null when it is not complete. `from` and `at`: its oldest and its newest measurement. */
export function scoreSet(set: ObservationSet, scale: 1 | 2): (News2 & TakenScore) | null {
  const at = timeOfSet(set);
  const samples = Object.entries(set).map(
    ([code, sample]) => [code, { ...sample, received: sample.at, status: "final" }] as const,
  );
  const result = computeNews2(Object.fromEntries(samples), {
    now: at,
    windowMs: at - Math.min(...Object.values(set).map((sample) => sample.at)),
    scale,
  });
  if (result.status === "incomplete") return null;
  const { score, risk, parts, single3 } = result;
  // Each parameter is as old as its newest source: a flow that was given now is not as old as the air before it.
  const from = Math.min(
    ...NEWS2_PARAMETERS.map((name) => Math.max(...PARAMETER_CODES[name].flatMap((code) => set[code]?.at ?? []))),
  );
  return { score, risk, parts, single3, from, at };
}

/** Where each parameter comes from: LOINC codes, any of which is enough. */
export const PARAMETER_CODES: Readonly<Record<News2Parameter, readonly string[]>> = NEWS2_SOURCES;

const ALL_CODES: readonly string[] = Object.values(NEWS2_SOURCES).flat();

/**
 * The highest inspired oxygen, in %, that is air. NEWS2 asks only "air or oxygen" (RCP 2017, chart 1). Air has 20.9 %, an analyser errs by
 * about 1 %, and the lowest fraction that is given is 24 %, of a Venturi valve or 1 L/min (BTS guideline, Thorax 2017;72 Suppl 1).
 */
export const MAX_AIR_PERCENT = 22;

/** True above air or with any flow, by what was measured last, or by either of the same time; null when neither is known. */
function isOnOxygen(percent: Measured | null, flow: Measured | null): boolean | null {
  const byPercent = percent && { isOxygen: percent.value > MAX_AIR_PERCENT, at: percent.at };
  const byFlow = flow && { isOxygen: flow.value > 0, at: flow.at };
  if (!byPercent || !byFlow) return (byPercent ?? byFlow)?.isOxygen ?? null;
  if (byPercent.at === byFlow.at) return byPercent.isOxygen || byFlow.isOxygen;
  return (byPercent.at > byFlow.at ? byPercent : byFlow).isOxygen;
}

/** NEWS2 applies to people aged 16 or over who are not pregnant (RCP 2017). */
export function isNews2Applicable(band: AgeBand, pregnant: boolean): boolean {
  return band === "adult" && !pregnant;
}
