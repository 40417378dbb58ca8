// What a consent opens of reports: exactly the granted kinds and times, read only, for staff who see the hospital's own record.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { getDb } from "../../src/platform/db/client.ts";
import { addToCareTeam } from "../authz.world.ts";
import { type ConsentScene, grantAsAsked, newConsentScene, revoke } from "../consent-scene.ts";
import { API, env, findEvents, newPdf, newWorld, type Person, readJson, sendRequest, uploadReport } from "../world.ts";

const FROM = "2026-01-01T00:00:00.000Z";
const UNTIL = "2026-06-30T23:59:59.999Z";
const before = (time: string) => new Date(Date.parse(time) - 1).toISOString();
const after = (time: string) => new Date(Date.parse(time) + 1).toISOString();

let scene: ConsentScene;

const newReport = async (kind: string, recorded_at: string) => {
  const sent = await uploadReport(scene.a.nurse, newPdf(), { patient_id: scene.atA.id, kind, recorded_at });
  expect(sent.status).toBe(201);
  return String((await readJson(sent)).data.report_id);
};
const grant = (kinds = ["report:ecg"]) => grantAsAsked(scene, { kinds, data_from: FROM, data_until: UNTIL });
const revokeAll = () => getDb(env.DB).run(sql`UPDATE consents SET status = 'revoked' WHERE hospital_id = ${scene.b.hospitalId}`);
const statusOf = async (id: string, as: Person, path = "") => (await sendRequest(`${API}/reports/${id}${path}`, { as })).status;

beforeAll(async () => {
  scene = await newConsentScene();
});

describe("a report of another hospital", () => {
  it("is not there before the grant, and from the answer of a revocation on", async () => {
    const id = await newReport("ecg", FROM);
    expect(await statusOf(id, scene.b.nurse)).toBe(404);
    const consent = await grant();
    expect(await statusOf(id, scene.b.nurse)).toBe(200);
    expect(await statusOf(id, scene.b.nurse, "/file")).toBe(200);
    const { data } = await readJson(await sendRequest(`${API}/reports/${id}`, { as: scene.b.nurse }));
    const link = new URL(data.download_url);
    const viaLink = () => sendRequest(`${link.pathname}${link.search}`, {});
    expect((await viaLink()).status).toBe(200);
    await revoke(scene, consent);
    expect(await statusOf(id, scene.b.nurse)).toBe(404);
    expect(await statusOf(id, scene.b.nurse, "/file")).toBe(404);
    expect((await viaLink()).status).toBe(404);
  });

  it("is open for the granted kinds and times alone, to the millisecond", async () => {
    const reports = {
      first: await newReport("ecg", FROM),
      last: await newReport("ecg", UNTIL),
      early: await newReport("ecg", before(FROM)),
      late: await newReport("ecg", after(UNTIL)),
      kind: await newReport("cpap", FROM),
    };
    await grant();
    const statuses = await Promise.all(Object.values(reports).map((id) => statusOf(id, scene.b.nurse)));
    expect(statuses).toEqual([200, 200, 404, 404, 404]);
    await getDb(env.DB).run(sql`UPDATE consents SET expires_at = ${Date.now()} WHERE hospital_id = ${scene.b.hospitalId}`);
    expect(await statusOf(reports.first, scene.b.nurse)).toBe(404);
    await revokeAll();
  });

  it("is closed once the holder has marked it as entered in error", async () => {
    const id = await newReport("ecg", FROM);
    await grant();
    expect(await statusOf(id, scene.b.nurse)).toBe(200);
    const change = { status: "entered-in-error", reason: "Of another patient" };
    const marked = { as: scene.a.nurse, method: "PATCH", json: change, headers: { "If-Match": "*" } };
    expect((await sendRequest(`${API}/reports/${id}`, marked)).status).toBe(200);
    expect(await statusOf(id, scene.b.nurse)).toBe(404);
    expect(await statusOf(id, scene.b.nurse, "/file")).toBe(404);
    for (const filter of ["", "&status=entered-in-error"]) {
      const list = await sendRequest(`${API}/reports?patient_id=${scene.atA.id}${filter}`, { as: scene.b.nurse });
      expect([filter, JSON.stringify(await list.json())]).toEqual([filter, expect.not.stringContaining(id)]);
    }
    await revokeAll();
  });

  it("is for those of the hospital who see its own record, and for nobody who left it", async () => {
    const id = await newReport("ecg", FROM);
    await grant();
    const { b, atB } = scene;
    expect(await statusOf(id, b.doctor)).toBe(404);
    await addToCareTeam(atB.id, b.doctor.id);
    expect(await statusOf(id, b.doctor)).toBe(200);
    expect(await statusOf(id, b.manager)).toBe(200);
    const other = await newWorld();
    expect(await statusOf(id, other.nurse)).toBe(404);
    await env.DB.prepare("UPDATE memberships SET ended_at = 1 WHERE user_id = ?").bind(b.doctor.id).run();
    expect(await statusOf(id, b.doctor)).not.toBe(200);
    await revokeAll();
  });

  it("is read only, and nothing else of the record is open", async () => {
    const id = await newReport("ecg", FROM);
    await grant();
    const { b, atA } = scene;
    const patch = {
      as: b.nurse,
      method: "PATCH",
      json: { comment: "mine now", reason: "A test of rights" },
      headers: { "If-Match": "*" },
    };
    expect((await sendRequest(`${API}/reports/${id}`, patch)).status).toBe(404);
    for (const path of ["", "/summary", "/observations", "/observations/latest", "/care-team", "/timeline", "/monitoring"])
      expect([path, (await sendRequest(`${API}/patients/${atA.id}${path}`, { as: b.nurse })).status]).toEqual([path, 404]);
    const upload = await uploadReport(b.nurse, newPdf(), { patient_id: atA.id });
    expect(upload.status).toBe(404);
    await revokeAll();
  });

  it("leaves its event in the holder's log, with the basis, the purpose and the consent", async () => {
    const id = await newReport("ecg", FROM);
    const consent = await grant();
    await statusOf(id, scene.b.nurse);
    const [event] = await findEvents({ event: "report.read", entity_id: id });
    expect(event).toMatchObject({
      basis: "consent",
      hospital_id: scene.a.hospitalId,
      actor_hospital_id: scene.b.hospitalId,
      purpose: "TREAT",
    });
    expect(JSON.stringify(event)).toContain(consent);
    await revokeAll();
  });
});

describe("a download that is under way", () => {
  /** Reads the first chunk, then runs `between`, then the rest. @returns the bytes that came, and whether all did */
  async function download(as: Person, id: string, between: () => Promise<void>) {
    const response = await sendRequest(`${API}/reports/${id}/file`, { as });
    expect(response.status).toBe(200);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = await reader.read();
    await between();
    let bytes = first.value?.length ?? 0;
    try {
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) bytes += chunk.value.length;
      return { bytes, isWhole: true };
    } catch {
      return { bytes, isWhole: false };
    }
  }

  it("ends within the MiB in which the consent is revoked; one that needs no consent goes on", async () => {
    const size = 6 * 1024 * 1024;
    const sent = await uploadReport(scene.a.nurse, newPdf(undefined, size), { patient_id: scene.atA.id, recorded_at: FROM });
    const { report_id } = (await readJson(sent)).data;
    const consent = await grant();
    expect(await download(scene.b.nurse, report_id, async () => undefined)).toMatchObject({ isWhole: true });
    const cut = await download(scene.b.nurse, report_id, () => revoke(scene, consent));
    expect(cut.isWhole).toBe(false);
    expect(cut.bytes).toBeLessThanOrEqual(2 * 1024 * 1024);
    const other = await grant();
    const whole = await download(scene.a.nurse, report_id, () => revoke(scene, other));
    expect(whole.isWhole).toBe(true);
    expect(whole.bytes).toBeGreaterThanOrEqual(size);
  });
});
