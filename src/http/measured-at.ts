// The time of measurement that comes with a report: with a zone, or as a local time of the hospital.

import { z } from "@hono/zod-openapi";
import { type SQL, sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { ApiError, type FieldError } from "../platform/errors.ts";
import { toInstant } from "../platform/local-time.ts";
import { DAY_MS, LAST_TIME } from "../platform/time.ts";

const MAX_LENGTH = 64;
/** Date and time of ISO 8601, with T or a blank between them, and perhaps a zone. */
const TIME = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)? ?(Z|z|[+-]\d\d:?\d\d)?$/;

/** How a request says when a report was measured. What cannot be read is refused to people, and sends a device's file to quarantine. */
export const MeasuredAtInput = z.string().max(MAX_LENGTH).openapi({
  format: "date-time",
  description:
    "Time of measurement. Without a zone, a local time of the hospital; of one that a clock change skips or repeats, send the zone.",
});

/** `at` is Unix ms. `gap` and `overlap`: the hospital's clocks were changed then. */
export type MeasuredAt = { at: number } | { unclear: "unreadable" | "gap" | "overlap" };

/** @param readZone the hospital's time zone; asked only for a time without one */
export async function readMeasuredAt(text: string, readZone: () => Promise<string>): Promise<MeasuredAt> {
  const [, date = "", minutes = "", seconds = ":00", zone] = TIME.exec(text.trim()) ?? [];
  const local = Date.parse(`${date}T${minutes}${seconds}Z`);
  // Date.parse takes 30 February for 2 March.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 10) !== date) return { unclear: "unreadable" };
  // Before its zone is asked, because zones have no rules for the year 0. A zone is less than a day from UTC.
  if (local < -DAY_MS || local > LAST_TIME + DAY_MS) return { unclear: "unreadable" };
  const instant =
    zone === undefined
      ? toInstant(local, await readZone())
      : { at: Date.parse(`${date}T${minutes}${seconds}${toIsoZone(zone)}`) };
  if ("at" in instant && !(instant.at > 0 && instant.at <= LAST_TIME)) return { unclear: "unreadable" };
  return instant;
}

const toIsoZone = (zone: string) => (zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase());

/** @param hospitalId an id or a scalar subquery */
export async function resolveMeasuredAt(
  { db }: Call,
  text: string | undefined,
  hospitalId: SQL | string,
): Promise<MeasuredAt | null> {
  if (text === undefined) return null;
  return readMeasuredAt(text, async () => {
    const [row] = await db.all<{ zone: string }>(sql`SELECT time_zone AS zone FROM hospitals WHERE id = ${hospitalId}`);
    return row?.zone ?? "UTC";
  });
}

const MESSAGES = {
  unreadable: "Must be a time after 1970, such as 2026-11-21T09:30:00+05:30",
  gap: "Does not exist at the hospital, whose clocks were set forward; send the zone",
  overlap: "Came twice at the hospital, whose clocks were set back; send the zone",
} as const;

/** @returns Unix ms; null without a time  @throws ApiError invalid_request for one that is unclear */
export function requireClearTime(measured: MeasuredAt | null, path = "recorded_at"): number | null {
  if (measured === null || "at" in measured) return measured?.at ?? null;
  throw timeError({
    path,
    message: MESSAGES[measured.unclear],
    code: measured.unclear === "unreadable" ? "invalid_format" : "unclear_time",
  });
}

export const futureTimeError = (path = "recorded_at") =>
  timeError({ path, message: "Must not be in the future", code: "in_the_future" });

const timeError = (error: FieldError) =>
  new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors: [error] });
