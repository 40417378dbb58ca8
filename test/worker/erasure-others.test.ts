// What an erasure clears or deletes in rows that are not the patient's alone: consents of others, numbers of a person, storage quotas.
import { beforeAll, expect, it } from "vitest";
import { runErasure } from "../../src/erasure/run/run-erasures.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { newScope } from "../consent-rows.ts";
import { grantAsAsked, newConsentScene } from "../consent-scene.ts";
import {
  API,
  env,
  link,
  newDevice,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  sendRequest,
  uploadReport,
  type World,
} from "../world.ts";
import { approved, eraseAll, LATER, newNumber, scanD1 } from "./erasure-world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

it("removes the record from the versions of consents for other records of the person", async () => {
  const scene = await newConsentScene();
  const consent = await grantAsAsked(scene, newScope());
  expect([...(await scanD1([scene.atA.id])).keys()]).toContain("consent_versions");
  const id = await approved({ manager: scene.a.manager, self: scene.person, patient: scene.atA });
  await eraseAll(id);
  expect(Object.fromEntries(await scanD1([scene.atA.id]))).toEqual({});
  const { results } = await env.DB.prepare(
    "SELECT artefact->>'$.shared' AS shared, artefact->>'$.status' AS status FROM consent_versions WHERE consent_id = ? ORDER BY version",
  )
    .bind(consent)
    .all();
  expect(results).toEqual([
    { shared: "[]", status: "requested" },
    { shared: "[]", status: "granted" },
  ]);
  const certificate = await env.DB.prepare("SELECT certificate FROM erasures WHERE id = ?").bind(id).first<string>("certificate");
  expect(JSON.parse(certificate ?? "").counts).toContainEqual({ store: "d1.consent_versions.artefact", count: 1 });
});

const setNumber = async (patientId: string, by: World, aadhaar_number: string) => {
  const change = { as: by.nurse, method: "PATCH", json: { aadhaar_number }, headers: { "If-Match": "*" } };
  expect((await sendRequest(`${API}/patients/${patientId}`, change)).status).toBe(200);
};
const numbersOf = async (uids: readonly string[]) =>
  (
    await env.DB.prepare(
      "SELECT patient_uid AS uid, patient_id AS id FROM person_identifiers WHERE patient_uid IN (SELECT value FROM json_each(?))",
    )
      .bind(JSON.stringify(uids))
      .all<{ uid: string; id: string | null }>()
  ).results;
async function uidOf(patientId: string): Promise<string> {
  return (
    (await env.DB.prepare("SELECT patient_uid AS uid FROM patients WHERE id = ?").bind(patientId).first<string>("uid")) ?? ""
  );
}

/** A patient with a login, whose number was replaced. */
async function newRenumbered() {
  const patient = await newPatient(world.hospitalId, world.nurse);
  const self = await newPerson("patient");
  await link(self, patient);
  const first = newNumber();
  await setNumber(patient.id, world, first);
  const before = await uidOf(patient.id);
  await setNumber(patient.id, world, newNumber());
  const uids = [before, await uidOf(patient.id)];
  expect(new Set(uids).size).toBe(2);
  expect((await numbersOf(uids)).map(({ id }) => id)).toEqual([patient.id, patient.id]);
  return { patient, first, uids, id: await approved({ manager: world.manager, self, patient }) };
}

it("deletes the numbers from before a change of the person, too", async () => {
  const { id, uids } = await newRenumbered();
  await eraseAll(id);
  expect(await numbersOf(uids)).toEqual([]);
});

it("keeps a number by which another hospital knows the person, without the id of the record", async () => {
  const { id, first, uids } = await newRenumbered();
  const other = await newWorld();
  await setNumber(other.patient.id, other, first);
  expect(await uidOf(other.patient.id)).toBe(uids[0]);
  await eraseAll(id);
  expect(await numbersOf(uids)).toEqual([{ uid: uids[0], id: null }]);
});

it("keeps no id of the record when another hospital gets the number during the erasure", async () => {
  const { id, first, patient, uids } = await newRenumbered();
  const context = { env, db: getDb(env.DB), keys: await getKeys(env) };
  const stepOf = () =>
    env.DB.prepare("SELECT progress->>'step' AS step FROM erasures WHERE id = ?").bind(id).first<number>("step");
  // Past the step that clears columns (2).
  for (let run = 0; run < 50 && ((await stepOf()) ?? 0) < 4; run++) await runErasure(context, id, LATER, 3);
  const other = await newWorld();
  await setNumber(other.patient.id, other, first);
  await eraseAll(id);
  expect(await numbersOf(uids)).toEqual([{ uid: uids[0], id: null }]);
  expect(Object.fromEntries(await scanD1([patient.id]))).toEqual({});
});

const storedBytes = (scope: string, name: string) =>
  env.DB.prepare("SELECT n FROM counters WHERE scope = ? AND day = 0 AND name = ?")
    .bind(`quota:${scope}`, name)
    .first<number>("n");

it("gives back the room of files in quarantine and of held samples", async () => {
  const patient = await newPatient(world.hospitalId, world.nurse);
  const self = await newPerson("patient");
  await link(self, patient);
  const device = await newDevice(world.nurse, patient.id);
  const other = await newDevice(world.nurse, null);
  const id = await approved({ manager: world.manager, self, patient });
  const scope = `h:${world.hospitalId}`;
  const deviceId = await env.DB.prepare("SELECT device_id AS id FROM device_assignments WHERE patient_id = ?")
    .bind(patient.id)
    .first<string>("id");
  // Of another device, to stay.
  expect((await uploadReport(other, newPdf(), {})).status).toBe(202);
  const before = (await storedBytes(scope, "files")) ?? 0;
  expect((await uploadReport(device, newPdf(), {})).status).toBe(202);
  expect(await storedBytes(scope, "files")).toBeGreaterThan(before);
  expect(await storedBytes(`m:${deviceId}`, "files")).toBeGreaterThan(0);
  const sample = { code: "8867-4", value: 70, unit: "/min", effective_at: new Date().toISOString() };
  await sendRequest(`${API}/observations`, { as: device, json: sample });
  const held = await env.DB.prepare(
    "SELECT sum(length(items_sealed)) AS n FROM held_observations WHERE device_id = ? AND length(id) = 36",
  )
    .bind(deviceId)
    .first<number>("n");
  expect(held).toBeGreaterThan(0);
  const records = (await storedBytes(scope, "records")) ?? 0;
  await eraseAll(id);
  expect(await storedBytes(scope, "files")).toBe(before);
  expect(await storedBytes(`m:${deviceId}`, "files")).toBe(0);
  expect(await storedBytes(scope, "records")).toBe(records - (held ?? 0));
});
