// NEWS2, the National Early Warning Score of the Royal College of Physicians (London, December 2017). Decision support, no diagnosis.
import { CODES, rounded } from "./catalogue.ts";
import { NEWS2_SOURCES } from "./codes.ts";
import type { AgeBand, Sample } from "./model.ts";

export const ACVPU = ["A", "C", "V", "P", "U"] as const;
export type Acvpu = (typeof ACVPU)[number];
export const PARAMETERS = ["respiratory_rate", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature"] as const;
export type Parameter = (typeof PARAMETERS)[number];

/** In the catalogue's units; `oxygen` is true on any supplemental oxygen, false on air. null is not known. */
export type News2Values = {
  [name in Exclude<Parameter, "oxygen" | "consciousness">]: number | null;
} & { oxygen: boolean | null; consciousness: Acvpu | null };

export type Risk = "low" | "low_medium" | "medium" | "high";
export type News2 = { score: number; risk: Risk; parts: Record<Parameter, number>; single3: boolean };

/** A row of chart 1: points up to a value, inclusive, and above the last. */
type Bands = { upTo: readonly (readonly [value: number, points: number])[]; above: number };
const RESPIRATION: Bands = {
  upTo: [
    [8, 3],
    [11, 1],
    [20, 0],
    [24, 2],
  ],
  above: 3,
};
const SPO2_SCALE_1: Bands = {
  upTo: [
    [91, 3],
    [93, 2],
    [95, 1],
  ],
  above: 0,
};
const SPO2_SCALE_2_AIR: Bands = {
  upTo: [
    [83, 3],
    [85, 2],
    [87, 1],
  ],
  above: 0,
};
const SPO2_SCALE_2_OXYGEN: Bands = {
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
const SYSTOLIC: Bands = {
  upTo: [
    [90, 3],
    [100, 2],
    [110, 1],
    [219, 0],
  ],
  above: 3,
};
const PULSE: Bands = {
  upTo: [
    [40, 3],
    [50, 1],
    [90, 0],
    [110, 1],
    [130, 2],
  ],
  above: 3,
};
const TEMPERATURE: Bands = {
  upTo: [
    [35, 3],
    [36, 1],
    [38, 0],
    [39, 1],
  ],
  above: 2,
};

/**
 * The chart has whole numbers, and tenths for temperature; between 8 and 9 it says nothing. A value is rounded half up to its
 * chart's step first, as the display of a monitor would, so that each value has exactly one band.
 */
function points({ upTo, above }: Bands, value: number, decimals = 0): number {
  const shown = rounded(value, decimals);
  return upTo.find(([end]) => shown <= end)?.[1] ?? above;
}

function saturationBands(scale: 1 | 2, oxygen: boolean): Bands {
  if (scale === 1) return SPO2_SCALE_1;
  return oxygen ? SPO2_SCALE_2_OXYGEN : SPO2_SCALE_2_AIR;
}

/** RCP table 3: 7 and more high, 5 and 6 medium, less low unless a single parameter has three points. */
function riskOf(score: number, single3: boolean): Risk {
  if (score >= 7) return "high";
  if (score >= 5) return "medium";
  return single3 ? "low_medium" : "low";
}

type Complete = { [name in Parameter]: NonNullable<News2Values[name]> };
const isKnown = (value: unknown) => value !== null && (typeof value !== "number" || Number.isFinite(value));
const isComplete = (values: News2Values): values is Complete => PARAMETERS.every((name) => isKnown(values[name]));

/**
 * The score, 0 to 20, with the points of each parameter; or the names of what is missing, and then no number at all. Scale 2 is for
 * hypercapnic failure alone, by a clinician's decision.
 */
export function news2(values: News2Values, scale: 1 | 2): News2 | { missing: Parameter[] } {
  if (!isComplete(values)) return { missing: PARAMETERS.filter((name) => !isKnown(values[name])) };
  const { respiratory_rate, spo2, oxygen, systolic, pulse, consciousness, temperature } = values;
  const parts: News2["parts"] = {
    respiratory_rate: points(RESPIRATION, respiratory_rate),
    spo2: points(saturationBands(scale, oxygen), spo2),
    oxygen: oxygen ? 2 : 0,
    systolic: points(SYSTOLIC, systolic),
    pulse: points(PULSE, pulse),
    consciousness: consciousness === "A" ? 0 : 3,
    temperature: points(TEMPERATURE, temperature, 1),
  };
  const each = Object.values(parts);
  const score = each.reduce((sum, part) => sum + part, 0);
  const single3 = each.includes(3);
  return { score, risk: riskOf(score, single3), parts, single3 };
}

/** The latest sample of a code; `at` and `received` in epoch ms, `received` by the server's clock. */
export type Latest = Pick<Sample, "value" | "at" | "status"> & { received: number };
export type News2Now =
  | ({ status: "complete" } & News2)
  /** `stale`: was measured, and too long ago. `missing`: never was, or its latest value is invalid. */
  | { status: "incomplete"; missing: Parameter[]; stale: Parameter[] };

/**
 * The score from the latest sample of each LOINC code. A sample counts for `windowMs` from when the server received it, and what was
 * measured longer ago does not count however late it came. Neither oxygen nor air is assumed.
 */
export function news2Of(
  latest: Readonly<Record<string, Latest | undefined>>,
  { now, windowMs, scale }: { now: number; windowMs: number; scale: 1 | 2 },
): News2Now {
  const valid = (code: string) => (latest[code]?.status === "final" ? latest[code] : null);
  const fresh = (code: string) => {
    const sample = valid(code);
    return sample && now - Math.min(sample.received, sample.at) <= windowMs ? sample.value : null;
  };
  const scored = news2(
    {
      respiratory_rate: fresh(CODES.respiratory_rate),
      spo2: fresh(CODES.spo2),
      oxygen: onOxygen(fresh(CODES.inspired_oxygen), fresh(CODES.oxygen_flow)),
      systolic: fresh(CODES.systolic),
      pulse: fresh(CODES.heart_rate),
      consciousness: ACVPU[fresh(CODES.consciousness) ?? -1] ?? null,
      temperature: fresh(CODES.temperature),
    },
    scale,
  );
  if (!("missing" in scored)) return { status: "complete", ...scored };
  const wasMeasured = (name: Parameter) => SOURCES[name].some(valid);
  return {
    status: "incomplete",
    missing: scored.missing.filter((name) => !wasMeasured(name)),
    stale: scored.missing.filter(wasMeasured),
  };
}

const SOURCES: Readonly<Record<Parameter, readonly string[]>> = NEWS2_SOURCES;

/** More than the 21 % of air, or any flow; null where neither is known. */
function onOxygen(percent: number | null, flow: number | null): boolean | null {
  if (percent === null && flow === null) return null;
  return (percent ?? 0) > 21 || (flow ?? 0) > 0;
}

/** The RCP has it for people of 16 and over who are not pregnant. */
export function news2Applies(band: AgeBand, pregnant: boolean): boolean {
  return band === "adult" && !pregnant;
}
