// The judgement of one incoming item: a sample to keep, or a refusal with its reason. Nothing is guessed and nothing vanishes.
import { DAY_MS } from "../../platform/time.ts";
import { CODES, findVital, roundHalfUp } from "./catalogue.ts";
import type { Sample, Vital } from "./model.ts";

/** One item on the wire. The zone of `effective_at` must be given. */
export type SampleInput = { code: string; value: number | string; unit: string; effective_at: string; seq?: number };

/** `rejected`: cannot be read. `quarantined`: can be, and must not count before a person has looked. */
export type SampleRejection = { ok: false; status: "rejected" | "quarantined"; reason: RejectionReason; message: string };
export type SampleNote = "unit_converted" | "implausible" | "unit_suspect";
export type ValidationResult = { ok: true; sample: Sample; note?: SampleNote } | SampleRejection;

const REJECTIONS = {
  item_invalid: ["rejected", "An item is an object with code, value, unit and effective_at"],
  code_invalid: ["rejected", "A code has 1 to 64 printable characters"],
  value_not_a_number: ["rejected", "A value is a JSON number, at most 10^15 either way; consciousness may be A, C, V, P or U"],
  unit_invalid: ["rejected", "A unit is required and has 1 to 32 printable characters"],
  effective_at_invalid: ["rejected", "effective_at is an RFC 3339 time with its zone, such as 2026-03-04T05:06:07Z"],
  seq_invalid: ["rejected", "seq is a whole number from 0 to 2^53 - 1"],
  unit_unknown: ["quarantined", "This unit is not known for this vital"],
  in_the_future: ["quarantined", "Measured more than two minutes after it was received"],
  too_old: ["quarantined", "Measured more than 30 days before it was received"],
} as const satisfies Record<string, readonly [SampleRejection["status"], string]>;
export type RejectionReason = keyof typeof REJECTIONS;

const MAX_CLOCK_LEAD_MS = 2 * 60_000;
const MAX_SAMPLE_AGE_MS = 30 * DAY_MS;

const CODE_PATTERN = /^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]{0,62}[^\s\p{C}])?$/u;
const UNIT_PATTERN = /^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]{0,30}[^\s\p{C}])?$/u;
const RFC3339_PATTERN = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/i;

/**
 * Values in the catalogue's unit that a body can have and that are far more often meant in another: a share of 1 (below what an
 * oximeter shows), a pressure in kPa. Inclusive. Not 0, which must alarm; nor kPa beyond these, which alarms as it stands.
 */
const SUSPECT_RANGES: Readonly<Record<string, { min: number; max: number }>> = {
  [CODES.spo2]: { min: Number.MIN_VALUE, max: 1 },
  [CODES.systolic]: { min: 8, max: 25 },
};

/** The vitals of one instant come together: the last time that was read. */
let lastRead: { text: string; instant: number | null } = { text: "", instant: null };

/** Epoch ms of an RFC 3339 time to the millisecond; null for no zone, days and seconds that do not exist, and leap seconds. */
export function parseInstant(text: string): number | null {
  if (text !== lastRead.text) lastRead = { text, instant: readInstant(text) };
  return lastRead.instant;
}

function readInstant(text: string): number | null {
  const found = RFC3339_PATTERN.exec(text);
  if (!found) return null;
  const [, year, month, day, hour, minute, second, fraction, sign, zoneHour, zoneMinute] = found;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  if (sign !== undefined && (Number(zoneHour) > 23 || Number(zoneMinute) > 59)) return null;
  if (Number(day) > daysOf(Number(year), Number(month)) || Number(day) < 1) return null;
  const ms = fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, "0"));
  const localMs =
    utcOf(Number(year), Number(month), Number(day)) + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + ms;
  if (sign === undefined) return localMs;
  const offsetMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000;
  return sign === "-" ? localMs + offsetMs : localMs - offsetMs;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** How many days the month has; 0 for none of the twelve. */
function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
}

/** Date.UTC takes the years 0 to 99 for those of the last century. */
function utcOf(year: number, month: number, day: number): number {
  const time = Date.UTC(year + 400, month - 1, day);
  return time - 146_097 * DAY_MS;
}

/**
 * Judges one item by itself. `clock.received` is the server's clock, epoch ms; `clock.skewMs` how far the device's clock is ahead of
 * it, null where that is not known. Known vitals come out under the catalogue's code, in its unit and with its decimals.
 */
export function validateSample(item: unknown, clock: { received: number; skewMs: number | null }): ValidationResult {
  if (!isFields(item)) return rejectSample("item_invalid");
  const { code, value, unit, effective_at, seq = null } = item;
  if (typeof code !== "string") return rejectSample("code_invalid");
  const vital = findVital(code);
  // Codes are keys of the memory: `__proto__` and its kin would be everybody's.
  if (!vital && (!CODE_PATTERN.test(code) || code in Object.prototype)) return rejectSample("code_invalid");
  if (seq !== null && !isNonNegativeInteger(seq)) return rejectSample("seq_invalid");
  const number = parseValue(value, vital);
  if (number === null) return rejectSample("value_not_a_number");
  if (typeof unit !== "string" || !(isUnitOf(vital, unit) || UNIT_PATTERN.test(unit))) return rejectSample("unit_invalid");
  const statedAt = typeof effective_at === "string" ? parseInstant(effective_at) : null;
  if (statedAt === null) return rejectSample("effective_at_invalid");
  const at = statedAt - Math.round(clock.skewMs ?? 0);
  if (at > clock.received + MAX_CLOCK_LEAD_MS) return rejectSample("in_the_future");
  if (at < clock.received - MAX_SAMPLE_AGE_MS) return rejectSample("too_old");
  if (!vital) return { ok: true, sample: { code, value: number, unit, at, seq, status: "final" } };
  const measured = convertValue(vital, number, unit);
  if (!measured) return rejectSample("unit_unknown");
  const { note, ...rest } = measured;
  return { ok: true, sample: { code: vital.code, unit: vital.unit, at, seq, ...rest }, ...(note && { note }) };
}

const isFields = (item: unknown): item is Record<string, unknown> =>
  typeof item === "object" && item !== null && !Array.isArray(item);

const isUnitOf = (vital: Vital | null, unit: string) => vital !== null && Object.hasOwn(vital.units, unit);

function rejectSample(reason: RejectionReason): SampleRejection {
  const [status, message] = REJECTIONS[reason];
  return { ok: false, status, reason, message };
}

const isNonNegativeInteger = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

/** Beyond it is no measurement, and a conversion could leave the finite numbers. */
const MAX_VALUE = 1e15;

/** A number, never -0; a letter of ACVPU as its place. */
function parseValue(value: unknown, vital: Vital | null): number | null {
  if (typeof value === "number") return Math.abs(value) <= MAX_VALUE ? value + 0 : null;
  if (vital?.code !== CODES.consciousness || typeof value !== "string" || value.length !== 1) return null;
  const letterIndex = "ACVPU".indexOf(value);
  return letterIndex < 0 ? null : letterIndex;
}

type ConvertedValue = { value: number; status: Sample["status"]; note?: SampleNote };

/** The value in the catalogue's unit and whether it can be; null for a unit that the vital does not have. */
function convertValue(vital: Vital, raw: number, unit: string): ConvertedValue | null {
  const conversion = Object.hasOwn(vital.units, unit) ? vital.units[unit] : undefined;
  if (!conversion) return null;
  const exact = applyConversion(raw, conversion);
  const value = roundHalfUp(exact, vital.decimals);
  if (isUnitSuspect(vital, raw, exact, conversion)) return { value, status: "invalid", note: "unit_suspect" };
  if (!isPlausible(vital, exact)) return { value, status: "invalid", note: "implausible" };
  return isCatalogueUnit(conversion) ? { value, status: "final" } : { value, status: "final", note: "unit_converted" };
}

type Conversion = Vital["units"][string];
const isCatalogueUnit = ({ factor, offset }: Conversion) => factor === 1 && offset === 0;

/** Twelve digits, so that the last bit of a product does not put 100 % beyond 100. */
const applyConversion = (raw: number, { factor, offset }: Conversion) => Number((raw * factor + offset).toPrecision(12));

function isPlausible({ code, plausible }: Vital, value: number): boolean {
  if (code === CODES.consciousness && !Number.isInteger(value)) return false;
  return value >= plausible.min && value <= plausible.max;
}

/** Impossible in the unit that it came in and possible in another one of the vital, or of the values that SUSPECT lists. */
function isUnitSuspect(vital: Vital, raw: number, exact: number, given: Conversion): boolean {
  const suspect = SUSPECT_RANGES[vital.code];
  if (suspect && isCatalogueUnit(given) && raw >= suspect.min && raw <= suspect.max) return true;
  if (isPlausible(vital, exact)) return false;
  return Object.values(vital.units).some(
    (other) => other.factor !== given.factor && isPlausible(vital, applyConversion(raw, other)),
  );
}

const PRESSURES: readonly string[] = [CODES.systolic, CODES.diastolic, CODES.mean_pressure];

/**
 * Pressures of one device that contradict each other at one instant, as invalid: diastolic above systolic, a mean outside of the
 * two. They are one measurement, so one that is invalid already takes the others with it. Order and other samples stay.
 */
export function crossCheckPressures(samples: readonly Sample[]): Sample[] {
  const instants = Map.groupBy(
    samples.filter(({ code }) => PRESSURES.includes(code)),
    ({ at }) => at,
  );
  const contradicting = new Set([...instants.values()].filter(arePressuresContradictory).flat());
  return samples.map((sample) => (contradicting.has(sample) ? { ...sample, status: "invalid" } : sample));
}

function arePressuresContradictory(pressures: readonly Sample[]): boolean {
  const values = (code: string) => pressures.filter((pressure) => pressure.code === code).map(({ value }) => value);
  const [systolic, mean, diastolic] = [values(CODES.systolic), values(CODES.mean_pressure), values(CODES.diastolic)];
  const isAtLeast = (upper: number[], lower: number[]) => Math.min(...upper) >= Math.max(...lower);
  return (
    pressures.some(({ status }) => status === "invalid") ||
    !(isAtLeast(systolic, diastolic) && isAtLeast(systolic, mean) && isAtLeast(mean, diastolic))
  );
}
