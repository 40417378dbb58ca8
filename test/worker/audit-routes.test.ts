// Export, checkpoints, proofs, retention and legal holds of audit logs, through the front door.
import { beforeAll, describe, expect, it } from "vitest";
import { verifyInclusion } from "../../src/audit-log/tree/proof.ts";
import { API, env, newHospital, newWorld, type Person, readJson, sendRequest, type World } from "../world.ts";

const EVENTS = `${API}/audit-events`;
let world: World;
let readId = "";
let foreignId = "";
const get = (as: Person, path: string) => sendRequest(EVENTS + path, { as, ip: "198.51.100.77" });

async function newestRead(as: Person, patientId: string): Promise<string> {
  await sendRequest(`${API}/patients/${patientId}`, { as: world.nurse });
  const { data } = await readJson(await get(as, `?patient_id=${patientId}&event=patient.read`));
  return data[0].id;
}

beforeAll(async () => {
  world = await newWorld();
  readId = await newestRead(world.manager, world.patient.id);
  foreignId = await newestRead(world.manager, world.stranger.id);
});

describe("export", () => {
  it.each(["csv", "ndjson"])("as %s shows each reader what the list shows", async (format) => {
    const files = await Promise.all(
      [
        get(world.admin, `/export?format=${format}&hospital_id=${world.hospitalId}`),
        get(world.manager, `/export?format=${format}`),
        get(world.self, `/export?format=${format}`),
        get(world.nurse, `/export?format=${format}`),
      ].map(async (sent) => {
        const response = await sent;
        return { status: response.status, text: await response.text() };
      }),
    );
    expect(files.map(({ status }) => status)).toEqual([200, 200, 200, 403]);
    const [admin, manager, own] = files.map(({ text }) => text);
    for (const text of [admin, manager]) expect([text?.includes(readId), text?.includes(foreignId)]).toEqual([true, true]);
    expect(own).toContain(readId);
    expect(own).not.toContain(foreignId);
    expect(own).not.toContain(world.stranger.id);
    expect(own).not.toMatch(/\d+\.\d+\.\d+\.\d+/);
  });
});

describe("proof", () => {
  it("of a nurse's read holds, and shows the patient no other patient, address or detail", async () => {
    const response = await get(world.self, `/${readId}/proof`);
    expect(response.status).toBe(200);
    const { data } = await readJson(response);
    const leaf = Buffer.from(data.leaf, "base64");
    const bytes = async (input: Uint8Array) => new Uint8Array(await crypto.subtle.digest("SHA-256", Buffer.from(input)));
    const hash = await bytes(Buffer.concat([Buffer.from([0]), leaf]));
    const hashes = data.hashes.map((text: string) => new Uint8Array(Buffer.from(text, "base64")));
    const [, size, root] = data.checkpoint.split("\n");
    const rootHash = new Uint8Array(Buffer.from(root, "base64"));
    const holds = (leafHash: Uint8Array) =>
      verifyInclusion({ index: data.index, size: Number(size), leafHash, root: rootHash }, hashes);
    expect(holds(hash)).toBe(true);
    expect(holds(hash.map((byte) => byte ^ 1))).toBe(false);
    const salted = await bytes(Buffer.concat([Buffer.from(data.subject.salt, "base64url"), Buffer.from(world.patient.id)]));
    expect(JSON.parse(leaf.toString()).subjects).toContain(Buffer.from(salted).toString("base64url"));
    expect(data.opened).toBeNull();
    expect(JSON.stringify(data) + leaf).not.toContain(world.stranger.id);
    expect(JSON.stringify(data) + leaf).not.toMatch(/\d+\.\d+\.\d+\.\d+|"detail":[^n]/);
  });

  it("of another patient's event is not found; an administrator gets it opened", async () => {
    expect((await get(world.self, `/${foreignId}/proof`)).status).toBe(404);
    const { data } = await readJson(await get(world.manager, `/${foreignId}/proof`));
    expect(data.opened).toMatchObject({ entity: { id: world.stranger.id } });
  });
});

it("a checkpoint is given to administrators of the log's hospital, and to no other", async () => {
  const { data } = await readJson(await get(world.manager, "/checkpoint"));
  expect(data).toMatchObject({ hospital_id: world.hospitalId, size: expect.any(Number) });
  expect(data.checkpoint.split("\n")[0]).toBe(`edgecare/audit/${world.hospitalId}`);
  const foreign = await newHospital();
  expect((await get(world.manager, `/checkpoint?hospital_id=${foreign}`)).status).toBe(404);
  expect((await get(world.admin, `/checkpoint?hospital_id=${crypto.randomUUID()}`)).status).toBe(404);
});

describe("verification", () => {
  async function verifyAll(as: Person, hospitalId: string) {
    const parts = [];
    let cursor = "";
    do {
      const { data } = await readJson(await get(as, `/verify?hospital_id=${hospitalId}${cursor && `&cursor=${cursor}`}`));
      parts.push(data);
      cursor = data.next_cursor ?? "";
    } while (cursor !== "");
    return parts;
  }

  it("of a log without events finds it intact, with nothing checked but the events of the verification", async () => {
    const hospitalId = await newHospital();
    const [first, ...more] = await verifyAll(world.admin, hospitalId);
    const nothing = { events: 0, segments: 0, checkpoints: 0, first_seq: 0, end_seq: 0, open_events: 0 };
    expect(first).toMatchObject({ hospital_id: hospitalId, is_intact: true, problem: null, checked: nothing });
    expect(more).toMatchObject([{ is_intact: true, problem: null, checked: { events: 1, end_seq: 1 }, next_cursor: null }]);
  });

  it("refuses a cursor that is none, and another hospital's manager", async () => {
    for (const cursor of ["x", "e.1", "c.-1.0.0"])
      expect((await get(world.manager, `/verify?cursor=${cursor}`)).status).toBe(400);
    expect((await get(world.manager, `/verify?hospital_id=${await newHospital()}`)).status).toBe(404);
  });
});

describe("legal hold", () => {
  const path = () => `${API}/hospitals/${world.hospitalId}/legal-hold`;
  const hold = (as: Person) => sendRequest(path(), { as, method: "PUT", json: { reason: "Proceedings" } });
  const end = (as: Person) => sendRequest(path(), { as, method: "DELETE" });
  const heldFrom = async () => (await env.AUDIT_LOG.getByName(world.hospitalId).status()).heldFrom;

  it("is set, replaced and ended by platform administrators; the log follows", async () => {
    expect((await hold(world.manager)).status).toBe(403);
    for (const _ of [1, 2]) expect((await hold(world.admin)).status).toBe(200);
    expect(await heldFrom()).toBe(0);
    const { data } = await readJson(await get(world.manager, "/retention"));
    expect(data).toMatchObject({ pruned_up_to: null, legal_hold: { reason: "Proceedings", set_by: world.admin.id } });
    for (const _ of [1, 2]) expect((await end(world.admin)).status).toBe(200);
    expect(await heldFrom()).toBeNull();
    expect((await readJson(await get(world.manager, "/retention"))).data.legal_hold).toBeNull();
  });
});
