// The cron job that deletes orphaned files: files without a row are deleted after 40 minutes; files with a row never are.
import { beforeAll, describe, expect, it } from "vitest";
import { runCleanup } from "../../src/cron.ts";
import { IDEMPOTENCY_TTL_MS } from "../../src/http/idempotency.ts";
import { getKeys } from "../../src/platform/config.ts";
import { createObjectKey } from "../../src/platform/files.ts";
import { MIN_ORPHAN_AGE_MS } from "../../src/reports/reading/sweep.ts";
import { withStoreFault } from "../stores.ts";
import { API, env, newDevice, newPdf, newWorld, readJson, sendRequest, uploadReport, type World } from "../world.ts";
import { listReferencedKeys, listStoredKeys, verifyEveryReport } from "./storage-evidence.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
  const device = await newDevice(world.nurse, null);
  await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id, metrics: '{"heart_rate":70}' });
  await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id });
  await uploadReport(device, newPdf());
});

const HOUR = 3_600_000;

/** What an upload leaves whose row was never written. */
async function orphans(count: number, begun = Date.now()): Promise<string[]> {
  const { fields } = await getKeys(env);
  const keys = Array.from({ length: count }, () => createObjectKey(fields, begun));
  while (keys.length > 0) {
    const some = keys.splice(0, 50);
    await Promise.all(some.map((key) => env.FILES.put(key, "orphan")));
    made.push(...some);
  }
  return made.slice(-count);
}
const made: string[] = [];

const left = async (keys: string[]) => {
  const stored = new Set(await listStoredKeys());
  return keys.filter((key) => stored.has(key)).length;
};

describe("the sweep", () => {
  it("keeps reports, metrics and quarantined bytes", async () => {
    const before = await listStoredKeys();
    expect(before).toHaveLength(4);
    await runCleanup(env, Date.now() + 2 * HOUR);
    expect(await listStoredKeys()).toEqual(before);
    expect(await verifyEveryReport()).toBe(2);
  });

  it("leaves a file of less than 40 minutes to the upload that may still run", async () => {
    const keys = await orphans(2);
    await runCleanup(env, Date.now() + MIN_ORPHAN_AGE_MS - 60_000);
    expect(await left(keys)).toBe(2);
    await runCleanup(env, Date.now() + MIN_ORPHAN_AGE_MS + 60_000);
    expect(await left(keys)).toBe(0);
  });

  it("deletes an orphan within the hour when it runs every quarter of an hour, even if it started in the hour before", async () => {
    const keys = [...(await orphans(1)), ...(await orphans(1, Date.now() - HOUR))];
    const runs = [];
    for (const quarter of [1, 2, 3]) {
      await runCleanup(env, Date.now() + quarter * 15 * 60_000);
      runs.push(await left(keys));
    }
    expect(runs).toEqual([2, 2, 0]);
  });

  it("catches up after a day without cron, over many pages", async () => {
    const keys = await orphans(520);
    await runCleanup(env, Date.now() + 23 * HOUR);
    expect(await left(keys)).toBe(0);
    expect((await listStoredKeys()).sort()).toEqual((await listReferencedKeys()).sort());
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
        const faulty = withStoreFault(env, k, when, store);
        await runCleanup(faulty.env, Date.now() + 2 * HOUR).catch(() => undefined);
        if (faulty.fault.fired) faults++;
        if ((await left(keys)) === 0) deletes++;
        expect(await verifyEveryReport()).toBe(2);
        await runCleanup(env, Date.now() + 2 * HOUR);
        expect(await left(keys)).toBe(0);
      }
    }
    expect(faults).toBeGreaterThan(10);
    expect(deletes).toBeGreaterThan(0);
    expect(deletes).toBeLessThan(faults);
    expect((await listStoredKeys()).sort()).toEqual((await listReferencedKeys()).sort());
  });
});

describe("the same cron", () => {
  it("deletes idempotency keys after a day and not before", async () => {
    const key = { headers: { "Idempotency-Key": "sweep-test-key" } };
    const { data } = await readJson(
      await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "Uma" }, ...key }),
    );
    const rows = async () =>
      (await env.DB.prepare("SELECT 1 FROM idempotency_keys WHERE resource_id = ?").bind(data.patient_id).all()).results.length;
    await runCleanup(env, Date.now() + IDEMPOTENCY_TTL_MS - 60_000);
    expect(await rows()).toBe(1);
    await runCleanup(env, Date.now() + IDEMPOTENCY_TTL_MS + 60_000);
    expect(await rows()).toBe(0);
  });
});
