// Settings of hospitals by which input is read: time zone and country. Cached for a minute; they decide no right.
import { eq } from "drizzle-orm";
import { BoundedCache } from "../platform/bounded-cache.ts";
import type { Db } from "../platform/db/client.ts";
import { hospitals } from "../platform/db/schema.ts";
import { type CountryCode, isCountry } from "../platform/phone.ts";

export type HospitalSettings = {
  timeZone: string;
  /** Where a phone number without a country's code belongs; null if that is not known. */
  country: CountryCode | null;
  /** True while search tokens are made again (patients/reindex.ts). */
  isReindexing: boolean;
};

/** For how long other isolates read input by settings that have changed. */
export const SETTINGS_TTL_MS = 60_000;
const MAX_CACHED_HOSPITALS = 1_024;
const cache = new BoundedCache<string, HospitalSettings & { readAt: number }>(MAX_CACHED_HOSPITALS);

/** Those of a hospital that does not exist are the defaults. */
export async function readHospitalSettings(db: Db, hospitalId: string, now: number): Promise<HospitalSettings> {
  const cached = cache.get(hospitalId);
  // A later time comes from a clock that was set back.
  if (cached && cached.readAt <= now && cached.readAt > now - SETTINGS_TTL_MS) return cached;
  const [row] = await db
    .select({ timeZone: hospitals.timeZone, country: hospitals.country, reindexAfter: hospitals.searchReindexAfter })
    .from(hospitals)
    .where(eq(hospitals.id, hospitalId));
  const settings = toSettings(row);
  if (row) cache.set(hospitalId, { ...settings, readAt: now });
  return settings;
}

type SettingsRow = { timeZone: string; country: string | null; reindexAfter: number | null };
const toSettings = (row: SettingsRow | undefined): HospitalSettings => ({
  timeZone: row?.timeZone ?? "UTC",
  country: row?.country && isCountry(row.country) ? row.country : null,
  isReindexing: row !== undefined && row.reindexAfter !== null,
});

/** Called after a change, so that this isolate reads the new settings at once. */
export function forgetHospitalSettings(hospitalId: string): void {
  cache.delete(hospitalId);
}
