// Limits of one patient's object per sender and day: stored samples, unknown codes and quarantined items.
import { DAY_MS } from "../../../platform/time.ts";
import { findVital } from "../../vitals/catalogue.ts";
import type { Sample } from "../../vitals/model.ts";
import type { ItemResult } from "../contract.ts";
import type { MonitorMemory } from "../memory/monitor-memory.ts";
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
 * Rejects samples beyond the day's limits, before duplicates are dropped: a rejected sample must not count as seen.
 * @returns the samples to store, and the newest rejected one per vital
 */
export function limitStored(
  memory: MonitorMemory,
  { by, device, isApp }: { by: string; device: string | null; isApp?: boolean },
  samples: AcceptedItem[],
  results: ItemResult[],
  now: number,
): { kept: AcceptedItem[]; unstored: Sample[] } {
  const counts = countsOfDay(memory, now);
  const ofPatient = Object.values(counts).reduce((sum, { count }) => sum + count, 0);
  const limit = device === null && !isApp ? MAX_STORED_PER_PERSON : MAX_STORED_PER_DEVICE;
  const room = Math.max(0, Math.min(limit - (counts[by]?.count ?? 0), MAX_STORED_PER_PATIENT - ofPatient));
  const rejected = samples.slice(room);
  const message = "The limit of stored samples per sender, patient and day (UTC) is reached";
  for (const { index } of rejected) results[index] = { index, status: "rejected", reason: "too_many_samples", message };
  return { kept: samples.slice(0, room), unstored: pickNewest(rejected.map(({ sample }) => sample)) };
}

/** Counts stored samples, and drops the counts of past days. */
export function countStored(memory: MonitorMemory, by: string, count: number, now: number): void {
  const counts = countsOfDay(memory, now);
  memory.storedCounts = { ...counts, [by]: { day: Math.floor(now / DAY_MS), count: (counts[by]?.count ?? 0) + count } };
}

function countsOfDay({ storedCounts }: MonitorMemory, now: number): MonitorMemory["storedCounts"] {
  return Object.fromEntries(Object.entries(storedCounts).filter(([, { day }]) => day === Math.floor(now / DAY_MS)));
}

function pickNewest(samples: readonly Sample[]): Sample[] {
  const newest = new Map<string, Sample>();
  for (const sample of samples) if (sample.at >= (newest.get(sample.code)?.at ?? sample.at)) newest.set(sample.code, sample);
  return [...newest.values()];
}
