// The calls of a run that seals again: however its steps are spent, a run has fewer than an invocation of a Worker.
import { expect, it } from "vitest";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { MAX_STEPS } from "../../src/service/keys/seal-again.ts";
import { FILE_COLUMNS, sealedFiles } from "../../src/service/keys/sealed-files.ts";
import { sealedObjects } from "../../src/service/keys/sealed-objects.ts";
import type { SealedStore } from "../../src/service/keys/sealed-store.ts";
import { interceptStores } from "../stores.ts";
import { env, newPatient, newPdf, newWorld, uploadReport } from "../world.ts";
import { NEW_KEY, withFieldKeys } from "./rotation-world.ts";

/** Calls of D1, R2, KV and objects that an invocation may make. */
const MAX_CALLS = 1_000;

/** Seals the first part of a store. @returns its calls, and those of a run that has nothing else to do */
async function countCalls(store: SealedStore, change: <T>(op: string, result: T) => T = (_, result) => result) {
  let calls = 0;
  const counting = interceptStores(env, async ({ k, op }, run) => {
    calls = k;
    return change(op, await run());
  });
  const of = withFieldKeys(`${NEW_KEY},${env.FIELD_KEYS}`, counting);
  const ring = (await getKeys(of)).fields;
  calls = 0;
  await store.seal({ env: of, db: getDb(of.DB), ring, now: Date.now() }, null);
  return { calls, perRun: calls * Math.ceil(MAX_STEPS / store.weight) };
}

it("of objects that have more to seal than two calls do", async () => {
  const world = await newWorld();
  for (let i = 0; i < 20; i++) await newPatient(world.hospitalId, world.nurse);
  const { calls, perRun } = await countCalls(sealedObjects, (op, result) =>
    op === "monitor.countSealed" ? { ...result, more: true } : result,
  );
  expect(calls).toBeGreaterThan(20);
  expect(perRun).toBeLessThan(MAX_CALLS);
});

it("of files", async () => {
  const world = await newWorld();
  for (let i = 0; i < 20; i++) await uploadReport(world.nurse, newPdf(`report ${i}`), { patient_id: world.patient.id });
  const column = FILE_COLUMNS.find(({ name }) => name === "reports.file_key");
  if (!column) throw new Error("no column of reports");
  const { calls, perRun } = await countCalls(sealedFiles(column));
  expect(calls).toBeGreaterThan(60);
  expect(perRun).toBeLessThan(MAX_CALLS);
});
