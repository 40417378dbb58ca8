// Archiving beside other work on the files of a patient's object: alarms do not wait for it, and no file stays without its name.
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, it } from "vitest";
import { loadVerifiedKeys } from "../../src/platform/config.ts";
import { API, env, newPatient, newWorld, sendRequest, type World } from "../world.ts";
import { listFiles } from "./erasure-world.ts";
import { createSample } from "./monitored-patient.ts";
import { NEW_KEY } from "./rotation-world.ts";

const DAY_MS = 86_400_000;
type Monitor = {
  alarm: () => Promise<void>;
  countSealed: (sealing: object) => Promise<unknown>;
  erase: () => Promise<void>;
  countStored: () => Promise<{ files: number }>;
};

let world: World;
let patientId: string;
beforeEach(async () => {
  // The isolate may have checked another database: the sentinel must be under the old key.
  await loadVerifiedKeys(env);
  world = await newWorld();
  patientId = (await newPatient(world.hospitalId, world.nurse)).id;
  const change = { as: world.nurse, method: "PATCH", json: { monitoring: "home" }, headers: { "If-Match": "*" } };
  expect((await sendRequest(`${API}/patients/${patientId}`, change)).status).toBe(200);
  const sample = { ...createSample(0), patient_id: patientId };
  expect((await sendRequest(`${API}/observations`, { as: world.nurse, json: sample })).status).toBe(200);
});

/** A bucket whose calls of one method go through `around`. */
const bucketWith = (method: "get" | "put", around: (run: () => Promise<unknown>) => Promise<unknown>) =>
  new Proxy(env.FILES, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name !== method) return value.bind(target);
      return (...args: unknown[]) => around(async () => Reflect.apply(value, target, args));
    },
  });

const inObject = (work: (monitor: Monitor, storage: DurableObjectStorage, use: (of: Partial<Env>) => void) => Promise<void>) =>
  runInDurableObject(env.PATIENT_MONITOR.getByName(patientId), async (object, { storage }) => {
    try {
      await work(object as unknown as Monitor, storage, (of) => Reflect.set(object, "env", { ...env, ...of }));
    } finally {
      Reflect.set(object, "env", env);
    }
  });

const addOldBlock = ({ sql }: DurableObjectStorage) => {
  const id = Date.now() - 60 * DAY_MS;
  sql.exec("INSERT INTO blocks (id, from_at, to_at, data) VALUES (?, ?, ?, x'00')", id, id, id + 1).toArray();
};
const listArchives = ({ sql }: DurableObjectStorage) => sql.exec("SELECT file FROM archives").toArray();

it.each([
  { blocks: "no old blocks", isOld: false },
  { blocks: "old blocks", isOld: true },
])("an alarm with $blocks does not wait for archives that are sealed again", ({ isOld }) =>
  inObject(async (monitor, storage, use) => {
    let isHanging = true;
    const hang = async (run: () => Promise<unknown>) => {
      while (isHanging) await scheduler.wait(5);
      return run();
    };
    storage.sql.exec("INSERT INTO archives (from_at, to_at, file, size) VALUES (0, 1, 'f1/vitals/none', 64)").toArray();
    if (isOld) addOldBlock(storage);
    use({ FIELD_KEYS: `${NEW_KEY},${env.FIELD_KEYS}`, FILES: bucketWith("get", hang) });
    const sealing = monitor.countSealed({ failed: { corrections: 0, archives: 0, values: 0 }, now: Date.now() });
    await storage.deleteAlarm();
    const ended = await Promise.race([monitor.alarm().then(() => true), scheduler.wait(1_000).then(() => false)]);
    const alarmAt = await storage.getAlarm();
    isHanging = false;
    await sealing;
    expect(ended).toBe(true);
    expect(alarmAt).toBeGreaterThan(Date.now());
    expect(listArchives(storage)).toHaveLength(1);
    if (isOld) {
      await monitor.alarm();
      expect(listArchives(storage)).toHaveLength(2);
    }
  }),
);

it("the next alarm is set while blocks are archived", () =>
  inObject(async (monitor, storage, use) => {
    let isHanging = true;
    addOldBlock(storage);
    const hang = async (run: () => Promise<unknown>) => {
      while (isHanging) await scheduler.wait(5);
      return run();
    };
    use({ FILES: bucketWith("put", hang) });
    await storage.deleteAlarm();
    const ended = monitor.alarm();
    await scheduler.wait(200);
    const alarmAt = await storage.getAlarm();
    isHanging = false;
    await ended;
    expect(alarmAt).not.toBeNull();
    expect(listArchives(storage)).toHaveLength(1);
  }));

/** Writes an archive, but the response of R2 is lost. @returns the file */
async function loseResponse(monitor: Monitor, storage: DurableObjectStorage, use: (of: Partial<Env>) => void) {
  const before = await listFiles();
  const lose = async (run: () => Promise<unknown>) => {
    await run();
    throw new Error("the response is lost");
  };
  addOldBlock(storage);
  use({ FILES: bucketWith("put", lose) });
  await monitor.alarm();
  use({});
  const written = (await listFiles()).filter((file) => !before.includes(file));
  expect(written).toHaveLength(1);
  expect(listArchives(storage)).toEqual([]);
  return { before, written };
}

it("a file whose response was lost is deleted when the blocks are archived again", () =>
  inObject(async (monitor, storage, use) => {
    const { before } = await loseResponse(monitor, storage, use);
    await monitor.alarm();
    const [archive, ...more] = listArchives(storage);
    expect(more).toEqual([]);
    expect((await listFiles()).filter((file) => !before.includes(file))).toEqual([archive?.["file"]]);
  }));

it("a file whose response was lost is counted and deleted by an erasure", () =>
  inObject(async (monitor, storage, use) => {
    const { before } = await loseResponse(monitor, storage, use);
    expect((await monitor.countStored()).files).toBe(1);
    await monitor.erase();
    expect((await listFiles()).filter((file) => !before.includes(file))).toEqual([]);
  }));
