// What an emergency access opens: reports, documents and alerts of one record, in details, files, links and lists; and no write.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { auditAction } from "../../src/access/audit-actions.ts";
import { EMERGENCY_READS } from "../../src/access/emergency.ts";
import { toAlertId } from "../../src/monitoring/patient-object/samples/ids.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { newDocument } from "../document-files.ts";
import { newEmergencyScene, openInEmergency, setReach } from "../emergency-scene.ts";
import { API, env, findEvents, newPdf, type Person, readJson, sendRequest, uploadReport } from "../world.ts";
import { newAlert } from "./alert-fixture.ts";

type Scene = Awaited<ReturnType<typeof newEmergencyScene>> & { report: string; document: string; reader: Person };
const get = (path: string, as: Person) => sendRequest(`${API}${path}`, { as });
const statusOf = async (path: string, as: Person) => (await get(path, as)).status;
const eventsOf = (response: Response) => findEvents({ request_id: response.headers.get("x-request-id") ?? "" });

async function newScene(isOwn: boolean): Promise<Scene> {
  const scene = await newEmergencyScene();
  const { a, b, atA } = scene;
  if (!isOwn) for (const { hospitalId } of [a, b]) await setReach(hospitalId, "any_hospital");
  const sent = await uploadReport(a.nurse, newPdf(), { patient_id: atA.id, kind: "ecg" });
  const document = await newDocument(a.nurse, atA.id);
  const why = JSON.stringify(newAlert(1).why);
  await getDb(
    env.DB,
  ).run(sql`INSERT INTO alerts (id, patient_id, hospital_id, rule, code, priority, state, why, raised_at, updated_at, version)
    VALUES (${toAlertId(atA.id, 1)}, ${atA.id}, ${a.hospitalId}, 'limit', '8867-4', 'high', 'cleared', ${why}, 1, 1, 1)`);
  return { ...scene, report: (await readJson(sent)).data.report_id, document, reader: isOwn ? a.doctor : b.doctor };
}

describe.each([
  ["of the own hospital", true],
  ["of another hospital", false],
])("a record %s", (_, isOwn) => {
  let scene: Scene;
  let id: string;
  beforeAll(async () => {
    scene = await newScene(isOwn);
  });

  it("is closed before", async () => {
    const { report, document, reader, atA } = scene;
    for (const path of [`/reports/${report}`, `/reports/${report}/file`, `/documents/${document}`, `/documents/${document}/file`])
      expect([path, await statusOf(path, reader)]).toEqual([path, 404]);
    for (const path of [`/reports?patient_id=${atA.id}`, `/documents?patient_id=${atA.id}`])
      expect((await readJson(await get(path, reader))).data).toEqual([]);
  });

  it("shows reports and documents, in each way, with basis and access in the log", async () => {
    const { a, report, document, reader, atA } = scene;
    id = await openInEmergency(reader, atA.id);
    const paths = [
      `/reports/${report}`,
      `/reports/${report}/file`,
      `/reports?patient_id=${atA.id}`,
      `/documents/${document}`,
      `/documents/${document}/file`,
      `/documents?patient_id=${atA.id}`,
      `/alerts?patient_id=${atA.id}`,
    ];
    for (const path of paths) {
      const response = await get(path, reader);
      expect([path, response.status]).toEqual([path, 200]);
      if (path.includes("?")) expect((await readJson(response)).data).toHaveLength(1);
      else await response.arrayBuffer();
      const [event, ...others] = await eventsOf(response);
      expect([path, others]).toEqual([path, []]);
      expect(event).toMatchObject({ basis: "emergency", purpose: "BTG", hospital_id: a.hospitalId });
      expect([path, JSON.stringify(event?.detail)]).toEqual([path, expect.stringContaining(id)]);
    }
    const { meta } = await readJson(await get(`/reports?patient_id=${atA.id}`, reader));
    expect(meta.pagination.total).toBe(1);
    // A list of a hospital is not wider for it.
    expect((await readJson(await get("/reports", reader))).data).toEqual([]);
  });

  it("accepts no write", async () => {
    const { report, reader, atA } = scene;
    const json = { reason: "An emergency is no ground for a change" };
    const headers = { "If-Match": '"1"' };
    for (const [method, path, body] of [
      ["PATCH", `/patients/${atA.id}`, { notes: "x" }],
      ["POST", `/patients/${atA.id}/intake`, { answers: {} }],
      ["DELETE", `/reports/${report}`, json],
      ["PUT", `/patients/${atA.id}/monitoring`, { mode: "off" }],
    ] as const) {
      const response = await sendRequest(`${API}${path}`, { as: reader, method, json: body, headers });
      expect([path, response.status >= 400]).toEqual([path, true]);
    }
    expect((await uploadReport(reader, newPdf(), { patient_id: atA.id, kind: "ecg" })).status).toBe(404);
    expect(await statusOf(`/devices?patient_id=${atA.id}`, reader)).not.toBe(500);
  });

  it("does not show what was entered in error", async () => {
    const { report, reader } = scene;
    await getDb(env.DB).run(sql`UPDATE reports SET status = 'entered-in-error' WHERE id = ${report}`);
    expect(await statusOf(`/reports/${report}`, reader)).toBe(404);
    await getDb(env.DB).run(sql`UPDATE reports SET status = 'final' WHERE id = ${report}`);
    expect(await statusOf(`/reports/${report}`, reader)).toBe(200);
  });

  it("is closed from the answer of the end on, also by a link and in a list that was kept", async () => {
    const { report, document, reader, atA } = scene;
    const { data } = await readJson(await get(`/reports/${report}`, reader));
    const link = new URL(data.download_url);
    const viaLink = async () => (await sendRequest(`${link.pathname}${link.search}`, {})).status;
    expect(await viaLink()).toBe(200);
    expect((await sendRequest(`${API}/emergency-access/${id}/end`, { as: reader, method: "POST" })).status).toBe(200);
    expect(await viaLink()).toBe(404);
    for (const path of [`/reports/${report}`, `/documents/${document}`, `/documents/${document}/file`])
      expect([path, await statusOf(path, reader)]).toEqual([path, 404]);
    for (const path of [`/reports?patient_id=${atA.id}`, `/documents?patient_id=${atA.id}`]) {
      const list = await readJson(await get(path, reader));
      expect([path, list.data, list.meta.pagination.total]).toEqual([path, [], 0]);
    }
  });
});

it("the permissions that it opens are reads", () => {
  for (const permission of EMERGENCY_READS) expect([permission, auditAction(permission)]).toEqual([permission, "R"]);
});
