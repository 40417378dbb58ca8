// A set of observations as it is typed in: values, what is wrong with them, the score as it forms, and the request.
import { CODES, findAgeBand, findVital, getDefaultLimits } from "../../../../src/monitoring/vitals/catalogue.ts";
import { ACVPU, type Acvpu, UNITS } from "../../../../src/monitoring/vitals/codes.ts";
import type { AgeBand } from "../../../../src/monitoring/vitals/model.ts";
import {
  isNews2Applicable,
  MAX_AIR_PERCENT,
  NEWS2_PARAMETERS,
  type News2,
  type News2Parameter,
  type News2Values,
  scoreNews2,
} from "../../../../src/monitoring/vitals/news2.ts";
import { PARTIAL_REASONS, type PartialReason } from "../../../../src/monitoring/vitals/rounds.ts";
import { formatWallTime, parseWallTime } from "../../platform/design/calendar-days.ts";
import { parseNumber } from "../../platform/design/parse-number.ts";
import { DAY_MS } from "../../platform/durations.ts";

/** Typed values, in the order of the NEWS2 chart (RCP 2017, chart 3). */
export const NUMBER_FIELDS = [
  "respiratory_rate",
  "spo2",
  "oxygen_flow",
  "inspired_oxygen",
  "systolic",
  "diastolic",
  "heart_rate",
  "temperature",
] as const;
export type NumberField = (typeof NUMBER_FIELDS)[number];
/** The order of messages about the form. */
export const FIELDS = [
  "respiratory_rate",
  "spo2",
  "oxygen",
  "oxygen_flow",
  "inspired_oxygen",
  "systolic",
  "diastolic",
  "heart_rate",
  "consciousness",
  "temperature",
  "partial_reason",
  "effective_at",
] as const;
export type Field = (typeof FIELDS)[number];

export { PARTIAL_REASONS };

export type SetDraft = {
  numbers: Record<NumberField, string>;
  oxygen: "air" | "oxygen" | null;
  consciousness: Acvpu | null;
  /** Wall time of the hospital ("2026-11-21T08:34"); null: now. */
  measuredAt: string | null;
  reason: PartialReason | null;
  /** Far-out values that were confirmed. */
  confirmed: readonly NumberField[];
};

export type SampleOfSet = { code: string; value: number; unit: string };
/** The request. It names nobody: the patient's id is in the path. */
export type SetBody = {
  effective_at: string;
  samples: SampleOfSet[];
  spo2_scale: 1 | 2;
  confirmed_score: number | null;
  partial_reason?: PartialReason;
};

const NO_NUMBERS: Record<NumberField, string> = {
  respiratory_rate: "",
  spo2: "",
  oxygen_flow: "",
  inspired_oxygen: "",
  systolic: "",
  diastolic: "",
  heart_rate: "",
  temperature: "",
};
/** Nothing is preselected, air and "alert" included: a value that nobody entered must not look observed. */
export const EMPTY_DRAFT: SetDraft = {
  numbers: NO_NUMBERS,
  oxygen: null,
  consciousness: null,
  measuredAt: null,
  reason: null,
  confirmed: [],
};

/** A changed value must be confirmed again. */
export function typeNumber(draft: SetDraft, field: NumberField, text: string): SetDraft {
  return {
    ...draft,
    numbers: { ...draft.numbers, [field]: text },
    confirmed: draft.confirmed.filter((confirmed) => confirmed !== field),
  };
}

const isOxygenDetail = (field: NumberField) => field === "oxygen_flow" || field === "inspired_oxygen";
/** Fields that belong to the set: how oxygen is given counts only for those who get it. */
const isAsked = ({ oxygen }: SetDraft, field: NumberField) => oxygen === "oxygen" || !isOxygenDetail(field);

/** The number in a field; null while it is empty, unreadable or not asked. */
export const numberOf = (draft: SetDraft, field: NumberField): number | null =>
  isAsked(draft, field) ? parseNumber(draft.numbers[field]) : null;

/**
 * Values of adults beyond which a slip of the keys is likelier than the value. Outside of these lie fewer than 1 in 1,000 of the hourly
 * values of 200 ICU stays (PhysioNet/CinC Challenge 2019), rounded outwards; oxygen: beyond high-flow therapy (60 L/min).
 */
const ADULT_EXTREMES: Partial<Record<NumberField, readonly [low: number, high: number]>> = {
  respiratory_rate: [6, 45],
  spo2: [75, 100],
  oxygen_flow: [0, 60],
  systolic: [65, 225],
  diastolic: [28, 135],
  heart_rate: [40, 150],
  temperature: [34.5, 40],
};

/** The range within which a value is taken without a question: of adults as above, of children up to their critical limits. */
function findUsualRange(field: NumberField, band: AgeBand): readonly [low: number, high: number] | null {
  if (band === "adult" || isOxygenDetail(field)) return ADULT_EXTREMES[field] ?? null;
  const limits = getDefaultLimits(band)[CODES[field]];
  if (!limits) return null;
  return [
    limits.critical_low ?? limits.low ?? Number.NEGATIVE_INFINITY,
    limits.critical_high ?? limits.high ?? Number.POSITIVE_INFINITY,
  ];
}

/** True if the value is possible but so far out that it is to be confirmed. */
export function isFarOut(draft: SetDraft, field: NumberField, band: AgeBand): boolean {
  const value = numberOf(draft, field);
  const range = findUsualRange(field, band);
  if (value === null || range === null || findImplausible(field, value)) return false;
  return value < range[0] || value > range[1];
}

export type Fault =
  | { kind: "no_number" }
  | { kind: "implausible"; min: number; max: number; unit: string }
  | { kind: "other_unit"; unit: string }
  | { kind: "unconfirmed" }
  | { kind: "not_above_diastolic" }
  | { kind: "no_oxygen" }
  | { kind: "missing"; what: readonly News2Parameter[] }
  | { kind: "no_time" }
  | { kind: "in_future" }
  | { kind: "too_old" };

/**
 * Possible in its unit but far likelier meant in another, so the service refuses them (sample-validation.ts): a saturation as a
 * fraction, pressures in kPa.
 */
const OTHER_UNIT: Partial<Record<NumberField, number>> = { spo2: 1, systolic: 25, diastolic: 16 };

function findImplausible(field: NumberField, value: number): Fault | null {
  const vital = findVital(CODES[field]);
  const otherUnitUpTo = OTHER_UNIT[field] ?? 0;
  if (value > 0 && value <= otherUnitUpTo) return { kind: "other_unit", unit: UNITS[field] };
  const { min, max } = vital?.plausible ?? { min: 0, max: Number.POSITIVE_INFINITY };
  return value < min || value > max ? { kind: "implausible", min, max, unit: UNITS[field] } : null;
}

export type Scoring = { band: AgeBand; notApplicable: "age" | "pregnancy" | "age_unknown" | null };

/** Whether NEWS2 applies, as the service judges it. @param now epoch milliseconds */
export function judgeScoring({ dateOfBirth, pregnant }: { dateOfBirth: string | null; pregnant: boolean }, now: number): Scoring {
  // Ranges of adults, the widest, where the age is not known.
  if (dateOfBirth === null) return { band: "adult", notApplicable: "age_unknown" };
  const { band } = findAgeBand(dateOfBirth, now);
  if (isNews2Applicable(band, pregnant)) return { band, notApplicable: null };
  return { band, notApplicable: pregnant ? "pregnancy" : "age" };
}

type Circumstances = { band: AgeBand; isScored: boolean; now: number; zone: string | undefined };
/** The service accepts sets measured up to this long ago. */
const MAX_AGE_MS = DAY_MS;
/** The minute of the wall time may have begun before now. */
const MAX_LEAD_MS = 60_000;

/** What must change before the set can be filed, by field. */
export function findFaults(draft: SetDraft, { band, isScored, now, zone }: Circumstances): Partial<Record<Field, Fault>> {
  const faults: Partial<Record<Field, Fault>> = {};
  for (const field of NUMBER_FIELDS) {
    const fault = findNumberFault(draft, field, band);
    if (fault) faults[field] = fault;
  }
  const [systolic, diastolic] = [numberOf(draft, "systolic"), numberOf(draft, "diastolic")];
  if (!faults.systolic && systolic !== null && diastolic !== null && systolic <= diastolic) {
    faults.systolic = { kind: "not_above_diastolic" };
  }
  if (!faults.oxygen_flow && !faults.inspired_oxygen && draft.oxygen === "oxygen" && !isGivenOxygen(draft)) {
    faults.oxygen_flow = { kind: "no_oxygen" };
  }
  const missing = findMissing(draft, isScored).filter((name) => !faults[name === "pulse" ? "heart_rate" : name]);
  if (missing.length > 0 && draft.reason === null) faults.partial_reason = { kind: "missing", what: missing };
  const timeFault = findTimeFault(draft, now, zone);
  if (timeFault) faults.effective_at = timeFault;
  return Object.fromEntries(FIELDS.flatMap((field) => (faults[field] ? [[field, faults[field]]] : [])));
}

function findNumberFault(draft: SetDraft, field: NumberField, band: AgeBand): Fault | null {
  if (!isAsked(draft, field) || draft.numbers[field].trim() === "") return null;
  const value = numberOf(draft, field);
  if (value === null) return { kind: "no_number" };
  const implausible = findImplausible(field, value);
  if (implausible) return implausible;
  return isFarOut(draft, field, band) && !draft.confirmed.includes(field) ? { kind: "unconfirmed" } : null;
}

/** NEWS2 counts oxygen from any flow, or from a fraction above that of air (news2.ts). */
function isGivenOxygen(draft: SetDraft): boolean {
  const [flow, percent] = [numberOf(draft, "oxygen_flow"), numberOf(draft, "inspired_oxygen")];
  return (flow ?? 0) > 0 || (flow === null && (percent ?? 0) > MAX_AIR_PERCENT);
}

function findTimeFault({ measuredAt }: SetDraft, now: number, zone: string | undefined): Fault | null {
  if (measuredAt === null) return null;
  const at = parseWallTime(measuredAt, zone);
  if (at === null) return { kind: "no_time" };
  if (Date.parse(at) > now + MAX_LEAD_MS) return { kind: "in_future" };
  return Date.parse(at) < now - MAX_AGE_MS ? { kind: "too_old" } : null;
}

/** The values of NEWS2 as far as they are entered. */
export function toNews2Values(draft: SetDraft): News2Values {
  const valid = (field: NumberField) => {
    const value = numberOf(draft, field);
    return value === null || findImplausible(field, value) ? null : value;
  };
  return {
    respiratory_rate: valid("respiratory_rate"),
    spo2: valid("spo2"),
    oxygen: draft.oxygen === null ? null : draft.oxygen === "oxygen",
    systolic: valid("systolic"),
    pulse: valid("heart_rate"),
    consciousness: draft.consciousness,
    temperature: valid("temperature"),
  };
}

/** Parameters without a value. Without a score any value makes a set, since NEWS2 asks for none. */
export function findMissing(draft: SetDraft, isScored: boolean): News2Parameter[] {
  const values = toNews2Values(draft);
  const missing = NEWS2_PARAMETERS.filter((name) => values[name] === null);
  return isScored || missing.length === NEWS2_PARAMETERS.length ? missing : [];
}

export type FormingScore = {
  /** Points of what is entered. */
  parts: Partial<Record<News2Parameter, number>>;
  /** Null until everything is entered. */
  complete: News2 | null;
  /** The sum so far: no value takes points away, so the score is at least this. */
  atLeast: number;
};

/** Values of no points, in the place of those that are not entered yet. */
const NO_POINTS = {
  respiratory_rate: 16,
  spo2: 96,
  oxygen: false,
  systolic: 120,
  pulse: 70,
  consciousness: "A",
  temperature: 37,
} as const satisfies News2Values;

export function formScore(draft: SetDraft, scale: 1 | 2): FormingScore {
  const values = toNews2Values(draft);
  const result = scoreNews2(values, scale);
  if (!("missing" in result)) return { parts: result.parts, complete: result, atLeast: result.score };
  const filled = scoreNews2(Object.assign({}, NO_POINTS, dropUnknown(values)), scale);
  if ("missing" in filled) return { parts: {}, complete: null, atLeast: 0 };
  // On scale 2 the points of a saturation depend on whether oxygen is given.
  const isKnown = (name: News2Parameter) => values[name] !== null && !(name === "spo2" && scale === 2 && values.oxygen === null);
  const parts = Object.fromEntries(NEWS2_PARAMETERS.filter(isKnown).map((name) => [name, filled.parts[name]]));
  return { parts, complete: null, atLeast: Object.values(parts).reduce((sum, points) => sum + points, 0) };
}

const dropUnknown = (values: News2Values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));

/** Breathing air is told by both: an older flow or fraction must not count beside the new one. */
const AIR: readonly SampleOfSet[] = [
  { code: CODES.inspired_oxygen, value: 21, unit: UNITS.inspired_oxygen },
  { code: CODES.oxygen_flow, value: 0, unit: UNITS.oxygen_flow },
];

function toSamples(draft: SetDraft): SampleOfSet[] {
  const numbers = NUMBER_FIELDS.flatMap((field) => {
    const value = numberOf(draft, field);
    return value === null ? [] : [{ code: CODES[field], value, unit: UNITS[field] }];
  });
  const { oxygen, consciousness } = draft;
  return [
    ...numbers,
    ...(oxygen === "air" ? AIR : []),
    ...(consciousness === null
      ? []
      : [{ code: CODES.consciousness, value: ACVPU.indexOf(consciousness), unit: UNITS.consciousness }]),
  ];
}

/** @param now server time @param confirmedScore as shown to the nurse; null without one */
export function toBody(
  draft: SetDraft,
  { scale, isScored, now, zone }: Omit<Circumstances, "band"> & { scale: 1 | 2 },
  confirmedScore: number | null,
): SetBody {
  const isPartial = findMissing(draft, isScored).length > 0;
  const measuredAt = draft.measuredAt === null ? null : parseWallTime(draft.measuredAt, zone);
  // A minute that was chosen may end after now.
  const at = measuredAt === null ? now : Math.min(now, Date.parse(measuredAt));
  return {
    effective_at: new Date(at).toISOString(),
    samples: toSamples(draft),
    spo2_scale: scale,
    confirmed_score: isPartial || !isScored ? null : confirmedScore,
    ...(isPartial && draft.reason !== null && { partial_reason: draft.reason }),
  };
}

/** The form of a set that the service refused, to be corrected; its time of measurement stays. */
export function toDraft({ effective_at, samples, partial_reason }: SetBody, zone: string | undefined): SetDraft {
  const values = new Map(samples.map(({ code, value }) => [code, value]));
  const numbers = Object.fromEntries(
    NUMBER_FIELDS.flatMap((field) => {
      const value = values.get(CODES[field]);
      return value === undefined ? [] : [[field, String(value)]];
    }),
  );
  const isAir = AIR.every(({ code, value }) => values.get(code) === value);
  const hasOxygen = values.has(CODES.oxygen_flow) || values.has(CODES.inspired_oxygen);
  return {
    numbers: { ...NO_NUMBERS, ...numbers, ...(isAir && { oxygen_flow: "", inspired_oxygen: "" }) },
    oxygen: isAir ? "air" : hasOxygen ? "oxygen" : null,
    consciousness: ACVPU[values.get(CODES.consciousness) ?? -1] ?? null,
    measuredAt: formatWallTime(Date.parse(effective_at), zone),
    reason: partial_reason ?? null,
    confirmed: [],
  };
}

const FIELD_BY_CODE = new Map<string, Field>([
  ...NUMBER_FIELDS.map((field) => [CODES[field], field] as const),
  [CODES.consciousness, "consciousness"],
]);

/** The field that an error of the service is about, e.g. `samples.2.value`; null for none of the form. */
export function findField(path: string, { samples }: SetBody): Field | null {
  const index = /^samples[.[](\d+)/.exec(path)?.[1];
  if (index !== undefined) return FIELD_BY_CODE.get(samples[Number(index)]?.code ?? "") ?? null;
  return FIELDS.find((field) => field === path) ?? null;
}
