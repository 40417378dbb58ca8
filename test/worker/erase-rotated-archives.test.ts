// Erasure of an object during a rotation of FIELD_KEYS: its archives are in R2 under both keys for an hour, and none stays.
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { loadVerifiedKeys } from "../../src/platform/config.ts";
import { env } from "../world.ts";
import { filesOf, NEW_KEY, newRecords } from "./rotation-world.ts";

const RING = `${NEW_KEY},${env.FIELD_KEYS}`;
const NOTHING_FAILED = { corrections: 0, archives: 0, values: 0 };
const monitorOf = (id: string) => env.PATIENT_MONITOR.getByName(id);

let monitoredId: string;
/** The name of the only archive, without the key. */
let archive: string;
beforeEach(async () => {
  // The isolate may have checked another database: the sentinel must be under the old key.
  await loadVerifiedKeys(env);
  monitoredId = (await newRecords()).monitoredId;
  const file = await runInDurableObject(monitorOf(monitoredId), (_, { storage }) =>
    String(storage.sql.exec("SELECT file FROM archives").one()["file"]),
  );
  archive = file.slice(file.indexOf("/"));
});

const archivesUnder = async (keyId: string) => (await filesOf(keyId)).filter((key) => key.endsWith(archive));
const listArchives = async () => [...(await archivesUnder("f1")), ...(await archivesUnder("f2"))];

/** Gives the object both keys, and a bucket whose next write waits for `release`. */
async function withBothKeys(id: string) {
  const gate = { isOpen: true, isReached: false };
  const FILES = new Proxy(env.FILES, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name !== "put") return value.bind(target);
      return async (...args: unknown[]) => {
        gate.isReached = true;
        while (!gate.isOpen) await scheduler.wait(2);
        return Reflect.apply(value, target, args);
      };
    },
  });
  await runInDurableObject(monitorOf(id), (object) => Reflect.set(object, "env", { ...env, FIELD_KEYS: RING, FILES }));
  return gate;
}

/** Seals the archives of an object again up to the write of the file. @returns what lets it go on, and its end */
async function beginCopy() {
  const gate = await withBothKeys(monitoredId);
  gate.isOpen = false;
  const ended = monitorOf(monitoredId).countSealed({ failed: NOTHING_FAILED, now: Date.now() });
  while (!gate.isReached) await scheduler.wait(2);
  const finish = async () => {
    gate.isOpen = true;
    await ended;
  };
  return { finish };
}

describe("an erasure of an object", () => {
  it("deletes the archives under the new key and those that they replace", async () => {
    await withBothKeys(monitoredId);
    await monitorOf(monitoredId).countSealed({ failed: NOTHING_FAILED, now: Date.now() });
    expect([await archivesUnder("f1"), await archivesUnder("f2")]).toEqual([[`f1${archive}`], [`f2${archive}`]]);
    expect((await monitorOf(monitoredId).countStored()).files).toBe(2);
    await monitorOf(monitoredId).erase();
    expect(await listArchives()).toEqual([]);
  });

  it("waits for an archive that is being copied, and deletes the copy", async () => {
    const { finish } = await beginCopy();
    const erased = monitorOf(monitoredId).erase();
    await scheduler.wait(20);
    await finish();
    await erased;
    expect(await listArchives()).toEqual([]);
  });

  it("would leave the copy without waiting for it (the check works)", async () => {
    const { finish } = await beginCopy();
    await env.FILES.delete(await listArchives());
    await runInDurableObject(monitorOf(monitoredId), (_, { storage: { sql } }) => sql.exec("DELETE FROM archives"));
    await finish();
    expect(await listArchives()).toEqual([`f2${archive}`]);
    await env.FILES.delete(`f2${archive}`);
  });

  it("deletes a copy that was written before the object ended without naming it", async () => {
    await withBothKeys(monitoredId);
    await env.FILES.put(`f2${archive}`, new Uint8Array(8));
    expect((await monitorOf(monitoredId).countStored()).files).toBe(1);
    await monitorOf(monitoredId).erase();
    expect(await listArchives()).toEqual([]);
  });
});
