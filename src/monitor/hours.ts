// Hours that are over go to D1, once; an hour that got a late sample or a correction is counted again. The trail hears once a day
// what came from whom.
import { DAY_MS } from "../counters.ts";
import type { Facts } from "./facts.ts";
import { HOUR_MS, type Memory } from "./memory.ts";
import { readBetween } from "./read.ts";
import { type Rollup, rollupsOf } from "./rollup.ts";
import type { Store } from "./store.ts";
import { counted } from "./view.ts";

/** An hour is told 16 minutes after its end, when wearables that sync every 15 have brought it; patients spread over four more. */
const GRACE_MS = 16 * 60_000;
const SPREAD_MS = 240_000;
/** By then an hour that is over was told, whoever the patient is. */
export const TOLD_AFTER_MS = GRACE_MS + SPREAD_MS;
const AGAIN_MS = 2_000;
const MOST_AGAIN = 24;

function spreadOf(patientId: string): number {
  return Number.parseInt(patientId.slice(-6), 16) % SPREAD_MS;
}

/** Moves closed hours, and what came from whom on days that are over, to the outbox. */
export function closeHours(store: Store, now: number): void {
  const memory = store.memory(now);
  const current = Math.floor((now - GRACE_MS) / HOUR_MS);
  for (const [key, stats] of Object.entries(memory.hours)) {
    const hour = Number(key);
    if (hour >= current) continue;
    store.send("hour", { hour, version: ++memory.version, stats });
    delete memory.hours[key];
  }
  const today = Math.floor((now - GRACE_MS) / DAY_MS);
  tellCame(store, now, (_, day) => day < today);
  memory.told = Math.max(memory.told, current - 1);
  store.keep(now);
}

/** The trail does not wait for the day's end to hear of a device that is unbound, or of a record that is closed. */
export function tellUnbound(store: Store, { bindings, open }: Pick<Facts, "bindings" | "open">, now: number): void {
  const bound = new Set(open ? bindings.filter(({ until }) => until === null).map(({ device }) => device) : []);
  tellCame(store, now, (device) => !bound.has(device));
}

function tellCame(store: Store, now: number, isOver: (device: string, day: number) => boolean): void {
  const memory = store.memory(now);
  for (const [key, came] of Object.entries(memory.came)) {
    const [device = ""] = key.split(" ");
    if (!isOver(device, came.day)) continue;
    store.send("came", { by: device, version: ++memory.version, told: now, ...came });
    delete memory.came[key];
  }
}

/** A told hour is to be counted again; once more if that happens now, since the count may not have seen what came. */
export function noteAgain(store: Store, memory: Memory, hour: number): void {
  if (store.counting.delete(hour) || memory.again.includes(hour)) return;
  memory.again.push(hour);
}

/** Counts told hours anew. @returns what to do in the transaction that tells them */
export async function countAgain(env: Env, store: Store, patientId: string, now: number): Promise<(() => void) | null> {
  const hours = store.memory(now).again.slice(0, MOST_AGAIN);
  if (hours.length === 0) return null;
  store.counting = new Set(hours);
  const stats = new Map<number, Record<string, Rollup>>();
  for (const hour of hours) {
    const samples = await readBetween(env, store, patientId, { from: hour * HOUR_MS, to: (hour + 1) * HOUR_MS }, now);
    stats.set(hour, Object.fromEntries(rollupsOf(samples.map(counted)).get(hour) ?? []));
  }
  return () => {
    const memory = store.memory(now);
    for (const [hour, counts] of stats) store.send("hour", { hour, version: ++memory.version, stats: counts });
    memory.again = memory.again.filter((hour) => !store.counting.has(hour));
    store.counting.clear();
    store.keep(now);
  };
}

/** When the next hour is to be told. */
export function nextClosing(memory: Memory, patientId: string, now: number): number | null {
  if (memory.again.length > 0) return now + AGAIN_MS;
  const ends = [
    ...Object.keys(memory.hours).map((hour) => (Number(hour) + 1) * HOUR_MS),
    ...Object.values(memory.came).map(({ day }) => (day + 1) * DAY_MS),
  ];
  return ends.length === 0 ? null : Math.min(...ends) + GRACE_MS + spreadOf(patientId);
}
