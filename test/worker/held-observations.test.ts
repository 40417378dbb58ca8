// Quarantined samples are filed for a patient or discarded: in bulk, once, with a reason, and as history.
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../eventually.ts";
import { withRandomDelays } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  link,
  newDevice,
  newPatient,
  newPerson,
  newWorld,
  type Patient,
  type Person,
  readAuditEvents,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";

let world: World;
let other: World;
let device: Awaited<ReturnType<typeof newDevice>>;
let patient: Patient;
beforeAll(async () => {
  [world, other] = [await newWorld(), await newWorld()];
});
beforeEach(async () => {
  [device, patient] = [await newDevice(world.nurse, null, "wearable"), await newPatient(world.hospitalId, world.nurse)];
});

const QUARANTINE = `${API}/observations/quarantine`;
let minute = 0;
const sample = (value = 190, ago = 0) => ({
  ...{ code: "8867-4", value, unit: "/min", seq: ++minute },
  effective_at: new Date(Date.now() - ago - minute).toISOString(),
});
const bring = async (...samples: object[]) => {
  const { data } = await readJson(await sendRequest(`${API}/observations`, { as: device, json: { samples } }));
  expect(new Set(data.results.map(({ status }: { status: string }) => status))).toEqual(new Set(["quarantined"]));
};
type Held = { held_id: string; state: string };
const list = async (query = "", as: Person = world.nurse) =>
  (await readJson(await sendRequest(`${QUARANTINE}?device_id=${device.id}${query}`, { as }))).data as Held[];
const ids = async () => (await list("&state=held")).map(({ held_id }) => held_id);
const resolve = (verb: "file" | "discard", json: object, as: Person = world.nurse, over: Env = env) =>
  sendRequest(`${QUARANTINE}/${verb}`, { as, json: { reason: "Bed 4", device_id: device.id, ...json }, env: over });
const file = async (json: object, as?: Person) =>
  (await readJson(await resolve("file", { patient_id: patient.id, ...json }, as))).data;
const discard = async (json: object) => (await readJson(await resolve("discard", json))).data;
const stored = async (id = patient.id) =>
  (await readJson(await sendRequest(`${API}/patients/${id}/observations?limit=1000`, { as: world.nurse }))).data;

const eventsOf = (response: Response) => readAuditEvents(response.headers.get("x-request-id") ?? "");

describe("an entry", () => {
  it("is filed as its device said it, once, as history without an alarm, and both logs say so", async () => {
    const sent = sample(190);
    const earlier = sample(189, 60_000);
    await bring(sent, earlier);
    const [held_id = ""] = await ids();
    expect(await list()).toMatchObject([{ count: 2, measured_from: earlier.effective_at, measured_to: sent.effective_at }]);
    const response = await resolve("file", { patient_id: patient.id, held_ids: [held_id] });
    const filed = { held_id, status: "filed", stored: 2, duplicate: 0, refused: 0, reasons: [] };
    expect((await readJson(response)).data).toEqual({ results: [filed], next: null });
    expect(await stored()).toMatchObject([
      { code: "8867-4", value: 190, effective_at: sent.effective_at, device_id: device.id, performer_id: null, status: "final" },
      { value: 189, effective_at: earlier.effective_at, device_id: device.id },
    ]);
    const snapshot = await env.PATIENT_MONITOR.getByName(patient.id).snapshot();
    expect([snapshot?.alerts, snapshot?.latest]).toEqual([[], []]);
    const event = { entity_type: "device", entity_id: device.id, subjects: [patient.id], outcome: "success" };
    const events = await eventsOf(response);
    expect(events).toMatchObject([
      { event: "observation.file_begin", ...event },
      { event: "observation.file", ...event },
    ]);
    expect(JSON.parse(events[1]?.detail ?? "")).toEqual({ held_ids: [held_id], stored: 2, duplicate: 0, refused: 0 });
    // Again, and by a colleague.
    for (const as of [world.nurse, world.manager])
      expect(await file({ held_ids: [held_id] }, as)).toMatchObject({ results: [{ held_id, status: "filed", stored: 0 }] });
    expect(await stored()).toHaveLength(2);
    const [one, all] = [
      await sendRequest(`${QUARANTINE}/${held_id}`, { as: world.nurse }),
      await sendRequest(`${QUARANTINE}?device_id=${device.id}`, { as: world.nurse }),
    ];
    for (const answer of [one, all])
      expect(await eventsOf(answer)).toMatchObject([{ event: "observation.held", subjects: [patient.id] }]);
    const read = await readJson(one);
    expect(read.data).toMatchObject({ state: "filed", filed_patient_id: patient.id, resolved_by: world.nurse.id, note: "Bed 4" });
    expect(await ids()).toEqual([]);
  });

  it("is discarded with its reason, and not filed afterwards", async () => {
    await bring(sample());
    const held_ids = await ids();
    for (let i = 0; i < 2; i++) expect(await discard({ held_ids })).toMatchObject({ results: [{ status: "discarded" }] });
    expect(await file({ held_ids })).toMatchObject({ results: [{ status: "conflict" }] });
    expect(await stored()).toEqual([]);
    expect(await list("&state=discarded")).toMatchObject([{ held_id: held_ids[0], resolved_by: world.nurse.id }]);
  });

  it("of which nothing can be stored stays, with the reasons", async () => {
    await bring({ ...sample(), unit: "furlong" });
    const held_ids = await ids();
    const refused = { status: "held", stored: 0, refused: 1, reasons: ["unit_unknown"] };
    const response = await resolve("file", { patient_id: patient.id, held_ids });
    expect((await readJson(response)).data).toMatchObject({ results: [refused] });
    const events = await eventsOf(response);
    expect(events).toMatchObject([
      { event: "observation.file_begin", outcome: "success" },
      { event: "observation.file", outcome: "failed", reason: "nothing_stored", subjects: [patient.id] },
    ]);
    expect(JSON.parse(events[1]?.detail ?? "")).toMatchObject({ stored: 0, refused: 1 });
    expect(await ids()).toEqual(held_ids);
    expect(await discard({ held_ids })).toMatchObject({ results: [{ status: "discarded" }] });
  });

  it("of a patient's device is in the log of that patient, whatever becomes of it, and names them in no other log", async () => {
    const self = await newPerson("patient");
    const [owner, nextPatient] = [await newPatient(world.hospitalId, world.nurse), patient];
    await link(self, nextPatient);
    device = await newDevice(world.nurse, owner.id, "wearable");
    const log = async () => JSON.stringify(await readJson(await sendRequest(`${API}/audit-events?limit=100`, { as: self })));
    const keep = async () => {
      await bring({ ...sample(), unit: "furlong" });
      // The object of the patient delivers it.
      return eventually(async () => {
        const [id = ""] = await ids();
        expect(id).toMatch(new RegExp(`^${owner.id}.`));
        return id;
      });
    };
    const filed = await keep();
    const both = { subjects: expect.arrayContaining([owner.id, nextPatient.id]) };
    const response = await resolve("file", { patient_id: nextPatient.id, held_ids: [filed] });
    expect(await eventsOf(response)).toMatchObject([
      { event: "observation.file_begin", ...both },
      { event: "observation.file", outcome: "failed", ...both },
    ]);
    for (const selection of [{ held_ids: [filed] }, {}]) {
      const discarded = await resolve("discard", selection);
      expect((await readJson(discarded)).data.results).toMatchObject([{ status: "discarded" }]);
      expect(await eventsOf(discarded)).toMatchObject([{ event: "observation.discard", subjects: [owner.id] }]);
      if (selection.held_ids) {
        // Nothing to change: the response still says what became of it.
        expect(await eventsOf(await resolve("discard", selection))).toMatchObject([
          { event: "observation.held", subjects: [owner.id] },
        ]);
        await keep();
      }
    }
    expect(await log()).toContain("observation.file");
    expect(await log()).not.toContain(owner.id);
  });

  it("that is damaged does not hide the list, and its times are unknown", async () => {
    await bring(sample());
    const [whole = ""] = await ids();
    await bring(sample());
    const [damaged = ""] = await ids();
    await env.DB.prepare(
      "UPDATE held_observations SET items_sealed = (SELECT items_sealed FROM held_observations WHERE id = ?) WHERE id = ?",
    )
      .bind(whole, damaged)
      .run();
    const unknown = { held_id: damaged, count: 1, measured_from: null, measured_to: null };
    expect(await list()).toMatchObject([unknown, { held_id: whole, measured_from: expect.any(String) }]);
    await expectProblem(await sendRequest(`${QUARANTINE}/${damaged}`, { as: world.nurse }), 500, "integrity_error");
  });

  it("of another hospital, or for a patient of one, is not found", async () => {
    await bring(sample());
    const held_ids = await ids();
    await expectProblem(await resolve("file", { patient_id: other.patient.id, held_ids }), 404, "not_found");
    await expectProblem(await resolve("file", { patient_id: other.patient.id, held_ids }, other.nurse), 404, "not_found");
    await expectProblem(await resolve("discard", { held_ids }, other.nurse), 404, "not_found");
    await expectProblem(await resolve("discard", { held_ids: [...held_ids, "none"] }), 404, "not_found");
    for (const selection of [{ held_ids, after: "x" }, { held_ids, from: new Date().toISOString() }, { held_ids: [] }])
      await expectProblem(await resolve("discard", selection), 400, "invalid_request");
    await expectProblem(await resolve("discard", { held_ids, reason: " " }), 400, "invalid_request");
    expect(await ids()).toEqual(held_ids);
  });
});

describe("entries", () => {
  it("of a device and a time are filed ten at a time", async () => {
    for (let i = 0; i < 12; i++) await bring(sample(60 + i));
    const first = await file({});
    expect([first.results.length, first.next]).toEqual([10, expect.any(String)]);
    const second = await file({ after: first.next });
    expect([second.results.length, second.next]).toEqual([2, null]);
    expect((await stored()).map(({ value }: { value: number }) => value).sort()).toEqual(
      Array.from({ length: 12 }, (_, i) => 60 + i),
    );
    await bring(sample());
    const before = { to: new Date(Date.now() - 60_000).toISOString() };
    expect(await discard(before)).toEqual({ results: [], next: null });
    expect(await discard({})).toMatchObject({ results: [{ status: "discarded" }] });
  });

  it("that two people resolve at once go one way", async () => {
    for (let round = 0; round < 3; round++) {
      await bring(sample());
      const held_ids = await ids();
      const elsewhere = await newPatient(world.hospitalId, world.nurse);
      const mine = await newPatient(world.hospitalId, world.nurse);
      const answers = await Promise.all([
        resolve("file", { patient_id: mine.id, held_ids }, world.nurse, withRandomDelays(env)),
        resolve("file", { patient_id: elsewhere.id, held_ids }, world.manager, withRandomDelays(env)),
        resolve("discard", { held_ids }, world.manager, withRandomDelays(env)),
      ]);
      const statuses: string[] = [];
      for (const answer of answers) statuses.push((await readJson(answer)).data.results[0].status);
      expect(statuses.filter((status) => status !== "conflict")).toHaveLength(1);
      const counts = [(await stored(mine.id)).length, (await stored(elsewhere.id)).length];
      expect(counts).toEqual([Number(statuses[0] === "filed"), Number(statuses[1] === "filed")]);
    }
  });
});
