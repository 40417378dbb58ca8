// Limits of one patient's object per sender and day: stored samples, unknown codes and quarantined items.
import { DAY_MS, HOUR_MS } from "../../../platform/time.ts";
import { findVital } from "../../vitals/catalogue.ts";
import type { Sample } from "../../vitals/model.ts";
import type { ItemResult } from "../contract.ts";
import type { MonitorMemory } from "../memory/monitor-memory.ts";
import { countInHour, countOfHour } from "../samples/hour-counts.ts";
import type { AcceptedItem } from "./duplicates.ts";

/** Limit per patient: the memory has an entry for each unknown code. */
const MAX_UNKNOWN_CODES = 100;
/** Quarantined items per device and day. */
const MAX_HELD_PER_DAY = 10_000;
/** A monitor with 20 vitals at 1 Hz, which sends three days at once after an outage. Per device and UTC day of receipt. */
export const MAX_STORED_PER_DEVICE = 3 * 86_400 * 20;
/** A person or app: a year of hourly values of 20 vitals. Per sender and UTC day of receipt. */
export const MAX_STORED_PER_PERSON = 200_000;
/** All senders of a patient. An object holds 10 GB: 31 such days at about 20 bytes per sample are 6.4 GB. */
export const MAX_STORED_PER_PATIENT = 2 * MAX_STORED_PER_DEVICE;

/** All senders of a patient, per hour of measurement: two monitors with 20 vitals at 1 Hz, 144,000. Whoever reads an hour decodes all of it. */
export const MAX_STORED_PER_HOUR = 150_000;

/** Rejects unknown codes and quarantined items beyond the limits. @returns the remaining items */
export function enforceItemLimits(
  memory: MonitorMemory,
  by: string,
  accepted: AcceptedItem[],
  results: ItemResult[],
  now: number,
): AcceptedItem[] {
  limitHeldItems(memory, by, results, now);
  const unknown = new Set(Object.keys({ ...memory.latest, ...memory.latestInvalid }).filter((code) => findVital(code) === null));
  return accepted.filter(({ index, sample }) => {
    if (findVital(sample.code) !== null || unknown.has(sample.code)) return true;
    if (unknown.size < MAX_UNKNOWN_CODES) {
      unknown.add(sample.code);
      return true;
    }
    const message = "The limit of 100 unknown codes per patient is reached";
    results[index] = { index, status: "rejected", reason: "too_many_codes", message };
    return false;
  });
}

function limitHeldItems(memory: MonitorMemory, by: string, results: ItemResult[], now: number): void {
  const day = Math.floor(now / DAY_MS);
  const held = memory.quarantinedCounts[by]?.day === day ? memory.quarantinedCounts[by].count : 0;
  const newlyHeld = results.filter((result) => result?.status === "quarantined");
  const remaining = Math.max(0, MAX_HELD_PER_DAY - held);
  const message = "The limit of 10,000 quarantined items per device and day is reached";
  for (const { index } of newlyHeld.slice(remaining)) {
    results[index] = { index, status: "rejected", reason: "too_many_held", message };
  }
  if (newlyHeld.length > 0) memory.quarantinedCounts[by] = { day, count: held + Math.min(remaining, newlyHeld.length) };
}

/**
 * Counts samples that are about to be stored against the limits of their sender, of the patient and of the hour of measurement.
 * @returns a function that counts one sample; it returns the message if the sample must not be stored, and counts nothing then
 */
export function newStorageCounter(
  memory: MonitorMemory,
  { by, device, isApp, isFiled }: { by: string; device: string | null; isApp?: boolean; isFiled?: true },
  now: number,
): (sample: Sample) => string | null {
  const counts = countsOfDay(memory, now);
  const ofPatient = Object.values(counts).reduce((sum, { count }) => sum + count, 0);
  const own = { day: Math.floor(now / DAY_MS), count: counts[by]?.count ?? 0 };
  const limit = device === null && !isApp && !isFiled ? MAX_STORED_PER_PERSON : MAX_STORED_PER_DEVICE;
  // Without the counts of past days.
  const stored = { ...counts, [by]: own };
  let room = Math.min(limit - own.count, MAX_STORED_PER_PATIENT - ofPatient);
  return ({ at }) => {
    const hour = Math.floor(at / HOUR_MS);
    if (room <= 0) return "The limit of stored samples per sender, patient and day (UTC) is reached";
    if (countOfHour(memory.hourCounts, hour) >= MAX_STORED_PER_HOUR)
      return "The limit of stored samples per patient and hour of measurement is reached";
    room--;
    own.count++;
    memory.storedCounts = stored;
    countInHour(memory.hourCounts, hour, now);
    return null;
  };
}

function countsOfDay({ storedCounts }: MonitorMemory, now: number): MonitorMemory["storedCounts"] {
  return Object.fromEntries(Object.entries(storedCounts).filter(([, { day }]) => day === Math.floor(now / DAY_MS)));
}
