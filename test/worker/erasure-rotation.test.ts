// Erasures beside the jobs that write files: sealing again after a rotation of FIELD_KEYS, and packing of old hours.
import { beforeEach, describe, expect, it } from "vitest";
import { ERASED_TABLES } from "../../src/erasure/run/erased-tables.ts";
import { runErasures } from "../../src/erasure/run/run-erasures.ts";
import { firstKeptHour, toMonth } from "../../src/monitoring/packed-hours/months.ts";
import { packOldHours, repackMonth, STALE_FILE_MS } from "../../src/monitoring/packed-hours/pack-hours.ts";
import { getKeys, loadVerifiedKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { sealAgain } from "../../src/service/keys/seal-again.ts";
import { newDocument } from "../document-files.ts";
import { interceptStores } from "../stores.ts";
import { env, link, newPatient, newPdf, newPerson, newWorld, uploadReport, type World } from "../world.ts";
import { approved, eraseAll, LATER, listFiles } from "./erasure-world.ts";
import { NEW_KEY, withFieldKeys } from "./rotation-world.ts";

const HOUR_MS = 3_600_000;
const RING = `${NEW_KEY},${env.FIELD_KEYS}`;
const both = withFieldKeys(RING);
/** The erasure as it would be without waiting for files of a rotation. */
const WITHOUT_WAITING = ERASED_TABLES.map(({ mustWait: _, ...table }) => table);

let world: World;
let before: string[];
let subject: Pick<World, "manager" | "self" | "patient">;
beforeEach(async () => {
  // The isolate may have checked another database: the sentinel must be under the old key.
  await loadVerifiedKeys(env);
  world = await newWorld();
  await env.DB.batch([env.DB.prepare("DELETE FROM resealing"), env.DB.prepare("DELETE FROM replaced_files")]);
  before = await listFiles();
  const patient = await newPatient(world.hospitalId, world.nurse);
  const self = await newPerson("patient");
  await link(self, patient);
  subject = { manager: world.manager, self, patient };
});

const newFiles = async () => (await listFiles()).filter((key) => !before.includes(key));
const stateOf = (id: string) => env.DB.prepare("SELECT state FROM erasures WHERE id = ?").bind(id).first<string>("state");
/** A report and a document. */
async function addFiles(): Promise<void> {
  await uploadReport(world.nurse, newPdf(), { patient_id: subject.patient.id });
  await newDocument(world.nurse, subject.patient.id);
}

/** Runs the rotation until the patient's files are under the new key, or a number of runs. */
async function rotate(of: Env, runs = 30): Promise<void> {
  for (let run = 0; run < runs; run++) {
    await sealAgain(of, LATER - HOUR_MS + run * 1_000, 500);
    if ((await newFiles()).filter((key) => key.startsWith("f2/")).length >= 2) return;
  }
}

describe("a file that is sealed again", () => {
  it("is deleted with the one that it replaces: the erasure waits for it", async () => {
    await addFiles();
    const id = await approved(subject);
    await rotate(both);
    expect((await newFiles()).map((key) => key.slice(0, 2)).sort()).toEqual(["f1", "f1", "f2", "f2"]);
    await runErasures(both, LATER);
    expect(await stateOf(id)).toBe("erasing");
    // Also with one key in the ring.
    expect(await sealAgain(env, LATER + HOUR_MS)).toBe(0);
    await eraseAll(id, undefined, both);
    expect(await newFiles()).toEqual([]);
  });

  it("would outlive an erasure that does not wait (the check works)", async () => {
    await addFiles();
    const id = await approved(subject);
    await rotate(both);
    await eraseAll(id, WITHOUT_WAITING, both);
    expect((await newFiles()).map((key) => key.slice(0, 2))).toEqual(["f1", "f1"]);
    await sealAgain(env, LATER + HOUR_MS);
  });

  it("is listed before it is written: one of a run that was killed is deleted, too", async () => {
    await addFiles();
    const killed = interceptStores(env, async ({ op }, run) => {
      const result = await run();
      if (op === "put") throw new Error("killed");
      return result;
    });
    const id = await approved(subject);
    await rotate(withFieldKeys(RING, killed), 10);
    expect((await newFiles()).filter((key) => key.startsWith("f2/")).length).toBeGreaterThanOrEqual(2);
    await runErasures(both, LATER);
    expect(await stateOf(id)).toBe("erasing");
    await sealAgain(env, LATER + HOUR_MS);
    await eraseAll(id, undefined, both);
    expect(await newFiles()).toEqual([]);
  });

  it("is none of a patient whose erasure has begun, whenever it begins", async () => {
    await addFiles();
    const id = await approved(subject);
    let isBegun = false;
    const racing = interceptStores(env, async ({ op }, run) => {
      // The old file was read; the erasure goes on until it waits.
      if (op === "put" && !isBegun) {
        isBegun = true;
        await runErasures(both, LATER);
      }
      return run();
    });
    await rotate(withFieldKeys(RING, racing), 10);
    expect([isBegun, await stateOf(id)]).toEqual([true, "erasing"]);
    // One file was listed when the erasure began; the other one is not touched any more.
    expect((await newFiles()).filter((key) => key.startsWith("f2/")).length).toBeLessThan(3);
    await sealAgain(env, LATER + HOUR_MS);
    await eraseAll(id, undefined, both);
    expect(await newFiles()).toEqual([]);
  });
});

describe("a month of packed hours", () => {
  const now = Date.now();
  const hour = firstKeptHour(now) - 9;
  const monthRows = async () =>
    (await env.DB.prepare("SELECT * FROM vital_months WHERE patient_id = ?").bind(subject.patient.id).all()).results;
  const addHour = () =>
    env.DB.prepare(`INSERT INTO vital_hours (hospital_id, hour, patient_id, stats, version)
      VALUES (?, CAST(? AS INTEGER), ?, '{"8867-4":[1,60,60,60,60,0]}', 1)`)
      .bind(world.hospitalId, hour, subject.patient.id)
      .run();
  const repack = async () => {
    const month = { hospitalId: world.hospitalId, patientId: subject.patient.id, month: toMonth(hour) };
    return repackMonth(env, getDb(env.DB), (await getKeys(env)).fields, month, now);
  };

  it("is packed for others, and neither packed nor created while and after the patient is erased", async () => {
    await addHour();
    await packOldHours(env, now);
    expect(await monthRows()).toHaveLength(1);
    await env.DB.prepare("UPDATE vital_months SET stale_key = NULL").run();
    expect(await repack()).toBe(true);
    await env.DB.prepare("DELETE FROM vital_months WHERE patient_id = ?").bind(subject.patient.id).run();
    const id = await approved(subject);
    await env.DB.prepare("UPDATE erasures SET state = 'erasing' WHERE id = ?").bind(id).run();
    await addHour();
    await packOldHours(env, now);
    expect([await repack(), await monthRows()]).toEqual([false, []]);
    await eraseAll(id);
    expect([await repack(), await monthRows()]).toEqual([false, []]);
  });

  it("that is being packed when the erasure begins is waited for", async () => {
    await addHour();
    const id = await approved(subject);
    let isBegun = false;
    const racing = interceptStores(env, async ({ op }, run) => {
      if (op === "put" && !isBegun) {
        isBegun = true;
        await env.DB.prepare("UPDATE erasures SET erase_on = 0, state = 'erasing', started_at = 0 WHERE id = ?").bind(id).run();
        await runErasures(env, now);
      }
      return run();
    });
    await packOldHours(racing, now);
    expect([isBegun, await stateOf(id), (await monthRows()).length]).toEqual([true, "erasing", 1]);
    await runErasures(env, now + STALE_FILE_MS + 1);
    expect([await stateOf(id), await monthRows(), await newFiles()]).toEqual(["erased", [], []]);
  });
});
