// Erasures beside decisions about files in quarantine: a file is either the report of another patient, or deleted.
import { beforeEach, expect, it } from "vitest";
import { runErasures } from "../../src/erasure/run/run-erasures.ts";
import { settleUploads } from "../../src/erasure/run/settle-uploads.ts";
import { getKeys } from "../../src/platform/config.ts";
import { batch, getDb, isRoleChanged } from "../../src/platform/db/client.ts";
import { interceptStores } from "../stores.ts";
import {
  API,
  env,
  link,
  newDevice,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  readJson,
  sendRequest,
  uploadReport,
  type World,
} from "../world.ts";
import { approved, eraseAll, LATER, scanD1 } from "./erasure-world.ts";

let world: World;
let subject: Pick<World, "manager" | "self" | "patient">;
let uploadId: string;
beforeEach(async () => {
  world = await newWorld();
  const patient = await newPatient(world.hospitalId, world.nurse);
  const self = await newPerson("patient");
  await link(self, patient);
  subject = { manager: world.manager, self, patient };
  const device = await newDevice(world.nurse, patient.id);
  const held = await uploadReport(device, newPdf(), { recorded_at: "2099-01-01T00:00:00Z" });
  expect(held.status).toBe(202);
  uploadId = (await readJson(held)).data.upload_id;
});

/** Makes the file the report of another patient. */
const assign = () =>
  sendRequest(`${API}/uploads/${uploadId}/assign`, {
    as: world.nurse,
    json: { patient_id: world.stranger.id, recorded_at: new Date().toISOString() },
  });
const storedBytes = () =>
  env.DB.prepare("SELECT n FROM counters WHERE scope = ? AND day = 0 AND name = 'files'")
    .bind(`quota:h:${world.hospitalId}`)
    .first<number>("n");
const readRows = async () => (await env.DB.prepare("SELECT * FROM uploads WHERE id = ?").bind(uploadId).all()).results;

it("a file is not assigned while the erasure deletes it", async () => {
  const id = await approved(subject);
  let status: number | null = null;
  const racing = interceptStores(env, async ({ op, store }, run) => {
    if (store === "FILES" && op === "delete" && status === null) {
      status = 0;
      status = (await assign()).status;
    }
    return run();
  });
  await runErasures(racing, LATER);
  await eraseAll(id);
  expect(status).toBe(409);
  expect(await readRows()).toEqual([]);
  expect(Object.fromEntries(await scanD1([uploadId]))).toEqual({});
});

it("gives back the room of a file once, also when the run ends before its row is deleted", async () => {
  await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id });
  const before = (await storedBytes()) ?? 0;
  const [row] = await readRows();
  const size = Number(row?.["file_size"]);
  const id = await approved(subject);
  const killed = interceptStores(env, async ({ op, store }, run) => {
    if (store === "FILES" && op === "delete") throw new Error("killed");
    return run();
  });
  for (let i = 0; i < 3; i++) await runErasures(killed, LATER + i * 3_600_000);
  expect(await readRows()).toMatchObject([{ outcome: "discarded", file_key: row?.["file_key"] }]);
  await eraseAll(id);
  expect(await storedBytes()).toBe(before - size);
});

it("a file that was assigned since its row was read stays", async () => {
  const [row] = (await readRows()) as Record<string, string | number | null>[];
  if (!row) throw new Error("no upload");
  const db = getDb(env.DB);
  const statements = await settleUploads(db, [row], await getKeys(env));
  expect((await assign()).status).toBe(201);
  const before = await storedBytes();
  const error = await batch(db, statements).catch((cause: unknown) => cause);
  expect(isRoleChanged(error)).toBe(true);
  expect([await storedBytes(), (await readRows())[0]?.["outcome"]]).toEqual([before, "assigned"]);
  await eraseAll(await approved(subject));
  const file = await sendRequest(`${API}/reports/${uploadId}/file`, { as: world.nurse });
  expect(file.status).toBe(200);
});
