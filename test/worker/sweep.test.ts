// The orphan sweep by cron: files that no row names go after 40 minutes; whatever a row names stays, however often it runs or fails.
import { beforeAll, describe, expect, it } from "vitest";
import { cleanUp } from "../../src/cron.ts";
import { KEY_LIFE_MS } from "../../src/http/idempotency.ts";
import { keysOf } from "../../src/platform/config.ts";
import { newFileKey } from "../../src/platform/files.ts";
import { ORPHAN_AGE_MS } from "../../src/reports/reading/sweep.ts";
import { failing } from "../stores.ts";
import { API, ask, env, newDevice, newPdf, newWorld, read, upload, type World } from "../world.ts";
import { namedKeys, openEveryReport, storedKeys } from "./evidence.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
  const device = await newDevice(world.nurse, null);
  await upload(world.nurse, newPdf(), { patient_id: world.patient.id, metrics: '{"heart_rate":70}' });
  await upload(world.nurse, newPdf(), { patient_id: world.patient.id });
  await upload(device, newPdf());
});

const HOUR = 3_600_000;

/** What an upload leaves whose row was never written. */
async function orphans(count: number, begun = Date.now()): Promise<string[]> {
  const { fields } = await keysOf(env);
  const keys = Array.from({ length: count }, () => newFileKey(fields, begun));
  while (keys.length > 0) {
    const some = keys.splice(0, 50);
    await Promise.all(some.map((key) => env.FILES.put(key, "orphan")));
    made.push(...some);
  }
  return made.slice(-count);
}
const made: string[] = [];

const left = async (keys: string[]) => {
  const stored = new Set(await storedKeys());
  return keys.filter((key) => stored.has(key)).length;
};

describe("the sweep", () => {
  it("keeps reports, metrics and quarantined bytes", async () => {
    const before = await storedKeys();
    expect(before).toHaveLength(4);
    await cleanUp(env, Date.now() + 2 * HOUR);
    expect(await storedKeys()).toEqual(before);
    expect(await openEveryReport()).toBe(2);
  });

  it("leaves a file of less than 40 minutes to the upload that may still run", async () => {
    const keys = await orphans(2);
    await cleanUp(env, Date.now() + ORPHAN_AGE_MS - 60_000);
    expect(await left(keys)).toBe(2);
    await cleanUp(env, Date.now() + ORPHAN_AGE_MS + 60_000);
    expect(await left(keys)).toBe(0);
  });

  it("takes an orphan within the hour when it runs each quarter, also one begun in the hour before", async () => {
    const keys = [...(await orphans(1)), ...(await orphans(1, Date.now() - HOUR))];
    const runs = [];
    for (const quarter of [1, 2, 3]) {
      await cleanUp(env, Date.now() + quarter * 15 * 60_000);
      runs.push(await left(keys));
    }
    expect(runs).toEqual([2, 2, 0]);
  });

  it("catches up after a day without cron, over many pages", async () => {
    const keys = await orphans(520);
    await cleanUp(env, Date.now() + 23 * HOUR);
    expect(await left(keys)).toBe(0);
    expect((await storedKeys()).sort()).toEqual((await namedKeys()).sort());
  });

  it("that fails half-way has taken nothing that is named, and the next run ends the work", async () => {
    let [faults, deletes] = [0, 0];
    // Of the bucket's calls: an early list, and those around the hour that has the files, up to the last.
    const places = [
      ...[1, 2, 3].map((k) => ["DB", k] as const),
      ...[1, 23, 24, 25, 26, 27, 28].map((k) => ["FILES", k] as const),
    ];
    for (const when of ["before", "after"] as const) {
      for (const [store, k] of places) {
        const keys = await orphans(2);
        const faulty = failing(env, k, when, store);
        await cleanUp(faulty.env, Date.now() + 2 * HOUR).catch(() => undefined);
        if (faulty.fault.fired) faults++;
        if ((await left(keys)) === 0) deletes++;
        expect(await openEveryReport()).toBe(2);
        await cleanUp(env, Date.now() + 2 * HOUR);
        expect(await left(keys)).toBe(0);
      }
    }
    expect(faults).toBeGreaterThan(10);
    expect(deletes).toBeGreaterThan(0);
    expect(deletes).toBeLessThan(faults);
    expect((await storedKeys()).sort()).toEqual((await namedKeys()).sort());
  });
});

describe("the same cron", () => {
  it("forgets keys after a day and not before", async () => {
    const key = { headers: { "Idempotency-Key": "sweep-test-key" } };
    const { data } = await read(await ask(`${API}/patients`, { as: world.nurse, json: { first_name: "Uma" }, ...key }));
    const rows = async () =>
      (await env.DB.prepare("SELECT 1 FROM idempotency_keys WHERE resource_id = ?").bind(data.patient_id).all()).results.length;
    await cleanUp(env, Date.now() + KEY_LIFE_MS - 60_000);
    expect(await rows()).toBe(1);
    await cleanUp(env, Date.now() + KEY_LIFE_MS + 60_000);
    expect(await rows()).toBe(0);
  });
});
