// An erasure that fails is marked, logged and tried again later; a run has a bounded number of calls.
import { beforeAll, expect, it, vi } from "vitest";
import { ERASED_TABLES } from "../../src/erasure/run/erased-tables.ts";
import { MAX_DELAY_MS } from "../../src/erasure/run/failures.ts";
import { CALLS_PER_RUN, runErasure, runErasures } from "../../src/erasure/run/run-erasures.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { interceptStores } from "../stores.ts";
import { API, env, link, newPatient, newPerson, newWorld, readJson, sendRequest, type World } from "../world.ts";
import { approved, eraseAll, LATER } from "./erasure-world.ts";

const MINUTE_MS = 60_000;

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

async function newErasing() {
  const patient = await newPatient(world.hospitalId, world.nurse, [world.doctor]);
  const self = await newPerson("patient");
  await link(self, patient);
  return { patient, id: await approved({ manager: world.manager, self, patient }) };
}

const shown = async (id: string) => (await readJson(await sendRequest(`${API}/erasures/${id}`, { as: world.manager }))).data;
const withoutTable = (name: string) => ERASED_TABLES.filter(({ table }) => table !== name);

it("says which rows hold it up, and tries again after a growing delay", async () => {
  const { id, patient } = await newErasing();
  const output = vi.spyOn(console, "log");
  // Rows of a table that the erasure does not know refer to the patient.
  const tables = withoutTable("care_team");
  await runErasures(env, LATER, tables);
  const lines = output.mock.calls.map(([line]) => line as Record<string, unknown>);
  output.mockRestore();
  expect(lines.filter(({ message }) => message === "erasure held up by references")).toMatchObject([
    { levelname: "ERROR", code: id, object_id: patient.id, operation: "patients", reason: "care_team.patient_id 1" },
  ]);
  const at = (ms: number) => new Date(LATER + ms).toISOString();
  const first = { state: "erasing", failures: 1, last_failure: "reference", retry_at: at(MINUTE_MS) };
  expect(await shown(id)).toMatchObject(first);
  await runErasures(env, LATER + MINUTE_MS - 1, tables);
  expect(await shown(id)).toMatchObject(first);
  await runErasures(env, LATER + MINUTE_MS, tables);
  expect(await shown(id)).toMatchObject({ ...first, failures: 2, retry_at: at(3 * MINUTE_MS) });
  let now = LATER + 3 * MINUTE_MS;
  for (let run = 0; run < 9; run++, now += MAX_DELAY_MS) await runErasures(env, now, tables);
  expect(await shown(id)).toMatchObject({ failures: 11, retry_at: new Date(now).toISOString() });
  await runErasures(env, now);
  await runErasures(env, now + MAX_DELAY_MS);
  expect(await shown(id)).toMatchObject({ state: "erased", failures: 0, last_failure: null, retry_at: null });
});

it("forgets an error with the next step that succeeds", async () => {
  const { id } = await newErasing();
  const failing = interceptStores(env, (call, run) =>
    call.op === "monitor.erase" ? Promise.reject(new Error("overloaded")) : run(),
  );
  await runErasures(failing, LATER);
  expect(await shown(id)).toMatchObject({ state: "erasing", failures: 1, last_failure: "error" });
  await runErasures(failing, LATER + MINUTE_MS);
  expect(await shown(id)).toMatchObject({ failures: 2 });
  await eraseAll(id);
});

it("has no more calls per run than a Worker's invocation, however many devices the patient had", async () => {
  const { id } = await newErasing();
  const context = { env, db: getDb(env.DB), keys: await getKeys(env) };
  await runErasure(context, id, LATER, 12);
  const credentials = JSON.stringify(Array.from({ length: 1_000 }, () => crypto.randomUUID()));
  await env.DB.prepare("UPDATE erasures SET progress = json_set(progress, '$.subject.credentials', json(?)) WHERE id = ?")
    .bind(credentials, id)
    .run();
  const callsPerRun: number[] = [];
  for (let run = 0; run < 20 && (await shown(id)).state !== "erased"; run++) {
    let calls = 0;
    const counting = interceptStores(env, ({ k }, next) => {
      calls = k;
      return next();
    });
    await runErasures(counting, LATER);
    callsPerRun.push(calls);
  }
  expect((await shown(id)).state).toBe("erased");
  // All hints are read once, and read and deleted twice.
  expect(callsPerRun.reduce((sum, calls) => sum + calls, 0)).toBeGreaterThan(3_000);
  expect(Math.max(...callsPerRun)).toBeGreaterThan(CALLS_PER_RUN / 2);
  expect(Math.max(...callsPerRun)).toBeLessThan(1_000);
});
