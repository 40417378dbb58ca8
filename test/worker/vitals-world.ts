// Samples with known values and times, sent over the API; their expected results, computed naively.
import { runDurableObjectAlarm } from "cloudflare:test";
import { expect } from "vitest";
import { loadFacts } from "../../src/monitoring/patient-object/context/facts.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { API, env, readJson, sendRequest } from "../world.ts";

export const HOUR_MS = 3_600_000;
export const HEART_RATE = "8867-4";
export const SPO2 = "2708-6";
export const TEMPERATURE = "8310-5";

export type Item = { code: string; value: number; unit: string; effective_at: string; seq?: number };
export const toIso = (time: number) => new Date(time).toISOString();
export const createItem = (code: string, value: number, at: number): Item => ({
  code,
  value,
  unit: { [HEART_RATE]: "/min", [SPO2]: "%", [TEMPERATURE]: "Cel" }[code] ?? "1",
  effective_at: toIso(at),
});

/** Heart rate every ten minutes and SpO2 every thirty, in the period before `until`, oldest first. */
export function createSeries(until: number, hours: number, seed = 0): Item[] {
  const items: Item[] = [];
  for (let at = until - hours * HOUR_MS, i = seed; at < until; at += 600_000, i++) {
    items.push(createItem(HEART_RATE, 60 + ((i * 37) % 41) + (i % 10) / 10, at));
    if (i % 3 === 0) items.push(createItem(SPO2, 90 + ((i * 7) % 10), at));
  }
  return items;
}

export const getMonitor = (patientId: string) => env.PATIENT_MONITOR.getByName(patientId);

/** Fails the test unless everything is stored. @returns the observations' ids in the order of the items */
export async function storeSamples(as: { token: string }, patientId: string | undefined, items: unknown[]): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < items.length; i += 1000) {
    const json = { ...(patientId && { patient_id: patientId }), samples: items.slice(i, i + 1000) };
    const response = await sendRequest(`${API}/observations`, { as, json });
    const { data } = await readJson(response);
    expect(data?.refused, JSON.stringify(data?.results?.[0])).toBe(0);
    ids.push(...data.results.map(({ observation_id }: { observation_id: string }) => observation_id));
  }
  return ids;
}

/** Makes the object deliver pending data to D1: it recounts up to 24 hours per run. */
export async function deliverToD1(patientId: string, times = 5): Promise<void> {
  for (let i = 0; i < times; i++) await runDurableObjectAlarm(getMonitor(patientId));
}

/** Gives the object the current facts in D1, with the device's assignment backdated by a month. */
export async function backdateBinding(deviceId: string, patientId: string, ago: number): Promise<void> {
  await env.DB.prepare("UPDATE device_assignments SET started_at = ? WHERE device_id = ?")
    .bind(Date.now() - ago, deviceId)
    .run();
  const facts = await loadFacts({ db: getDb(env.DB), keys: await getKeys(env) }, patientId, Date.now());
  if (facts) await getMonitor(patientId).configure(facts);
}

/** Statistics of a vital in a range, sample by sample. */
export function summarize(items: readonly Item[], code: string, from: number, to: number) {
  const found = items
    .filter((one) => one.code === code && Date.parse(one.effective_at) >= from && Date.parse(one.effective_at) < to)
    .sort((a, b) => a.effective_at.localeCompare(b.effective_at));
  const values = found.map(({ value }) => value);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    n: values.length,
    min: Math.min(...values),
    max: Math.max(...values),
    mean,
    last: values.at(-1),
    last_at: found.at(-1)?.effective_at,
  };
}

/** The same with the mean rounded to nine digits: sums in another order differ in the last bits. */
export const approximately = (counts: ReturnType<typeof summarize>) => ({ ...counts, mean: expect.closeTo(counts.mean, 9) });

/** An Env that counts the calls to patients' objects. */
export function withObjectCounter(real: Env): { env: Env; calls: string[] } {
  const calls: string[] = [];
  const watched = <T extends object>(stub: T): T =>
    new Proxy(stub, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          calls.push(String(name));
          return Reflect.apply(value, target, args);
        };
      },
    });
  const PATIENT_MONITOR = new Proxy(real.PATIENT_MONITOR, {
    get(target, name) {
      if (name === "getByName") return (id: string) => watched(target.getByName(id));
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { env: { ...real, PATIENT_MONITOR }, calls };
}
