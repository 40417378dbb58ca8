// Idempotency keys: one effect per key; replays, races, scope, expiry, and access checks on a replay.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { IDEMPOTENCY_TTL_MS } from "../../src/http/idempotency.ts";
import { withRandomDelays } from "../stores.ts";
import {
  API,
  env,
  newDevice,
  newLogin,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  sha256,
  uploadForm,
  uploadRaw,
  uploadReport,
  type World,
} from "../world.ts";
import { listReferencedKeys, listReportIds, listStoredKeys, readUploadRows, verifyEveryReport } from "./storage-evidence.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => vi.useRealTimers());

let n = 0;
const newKey = () => `key-of-test-${++n}`;
const keyed = (key: string, options: RequestOptions = {}): RequestOptions => ({
  ...options,
  headers: { ...options.headers, "Idempotency-Key": key },
});
const send = (as: { token: string }, pdf: Uint8Array<ArrayBuffer>, key: string, fields: Record<string, string> = {}) =>
  uploadReport(as, pdf, { patient_id: world.patient.id, ...fields }, keyed(key));

/** The number of executions, the responses, and the reports in them. */
async function together(count: number, run: (i: number) => Promise<Response>) {
  const answers = await Promise.all(Array.from({ length: count }, (_, i) => run(i)));
  const bodies = await Promise.all(answers.map(readJson));
  return { statuses: answers.map((a) => a.status), ids: new Set<string>(bodies.map((b) => b.data?.report_id)), bodies };
}

/** A separate patient, so that counts belong to one test. */
const fresh = () => newPatient(world.hospitalId, world.nurse, [world.doctor]);

describe("a key", () => {
  it("replays status and report, rendered again", async () => {
    const [key, pdf] = [newKey(), newPdf()];
    const first = await readJson(await send(world.nurse, pdf, key));
    const again = await send(world.nurse, pdf, key);
    expect(again.status).toBe(201);
    const { data } = await readJson(again);
    expect(data).toMatchObject({ report_id: first.data.report_id, duplicate_of: null, file_url: first.data.file_url });
    expect(data.upload_id).not.toBe(first.data.upload_id);
    expect((await sendRequest(data.cloud_url)).status).toBe(200);
    expect(await readUploadRows(again)).toMatchObject([{ outcome: "replayed", report_id: first.data.report_id }]);
    expect(await readAuditEvents(again.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "report.replay", basis: "staff", subjects: [world.patient.id] },
    ]);
  });

  it("is the same over both paths and both forms of an upload", async () => {
    const [key, pdf] = [newKey(), newPdf()];
    const { data } = await readJson(await send(world.nurse, pdf, key));
    const named = { patient_id: world.patient.id };
    const old = await sendRequest(`${API}/ecg/reports/upload`, { as: world.nurse, body: uploadForm(pdf, named), ...keyed(key) });
    const raw = await uploadRaw(world.nurse, pdf, `?patient_id=${world.patient.id}`, keyed(key));
    for (const answer of [old, raw]) {
      expect(answer.status).toBe(201);
      expect((await readJson(answer)).data.report_id).toBe(data.report_id);
    }
  });

  it.each<[string, Record<string, string>, string?]>([
    ["another file", {}, "other"],
    ["another patient", { patient_id: "stranger" }],
    ["other metrics", { metrics: '{"heart_rate":61}' }],
    ["another kind", { kind: "cpap" }],
  ])("with %s is a conflict, and nothing is stored", async (_, fields, text) => {
    const [key, pdf] = [newKey(), newPdf()];
    expect((await send(world.nurse, pdf, key)).status).toBe(201);
    const before = [await listStoredKeys(), await listReportIds(world.patient.id), await listReportIds(world.stranger.id)];
    const other = { ...fields, ...(fields["patient_id"] && { patient_id: world.stranger.id }) };
    const answer = await send(world.nurse, text ? newPdf(text) : pdf, key, other);
    expect({ status: answer.status, ...(await readJson(answer)) }).toMatchObject({ status: 409, code: "idempotency_key_reused" });
    expect(await readUploadRows(answer)).toMatchObject([{ outcome: "refused", reason: "idempotency_key_reused" }]);
    expect([await listStoredKeys(), await listReportIds(world.patient.id), await listReportIds(world.stranger.id)]).toEqual(
      before,
    );
  });

  it("belongs to its caller and its route", async () => {
    const key = newKey();
    const { data: mine } = await readJson(await send(world.nurse, newPdf("mine"), key));
    const theirs = await send(world.manager, newPdf("theirs"), key);
    expect(theirs.status).toBe(201);
    expect((await readJson(theirs)).data.report_id).not.toBe(mine.report_id);
    const patient = await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "Uma" }, ...keyed(key) });
    expect(patient.status).toBe(201);
  });

  it.each(["short", "x".repeat(129), "with a space", "ümlaut-key"])("%j is no key", async (key) => {
    const answer = await send(world.nurse, newPdf(), key);
    expect(answer.status).toBe(400);
    expect((await readJson(answer)).code).toBe("invalid_idempotency_key");
  });

  it.each(["12345678", "x".repeat(128), "0193A5B0-0000-7000-8000-000000000001", "0193a5b0-0000-7000-8000-000000000001"])(
    "%j is a key of its own",
    async (key) => {
      expect((await send(world.nurse, newPdf(), key)).status).toBe(201);
    },
  );

  it("keeps no copy of the answer: ids and hashes only", async () => {
    const key = newKey();
    const { data } = await readJson(await send(world.nurse, newPdf(), key, { metrics: '{"note":"unmistakable"}' }));
    const row = await env.DB.prepare("SELECT * FROM idempotency_keys WHERE resource_id = ?").bind(data.report_id).first();
    expect(Object.keys(row ?? {}).sort()).toEqual(["body_hash", "created_at", "key_hash", "resource_id", "scope", "status"]);
    expect(JSON.stringify(row)).not.toMatch(new RegExp(`${key}|unmistakable|${world.patient.canary}`));
  });

  it("is free again after 24 hours", async () => {
    const [key, start] = [newKey(), Date.now()];
    const { data } = await readJson(await send(world.nurse, newPdf("before"), key));
    vi.useFakeTimers({ toFake: ["Date"] });
    const at = async (time: number) => {
      vi.setSystemTime(time);
      return newLogin(world.nurse.id, { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" });
    };
    expect((await send(await at(start + IDEMPOTENCY_TTL_MS - 60_000), newPdf("early"), key)).status).toBe(409);
    const later = await send(await at(start + IDEMPOTENCY_TTL_MS + 60_000), newPdf("late"), key);
    expect(later.status).toBe(201);
    expect((await readJson(later)).data.report_id).not.toBe(data.report_id);
  });
});

describe("a replay is authorized again", () => {
  it("for a doctor who left the care team: 404", async () => {
    const [patient, key, pdf] = [await fresh(), newKey(), newPdf()];
    const again = () => uploadReport(world.doctor, pdf, { patient_id: patient.id }, keyed(key));
    const first = await readJson(await again());
    expect((await again()).status).toBe(201);
    await env.DB.prepare("UPDATE care_team SET ended_at = 1 WHERE patient_id = ?").bind(patient.id).run();
    const gone = await again();
    expect(gone.status).toBe(404);
    expect(await gone.text()).not.toContain(first.data.report_id);
    expect(await readUploadRows(gone)).toMatchObject([{ outcome: "refused", reason: "not_found" }]);
    expect(await readAuditEvents(gone.headers.get("x-request-id") ?? "")).toMatchObject([{ event: "access.denied" }]);
  });

  it("for a device now assigned to another patient: its own report, audited for the first patient", async () => {
    const device = await newDevice(world.nurse, world.patient.id);
    const [key, pdf, next] = [newKey(), newPdf(), await fresh()];
    const { data } = await readJson(await uploadReport(device, pdf, {}, keyed(key)));
    await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id: next.id } });
    const rebound = await uploadReport(device, pdf, {}, keyed(key));
    await sendRequest(`${API}/devices/${device.id}/assignments/current`, { as: world.nurse, method: "DELETE" });
    const unbound = await uploadReport(device, pdf, {}, keyed(key));
    for (const answer of [rebound, unbound]) {
      expect(answer.status).toBe(201);
      expect((await readJson(answer)).data.report_id).toBe(data.report_id);
      expect(await readUploadRows(answer)).toMatchObject([{ outcome: "replayed", patient_id: world.patient.id }]);
      expect(await readAuditEvents(answer.headers.get("x-request-id") ?? "")).toMatchObject([{ subjects: [world.patient.id] }]);
    }
    expect(await listReportIds(next.id)).toEqual([]);
  });

  it("for a device whose upload found a report that was there: only while that patient is its own", async () => {
    const [pdf, key, next] = [newPdf(), newKey(), await fresh()];
    const { data } = await readJson(await uploadReport(world.nurse, pdf, { patient_id: world.patient.id }));
    const device = await newDevice(world.nurse, world.patient.id);
    const again = () => uploadReport(device, pdf, {}, keyed(key));
    for (const answer of [await again(), await again()]) {
      expect(answer.status).toBe(200);
      expect((await readJson(answer)).data).toMatchObject({ report_id: data.report_id, duplicate_of: data.report_id });
    }
    await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id: next.id } });
    const rebound = await again();
    expect(rebound.status).toBe(404);
    expect(await readUploadRows(rebound)).toMatchObject([{ outcome: "refused", reason: "not_found" }]);
    expect(await readAuditEvents(rebound.headers.get("x-request-id") ?? "")).toMatchObject([{ event: "access.denied" }]);
  });

  it("for a revoked credential: 401", async () => {
    const device = await newDevice(world.nurse, world.patient.id);
    const [key, pdf] = [newKey(), newPdf()];
    expect((await uploadReport(device, pdf, {}, keyed(key))).status).toBe(201);
    await sendRequest(`${API}/devices/${device.id}/credentials/${device.credentialId}`, { as: world.nurse, method: "DELETE" });
    expect((await uploadReport(device, pdf, {}, keyed(key))).status).toBe(401);
  });

  it("for quarantined bytes: 202 and the same upload", async () => {
    const device = await newDevice(world.nurse, null);
    const [key, pdf] = [newKey(), newPdf()];
    const first = await readJson(await uploadReport(device, pdf, {}, keyed(key)));
    const again = await uploadReport(device, pdf, {}, keyed(key));
    expect(again.status).toBe(202);
    expect((await readJson(again)).data).toEqual(first.data);
  });
});

describe("races, each store call up to 5 ms late", () => {
  const slow = withRandomDelays(env);

  /** The known-bad twin: look up, then insert, in separate calls. */
  async function naiveUpload(patientId: string, sha: string): Promise<void> {
    await env.DB.prepare("CREATE TABLE IF NOT EXISTS naive (sha TEXT, patient TEXT)").run();
    const found = await slow.DB.prepare("SELECT 1 FROM naive WHERE sha = ? AND patient = ?").bind(sha, patientId).all();
    if (found.results.length > 0) return;
    await slow.DB.prepare("INSERT INTO naive VALUES (?, ?)").bind(sha, patientId).run();
  }

  it("the naive twin makes several of one file, so these tests would see it", async () => {
    const sha = await sha256(newPdf());
    await Promise.all(Array.from({ length: 50 }, () => naiveUpload(world.patient.id, sha)));
    const made = await env.DB.prepare("SELECT count(*) AS n FROM naive WHERE sha = ?").bind(sha).first<{ n: number }>();
    expect(made?.n).toBeGreaterThan(1);
  });

  it("ten of one key: one report, ten times 201 with its id", async () => {
    const [key, pdf, patient] = [newKey(), newPdf(), await fresh()];
    const run = () => uploadReport(world.nurse, pdf, { patient_id: patient.id }, keyed(key, { env: slow }));
    const { statuses, ids } = await together(10, run);
    expect(statuses).toEqual(Array(10).fill(201));
    expect([...ids]).toEqual(await listReportIds(patient.id));
  });

  it("ten raw ones of one key: the same", async () => {
    const [key, pdf, patient] = [newKey(), newPdf(), await fresh()];
    const run = () => uploadRaw(world.nurse, pdf, `?patient_id=${patient.id}`, keyed(key, { env: slow }));
    const { statuses, ids } = await together(10, run);
    expect(statuses).toEqual(Array(10).fill(201));
    expect([...ids]).toEqual(await listReportIds(patient.id));
  });

  it("ten of one key with ten files: one report, nine conflicts", async () => {
    const [key, patient] = [newKey(), await fresh()];
    const run = () => uploadReport(world.nurse, newPdf(), { patient_id: patient.id }, keyed(key, { env: slow }));
    const { statuses } = await together(10, run);
    expect(statuses.toSorted()).toEqual([201, ...Array(9).fill(409)]);
    expect(await listReportIds(patient.id)).toHaveLength(1);
  });

  it("ten of one key for a file that is there: ten times the report that was there", async () => {
    const [key, pdf, patient] = [newKey(), newPdf(), await fresh()];
    const { data } = await readJson(await uploadReport(world.nurse, pdf, { patient_id: patient.id }));
    const run = () => uploadReport(world.nurse, pdf, { patient_id: patient.id }, keyed(key, { env: slow }));
    const { statuses, ids } = await together(10, run);
    expect(statuses).toEqual(Array(10).fill(200));
    expect([...ids]).toEqual([data.report_id]);
  });

  it("ten of one key into quarantine: one upload in quarantine", async () => {
    const device = await newDevice(world.nurse, null);
    const [key, pdf] = [newKey(), newPdf()];
    const { statuses, bodies } = await together(10, () => uploadReport(device, pdf, {}, keyed(key, { env: slow })));
    expect(statuses).toEqual(Array(10).fill(202));
    expect(new Set(bodies.map((body) => body.data.upload_id)).size).toBe(1);
  });

  it("fifty of one file under fifty keys, some with one key twice: one report, 49 duplicates", async () => {
    const [pdf, patient] = [newPdf(), await fresh()];
    const keys = Array.from({ length: 25 }, newKey);
    const run = (i: number) =>
      uploadReport(world.nurse, pdf, { patient_id: patient.id }, keyed(keys[i % 25] ?? "", { env: slow }));
    const { statuses, ids } = await together(50, run);
    expect(statuses.every((status) => status === 200 || status === 201)).toBe(true);
    expect([...ids]).toEqual(await listReportIds(patient.id));
  });

  it("fifty of one file without a key: one report, 49 duplicates of it, never across patients", async () => {
    const [pdf, patient, other] = [newPdf(), await fresh(), await fresh()];
    const { statuses, ids, bodies } = await together(50, () =>
      uploadReport(world.nurse, pdf, { patient_id: patient.id }, { env: slow }),
    );
    expect(statuses.toSorted()).toEqual([...Array(49).fill(200), 201]);
    expect([...ids]).toEqual(await listReportIds(patient.id));
    expect(new Set(bodies.map((body) => body.data.duplicate_of))).toEqual(new Set([null, ...ids]));
    expect((await uploadReport(world.nurse, pdf, { patient_id: other.id })).status).toBe(201);
  });

  it("ten patients of one key: one patient", async () => {
    const [key, last_name, someone] = [newKey(), `Race${newKey()}`, await newPerson("nurse", world.hospitalId)];
    const run = () =>
      sendRequest(`${API}/patients`, { as: someone, json: { first_name: "Uma", last_name }, ...keyed(key, { env: slow }) });
    const { statuses, bodies } = await together(10, run);
    expect(statuses).toEqual(Array(10).fill(201));
    expect(new Set(bodies.map((body) => body.data.patient_id)).size).toBe(1);
    const made = await env.DB.prepare("SELECT count(*) AS n FROM patients WHERE created_by = ?")
      .bind(someone.id)
      .first<{ n: number }>();
    expect(made?.n).toBe(1);
  });

  it("leave no object that no row names, and no row without its object", async () => {
    const named = new Set(await listReferencedKeys());
    expect((await listStoredKeys()).filter((key) => !named.has(key))).toEqual([]);
    expect(await verifyEveryReport()).toBeGreaterThan(20);
  });
});
