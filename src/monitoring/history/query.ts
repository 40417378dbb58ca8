// Query parameters of vitals: codes and a bounded time range.

import { z } from "@hono/zod-openapi";
import { integerParam, pageQuery } from "../../http/pagination.ts";
import { TimeInput } from "../../http/router.ts";
import { ApiError } from "../../platform/errors.ts";
import { FIRST_TIME, HOUR_MS, LAST_TIME } from "../../platform/time.ts";
import { findVital, findVitalByName } from "../vitals/catalogue.ts";

/** More than the catalogue has, so that a page can ask for all vitals at once (test/node/vitals-catalogue.test.ts). */
export const MAX_CODES = 40;
/** Of a code, with its comma. */
const MAX_CODE_LENGTH = 65;

export const codeQuery = z
  .string()
  .min(1)
  .max(MAX_CODES * MAX_CODE_LENGTH)
  .refine((text) => text.split(",").length <= MAX_CODES, `At most ${MAX_CODES} codes`)
  .optional()
  .openapi({ description: "LOINC codes or short names, separated by commas", example: "heart_rate,2708-6" });

const timeParam = (description: string) => TimeInput.optional().openapi({ description });
export const rangeQuery = { from: timeParam("Measured at or after"), to: timeParam("Measured before; default: now") };
export type RangeQuery = { from?: string | undefined; to?: string | undefined };

export const SAMPLE_STATUSES = ["final", "invalid", "amended", "entered-in-error"] as const;
const isStatus = (text: string): text is (typeof SAMPLE_STATUSES)[number] => SAMPLE_STATUSES.some((status) => status === text);
const valueParam = (description: string) =>
  z
    .string()
    .max(30)
    .regex(/^-?\d+(\.\d+)?$/, "Must be a decimal number")
    .transform(Number)
    .optional()
    .openapi({ type: "number", description });

/** Filters and order of a list of samples. */
export const sampleQuery = {
  device_id: z.string().min(1).max(64).optional().openapi({ description: "Sent by this device" }),
  performer_id: z.string().min(1).max(64).optional().openapi({ description: "Entered by this user, or by this API key" }),
  source: z.enum(["device", "person"]).optional().openapi({ description: "person: entered by anybody, or sent by an app" }),
  status: z
    .string()
    .max(60)
    .refine((text) => text.split(",").every(isStatus), `Must be among ${SAMPLE_STATUSES.join(", ")}`)
    .transform((text) => text.split(",").filter(isStatus))
    .optional()
    .openapi({
      type: "string",
      maxLength: 60,
      description: `One or more of ${SAMPLE_STATUSES.join(", ")}`,
      example: "final,amended",
    }),
  value_min: valueParam("At least this value, in the unit of the sample"),
  value_max: valueParam("At most this value"),
  sort: z
    .enum(["-effective_at", "effective_at", "-received_at", "received_at"])
    .default("-effective_at")
    .openapi({ description: "By receipt: only what was received in the last 30 days" }),
};
export type SampleQuery = z.output<z.ZodObject<typeof sampleQuery>>;

/** LOINC codes; unknown codes are kept as given; null for all. */
export function parseCodes(text: string | undefined): string[] | null {
  if (text === undefined) return null;
  const codes = text.split(",").map((part) => part.trim());
  return [...new Set(codes.map((code) => findVitalByName(code)?.code ?? findVital(code)?.code ?? code))];
}

/** `from` ≤ time < `to`, epoch milliseconds. */
export type TimeRange = { from: number; to: number };

/**
 * Parses the requested range; default: the last `defaultMs` milliseconds.
 * @throws ApiError invalid_request for an empty range or one longer than `maxMs`
 */
export function parseTimeRange(
  query: RangeQuery,
  now: number,
  { defaultMs, maxMs }: { defaultMs: number; maxMs: number },
): TimeRange {
  const to = query.to === undefined ? now : Date.parse(query.to);
  const from = query.from === undefined ? to - defaultMs : Date.parse(query.from);
  if (!(from < to)) throw rangeError("from must be before to (default: now).");
  if (to - from > maxMs) throw rangeError(`The range must be at most ${Math.floor(maxMs / (24 * HOUR_MS))} days.`);
  return clampRange({ from, to });
}

const LAST_WHOLE_HOUR = Math.floor(LAST_TIME / HOUR_MS) * HOUR_MS;

/** The part of a range whose ends, also rounded to whole hours, are in years of four digits. At least a part of one hour remains. */
function clampRange({ from, to }: TimeRange): TimeRange {
  return {
    from: Math.max(FIRST_TIME, Math.min(from, LAST_WHOLE_HOUR - HOUR_MS)),
    to: Math.min(LAST_WHOLE_HOUR, Math.max(to, FIRST_TIME + HOUR_MS)),
  };
}

function rangeError(message: string): ApiError {
  return new ApiError("invalid_request", message, { errors: [{ path: "from", message, code: "range" }] });
}

/** The hours (UTC, counted since the epoch) that a range touches; `to` is exclusive. */
export function toHourRange({ from, to }: TimeRange): TimeRange {
  return { from: Math.floor(from / HOUR_MS), to: Math.ceil(to / HOUR_MS) };
}

/** Name and unit from the catalogue; null for unknown codes. */
export function describeCode(code: string): { name: string | null; unit: string | null } {
  const vital = findVital(code);
  return { name: vital?.name ?? null, unit: vital?.unit ?? null };
}

/** Hours and codes in the order of lists; the key of a row in a cursor. */
export const toHourKey = ({ hour, code }: { hour: number; code: string }) => ({ value: hour, id: code });

export const cursorQuery = {
  limit: integerParam(1, 1000).default(100).openapi({ example: 100, default: 100 }),
  cursor: pageQuery.cursor,
};
