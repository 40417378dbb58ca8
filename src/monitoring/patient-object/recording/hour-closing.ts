// Closing of hours: sends rollups of past hours to D1, recounts hours with late or corrected samples, and queues the daily audit
// counts per device.
import { DAY_MS, HOUR_MS } from "../../../platform/time.ts";
import type { Facts } from "../context/facts.ts";
import type { MonitorMemory } from "../memory/monitor-memory.ts";
import { readHour } from "../samples/read-samples.ts";
import type { Rollup } from "../samples/rollup.ts";
import type { Store } from "../samples/store.ts";

/** Wearables sync every 15 minutes, so an hour closes 16 minutes after its end; patients are spread over four more minutes. */
const CLOSE_DELAY_MS = 16 * 60_000;
const CLOSE_SPREAD_MS = 240_000;
/** The delay after which the past hour of every patient is closed. */
export const MAX_CLOSE_DELAY_MS = CLOSE_DELAY_MS + CLOSE_SPREAD_MS;
const RECOUNT_DELAY_MS = 2_000;
const MAX_RECOUNTED_HOURS = 24;

function toPatientSpread(patientId: string): number {
  return Number.parseInt(patientId.slice(-6), 16) % CLOSE_SPREAD_MS;
}

/** Moves closed hours, and the received counts of past days, to the outbox. */
export function closeHours(store: Store, now: number): void {
  const memory = store.memory(now);
  const current = Math.floor((now - CLOSE_DELAY_MS) / HOUR_MS);
  for (const [key, stats] of Object.entries(memory.hours)) {
    const hour = Number(key);
    if (hour >= current) continue;
    store.enqueueForD1("hour", { hour, version: ++memory.version, stats });
    delete memory.hours[key];
  }
  const today = Math.floor((now - CLOSE_DELAY_MS) / DAY_MS);
  enqueueCounts(store, now, (_, day) => day < today);
  memory.lastClosedHour = Math.max(memory.lastClosedHour, current - 1);
  store.markDirty(now);
}

/** Queues the counts of unbound devices, or of all devices of a closed record, before the day ends. */
export function enqueueUnboundCounts(store: Store, { bindings, open }: Pick<Facts, "bindings" | "open">, now: number): void {
  const bound = new Set(open ? bindings.filter(({ until }) => until === null).map(({ device }) => device) : []);
  enqueueCounts(store, now, (device) => !bound.has(device));
}

function enqueueCounts(store: Store, now: number, isOver: (device: string, day: number) => boolean): void {
  const memory = store.memory(now);
  for (const [device, days] of Object.entries(memory.receivedCounts)) {
    for (const [key, counts] of Object.entries(days)) {
      if (!isOver(device, counts.day)) continue;
      store.enqueueForD1("received", { by: device, version: ++memory.version, queuedAt: now, ...counts });
      delete days[key];
    }
    if (Object.keys(days).length === 0) delete memory.receivedCounts[device];
  }
}

/** Marks a closed hour for a recount. During a recount of that hour it is counted once more, since the count may have missed the change. */
export function markForRecount(store: Store, memory: MonitorMemory, hour: number): void {
  if (store.recounting.delete(hour) || memory.hoursToRecount.includes(hour)) return;
  memory.hoursToRecount.push(hour);
}

/** Recounts closed hours. @returns the work for the transaction that queues the results; null when there is none */
export async function recountHours(env: Env, store: Store, patientId: string, now: number): Promise<(() => void) | null> {
  const hours = store.memory(now).hoursToRecount.slice(0, MAX_RECOUNTED_HOURS);
  if (hours.length === 0) return null;
  store.recounting = new Set(hours);
  const stats = new Map<number, Record<string, Rollup>>();
  for (const hour of hours) {
    stats.set(hour, await readHour(env, store, patientId, hour, now));
    // An hour can have many samples: those that arrive now come first.
    await scheduler.wait(0);
  }
  return () => {
    const memory = store.memory(now);
    for (const [hour, counts] of stats) store.enqueueForD1("hour", { hour, version: ++memory.version, stats: counts });
    memory.hoursToRecount = memory.hoursToRecount.filter((hour) => !store.recounting.has(hour));
    store.recounting.clear();
    store.markDirty(now);
  };
}

/** When the next hour closes, epoch milliseconds; null when none is open. */
export function nextCloseAt(memory: MonitorMemory, patientId: string, now: number): number | null {
  if (memory.hoursToRecount.length > 0) return now + RECOUNT_DELAY_MS;
  const ends = [
    ...Object.keys(memory.hours).map((hour) => (Number(hour) + 1) * HOUR_MS),
    ...Object.values(memory.receivedCounts).flatMap((days) => Object.values(days).map(({ day }) => (day + 1) * DAY_MS)),
  ];
  return ends.length === 0 ? null : Math.min(...ends) + CLOSE_DELAY_MS + toPatientSpread(patientId);
}
