// Validation of incoming items: a sample to store, or a rejection with a reason.
import { MAX_CLOCK_LEAD_MS, MAX_SAMPLE_AGE_MS } from "../../platform/device-times.ts";
import { DAY_MS } from "../../platform/time.ts";
import { CODES, findVital, PRESSURES, roundHalfUp, UNKNOWN_UNIT } from "./catalogue.ts";
import { parseAcvpu } from "./codes.ts";
import { ACTIVITIES, BODY_SITES, codeAtSite, isDuringExercise, readActivity } from "./measurement-context.ts";
import type { Sample, Vital } from "./model.ts";

/** One item of a request. `effective_at` must have a time zone. */
export type SampleInput = {
  code: string;
  value: number | string;
  unit: string;
  effective_at: string;
  seq?: number;
  body_site?: string;
  activity?: string;
};

export const SAMPLE_FIELDS = [
  "code",
  "value",
  "unit",
  "effective_at",
  "seq",
  "body_site",
  "activity",
] as const satisfies (keyof SampleInput)[];
const FIELD_NAMES: ReadonlySet<string> = new Set(SAMPLE_FIELDS);

/** `rejected`: unreadable. `quarantined`: readable, but held for review by staff. */
export type SampleRejection = { ok: false; status: "rejected" | "quarantined"; reason: RejectionReason; message: string };
export type SampleNote = "unit_converted" | "implausible" | "unit_suspect" | "skin_temperature";
export type ReadSample = { ok: true; sample: Sample; note?: SampleNote };
export type ValidationResult = ReadSample | SampleRejection;

const REJECTIONS = {
  item_invalid: ["rejected", "An item must be an object with code, value, unit and effective_at"],
  field_unknown: ["rejected", `An item has no fields but ${SAMPLE_FIELDS.join(", ")}`],
  code_invalid: [
    "rejected",
    "A code must have 1 to 64 letters, digits and the characters . _ : / -, and begin and end with a letter or digit",
  ],
  value_not_a_number: [
    "rejected",
    "A value must be a JSON number from -10^15 to 10^15; consciousness may be A, C, V, P, U or its word",
  ],
  unit_invalid: ["rejected", "A unit is required and must have 1 to 32 printable characters"],
  effective_at_invalid: [
    "rejected",
    "A time must have a zone, such as 2026-03-04T05:06:07Z or 2026-03-04 05:06:07 +0530; a total of a day may have the date of a day that is over",
  ],
  seq_invalid: ["rejected", "seq must be a whole number from 0 to 2^53 - 1"],
  body_site_invalid: ["rejected", `body_site is for a body temperature (8310-5), one of ${BODY_SITES.join(", ")}`],
  activity_invalid: ["rejected", `activity is for a heart rate or respiratory rate, one of ${ACTIVITIES.join(", ")}`],
  unit_unknown: ["quarantined", "Unknown unit for this vital sign"],
  in_the_future: ["quarantined", "Measured more than two minutes after it was received"],
  too_old: ["quarantined", "Measured more than 30 days before it was received"],
} as const satisfies Record<string, readonly [SampleRejection["status"], string]>;
export type RejectionReason = keyof typeof REJECTIONS;

/** LOINC, and names of devices such as MDC_ECG_HEART_RATE: codes are object keys, parts of alert keys and query parameters. */
const CODE_PATTERN = /^[A-Za-z0-9](?:[A-Za-z0-9._:/-]{0,62}[A-Za-z0-9])?$/;
const UNIT_PATTERN = /^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]{0,30}[^\s\p{C}])?$/u;
/** RFC 3339, also as Apple Health and others write it: `2018-09-10 02:28:55 -0700`. */
const TIME_PATTERN = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? ?(?:Z|([+-])(\d\d):?(\d\d))$/i;

/**
 * Plausible values, in the catalogue's unit, that are far more often sent in the wrong one: SpO2 as a fraction of 1, and pressures in
 * kPa that would be ordinary there (systolic 60 to 190 mm[Hg], mean 45 to 140, diastolic 30 to 120) and would cross an alarm limit as
 * mm[Hg]. Inclusive. Excludes 0, which is no pressure at all, and higher kPa values, which raise an alert anyway.
 */
const SUSPECT_RANGES: Readonly<Record<string, { min: number; max: number }>> = {
  [CODES.spo2]: { min: Number.MIN_VALUE, max: 1 },
  [CODES.systolic]: { min: 8, max: 25 },
  [CODES.mean_pressure]: { min: 6, max: 18.7 },
  [CODES.diastolic]: { min: 4, max: 16 },
};

/** Cache of the last parsed time, since vitals of one time arrive together. */
let lastRead: { text: string; instant: number | null } = { text: "", instant: null };

/** Epoch milliseconds of a time; null for a missing zone, a nonexistent date or time, or a leap second. */
export function parseInstant(text: string): number | null {
  if (text !== lastRead.text) lastRead = { text, instant: readInstant(text) };
  return lastRead.instant;
}

function readInstant(text: string): number | null {
  const found = TIME_PATTERN.exec(text);
  if (!found) return null;
  const [, year, month, day, hour, minute, second, fraction, sign, zoneHour, zoneMinute] = found;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  if (sign !== undefined && (Number(zoneHour) > 23 || Number(zoneMinute) > 59)) return null;
  if (Number(day) > daysInMonth(Number(year), Number(month)) || Number(day) < 1) return null;
  const ms = fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, "0"));
  const localMs =
    toUtc(Number(year), Number(month), Number(day)) + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + ms;
  if (sign === undefined) return localMs;
  const offsetMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000;
  return sign === "-" ? localMs + offsetMs : localMs - offsetMs;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** The number of days in a month (1 to 12); 0 for any other. */
function daysInMonth(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
}

/** Date.UTC maps the years 0 to 99 to 1900 to 1999, so this adds and subtracts 400 years. */
function toUtc(year: number, month: number, day: number): number {
  const time = Date.UTC(year + 400, month - 1, day);
  return time - 146_097 * DAY_MS;
}

type Clock = { received: number; skewMs: number | null };

/**
 * Validates one item. `clock.received`: the server's clock, epoch milliseconds; `clock.skewMs`: how far the device's clock is ahead,
 * null when unknown. Known vitals get the catalogue's code, unit and decimals.
 */
export function validateSample(item: unknown, clock: Clock): ValidationResult {
  const read = readSample(item);
  return read.ok ? correctTime(read, clock) : read;
}

/** Corrects the time of a sample that was read, and judges it. */
export function correctTime(read: ReadSample, clock: Clock): ValidationResult {
  const at = read.sample.at - Math.round(clock.skewMs ?? 0);
  if (at > clock.received + MAX_CLOCK_LEAD_MS) return rejectSample("in_the_future");
  if (at < clock.received - MAX_SAMPLE_AGE_MS) return rejectSample("too_old");
  return at === read.sample.at ? read : { ...read, sample: { ...read.sample, at } };
}

/** Reads one item as the sender stated it: `at` is its own time, which `correctTime` judges. */
export function readSample(item: unknown): ValidationResult {
  if (!isFields(item)) return rejectSample("item_invalid");
  for (const name in item) if (!FIELD_NAMES.has(name)) return rejectSample("field_unknown");
  const { code, value, unit, effective_at, seq = null, body_site, activity } = item;
  if (typeof code !== "string") return rejectSample("code_invalid");
  const named = findVital(code);
  const siteCode = codeAtSite(named?.code ?? code, body_site);
  const vital = siteCode === null || siteCode === named?.code ? named : findVital(siteCode);
  // Codes are object keys in the memory: rejects `constructor` and other names of Object.prototype.
  if (!vital && (!CODE_PATTERN.test(code) || code in Object.prototype)) return rejectSample("code_invalid");
  if (siteCode === null) return rejectSample("body_site_invalid");
  const stated = readActivity(siteCode, activity);
  if (stated === null) return rejectSample("activity_invalid");
  if (seq !== null && !isNonNegativeInteger(seq)) return rejectSample("seq_invalid");
  const number = parseValue(value, vital);
  if (number === null) return rejectSample("value_not_a_number");
  if (typeof unit !== "string" || !(isUnitOf(vital, unit) || UNIT_PATTERN.test(unit))) return rejectSample("unit_invalid");
  const at = typeof effective_at === "string" ? parseInstant(effective_at) : null;
  if (at === null) return rejectSample("effective_at_invalid");
  if (!vital) return { ok: true, sample: { code, value: number, unit, at, seq, status: "final" } };
  const measured = convertValue(vital, number, unit);
  if (!measured) return rejectSample("unit_unknown");
  const { note = vital === named ? undefined : ("skin_temperature" as const), ...rest } = measured;
  const context = { ...(stated && { activity: stated }), ...(isDuringExercise(stated) && { isExercise: true as const }) };
  const sample: Sample = { code: vital.code, at, seq, ...rest, ...context };
  return { ok: true, sample, ...(note && { note }) };
}

const isFields = (item: unknown): item is Record<string, unknown> =>
  typeof item === "object" && item !== null && !Array.isArray(item);

const isUnitOf = (vital: Vital | null, unit: string) => vital !== null && Object.hasOwn(vital.units, unit);

const hasSeveralUnits = ({ units }: Vital) => Object.values(units).some((conversion) => !isCatalogueUnit(conversion));

const newSuspect = (value: number, unit: string): ConvertedValue => ({
  value,
  unit,
  status: "invalid",
  isUnitSuspect: true,
  note: "unit_suspect",
});

function rejectSample(reason: RejectionReason): SampleRejection {
  const [status, message] = REJECTIONS[reason];
  return { ok: false, status, reason, message };
}

const isNonNegativeInteger = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

/** Beyond this a unit conversion could overflow. */
const MAX_VALUE = 1e15;

/** A number, never -0; a letter or word of ACVPU becomes its index. */
function parseValue(value: unknown, vital: Vital | null): number | null {
  if (typeof value === "number") return Math.abs(value) <= MAX_VALUE ? value + 0 : null;
  return vital?.code === CODES.consciousness && typeof value === "string" ? parseAcvpu(value) : null;
}

type ConvertedValue = Pick<Sample, "value" | "unit" | "status" | "isUnitSuspect"> & { note?: SampleNote };

/** The value in the catalogue's unit, with its plausibility, or as sent if the unit is doubtful; null for an unknown unit. */
function convertValue(vital: Vital, raw: number, unit: string): ConvertedValue | null {
  if (unit === UNKNOWN_UNIT) return hasSeveralUnits(vital) ? newSuspect(raw, unit) : null;
  const conversion = Object.hasOwn(vital.units, unit) ? vital.units[unit] : undefined;
  if (!conversion) return null;
  const exact = applyConversion(raw, conversion);
  const value = roundHalfUp(exact, vital.decimals);
  if (isUnitSuspect(vital, raw, exact, conversion)) return newSuspect(raw, isCatalogueUnit(conversion) ? vital.unit : unit);
  const converted = { value, unit: vital.unit };
  if (!isPlausible(vital, exact)) return { ...converted, status: "invalid", note: "implausible" };
  return isCatalogueUnit(conversion)
    ? { ...converted, status: "final" }
    : { ...converted, status: "final", note: "unit_converted" };
}

type Conversion = Vital["units"][string];
const isCatalogueUnit = ({ factor, offset }: Conversion) => factor === 1 && offset === 0;

/** Rounded to twelve digits, so that a floating-point error does not turn 100 % into more than 100. */
function applyConversion(raw: number, conversion: Conversion): number {
  // Most values: these have at most eleven digits, and rounding through text would cost as much as the rest of the validation.
  const isShort = Math.round(raw * 1000) / 1000 === raw && Math.abs(raw) < 1e8;
  if (isShort && isCatalogueUnit(conversion)) return raw;
  return Number((raw * conversion.factor + conversion.offset).toPrecision(12));
}

function isPlausible({ code, plausible }: Vital, value: number): boolean {
  if (code === CODES.consciousness && !Number.isInteger(value)) return false;
  return value >= plausible.min && value <= plausible.max;
}

/** Whether a value is implausible in its unit but plausible in another one of the vital, or within SUSPECT_RANGES. */
function isUnitSuspect(vital: Vital, raw: number, exact: number, given: Conversion): boolean {
  if (isCatalogueUnit(given) && isInSuspectRange(vital.code, raw)) return true;
  if (isPlausible(vital, exact)) return false;
  return Object.values(vital.units).some(
    (other) => other.factor !== given.factor && isPlausible(vital, applyConversion(raw, other)),
  );
}

function isInSuspectRange(code: string, value: number): boolean {
  const suspect = SUSPECT_RANGES[code];
  return suspect !== undefined && value >= suspect.min && value <= suspect.max;
}

/** Whether an invalid value was kept as sent, because its unit is doubtful. */
export function isUnitDoubtful({ code, value, unit, status }: Pick<Sample, "code" | "value" | "unit" | "status">): boolean {
  const vital = findVital(code);
  return vital !== null && status === "invalid" && (unit !== vital.unit || isInSuspectRange(vital.code, value));
}

/**
 * Marks contradictory pressures of one device and time as invalid: diastolic above systolic, or a mean outside of both. They are one
 * measurement, so one invalid pressure makes all invalid; one whose unit is doubtful says nothing of the others. Order and other samples
 * are unchanged.
 */
export function crossCheckPressures(samples: readonly Sample[]): Sample[] {
  const instants = Map.groupBy(
    samples.filter(({ code, isUnitSuspect }) => PRESSURES.includes(code) && !isUnitSuspect),
    ({ at }) => at,
  );
  const contradicting = new Set([...instants.values()].filter(arePressuresContradictory).flat());
  return samples.map((sample) => (contradicting.has(sample) ? { ...sample, status: "invalid" } : sample));
}

/** Whether the pressures of one device and time are no measurement together. */
export function arePressuresContradictory(pressures: readonly Pick<Sample, "code" | "value" | "status">[]): boolean {
  const values = (code: string) => pressures.filter((pressure) => pressure.code === code).map(({ value }) => value);
  const [systolic, mean, diastolic] = [values(CODES.systolic), values(CODES.mean_pressure), values(CODES.diastolic)];
  const isAtLeast = (upper: number[], lower: number[]) => Math.min(...upper) >= Math.max(...lower);
  return (
    pressures.some(({ status }) => status === "invalid") ||
    !(isAtLeast(systolic, diastolic) && isAtLeast(systolic, mean) && isAtLeast(mean, diastolic))
  );
}
