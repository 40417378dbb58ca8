// Direct uploads: started with a presigned link, confirmed once and only by their sender; unconfirmed ones are removed.
import { beforeAll, describe, expect, it } from "vitest";
import { runCleanup } from "../../src/cron.ts";
import { MAX_DIRECT_UPLOAD_AGE_MS } from "../../src/reports/reading/sweep.ts";
import { DIRECT_UPLOAD_PREFIX, UPLOAD_LINK_SECONDS } from "../../src/reports/upload/direct-upload.ts";
import { withRandomDelays, withStoreFault } from "../stores.ts";
import {
  API,
  env,
  findEvents,
  newDevice,
  newPdf,
  newPerson,
  newWorld,
  readAuditEvents,
  readJson,
  sendRequest,
  sha256,
  type World,
} from "../world.ts";
import { listReportIds, verifyEveryReport } from "./storage-evidence.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

type Pdf = Uint8Array<ArrayBuffer>;
const metrics = { heart_rate: 71, note: "kept" };

async function begin(as: { token: string }, pdf: Pdf, more: Record<string, unknown> = {}, headers = {}) {
  const patient_id = world.patient.id;
  const json = { patient_id, size: pdf.length, sha256: await sha256(pdf), file_name: "holter.pdf", metrics, ...more };
  return sendRequest(`${API}/reports/direct`, { as, json, headers });
}

const rowOf = async (id: string) =>
  env.DB.prepare("SELECT * FROM uploads WHERE id = ?")
    .bind(id)
    .first<{ outcome: string; incoming_key: string | null; reason: string }>();

/** The effect of the PUT in R2. */
async function send(uploadId: string, bytes: Pdf): Promise<string> {
  const key = (await rowOf(uploadId))?.incoming_key ?? "";
  expect(await env.FILES.put(key, bytes, { onlyIf: { etagDoesNotMatch: "*" } })).not.toBeNull();
  return key;
}

const confirm = (as: { token: string }, id: string, on = env) =>
  sendRequest(`${API}/reports/direct/${id}/confirm`, { as, method: "POST", env: on });

async function sent(as: { token: string }, pdf: Pdf, bytes = pdf, more = {}): Promise<{ id: string; key: string }> {
  const { data } = await readJson(await begin(as, pdf, more));
  return { id: data.upload_id, key: await send(data.upload_id, bytes) };
}

const inClear = async () => (await env.FILES.list({ prefix: DIRECT_UPLOAD_PREFIX })).objects.map(({ key }) => key);

describe("a direct upload", () => {
  it("is answered with a link that binds key, type, length, digest and newness for five minutes", async () => {
    const pdf = newPdf("large", 300_000);
    const response = await begin(world.nurse, pdf);
    expect(response.status).toBe(201);
    const { data } = await readJson(response);
    const url = new URL(data.url);
    expect(url.origin + url.pathname).toMatch(/^https:\/\/account\.r2\.example\/edgecare-files\/incoming\/[a-z2-7]{26}$/);
    expect(url.searchParams.get("X-Amz-Expires")).toBe(String(UPLOAD_LINK_SECONDS));
    const signed = (url.searchParams.get("X-Amz-SignedHeaders") ?? "").split(";");
    expect(signed.sort()).toEqual(["content-length", "content-type", "host", "if-none-match", "x-amz-checksum-sha256"]);
    expect(data.headers["x-amz-checksum-sha256"]).toBe(Buffer.from(await sha256(pdf), "hex").toString("base64"));
    expect(Date.parse(data.expires_at) - Date.now()).toBeLessThanOrEqual(UPLOAD_LINK_SECONDS * 1000);
    expect(JSON.stringify(data)).not.toContain("worker-tests-secret");
    const [event, ...more] = await readAuditEvents(response.headers.get("x-request-id") ?? "");
    expect(event).toMatchObject({ event: "upload.begin", outcome: "success", subjects: [world.patient.id] });
    expect(more).toEqual([]);
    expect(await rowOf(data.upload_id)).toMatchObject({ outcome: "awaiting" });
  });

  it("becomes the report that an ordinary upload would be, and its clear bytes go", async () => {
    const pdf = newPdf("confirmed", 200_000);
    const { id, key } = await sent(world.nurse, pdf, pdf, { recorded_at: "2026-01-02T03:04:05Z", confidence: 0.5 });
    expect((await confirm(world.nurse, id)).status).toBe(201);
    const { data } = await readJson(await sendRequest(`${API}/reports/${id}`, { as: world.doctor }));
    expect(data).toMatchObject({
      report_id: id,
      heart_rate: 71,
      metrics,
      confidence: 0.5,
      file_name: "holter.pdf",
      effective_at: "2026-01-02T03:04:05.000Z",
      uploaded_by: { kind: "user", id: world.nurse.id },
    });
    const file = await sendRequest(`${API}/reports/${id}/file`, { as: world.doctor });
    expect(await sha256(new Uint8Array(await file.arrayBuffer()))).toBe(await sha256(pdf));
    expect(await inClear()).not.toContain(key);
    expect(await rowOf(id)).toMatchObject({ outcome: "stored", incoming_key: null });
    await verifyEveryReport();
  });

  it("confirmed again is the same report, and 50 times at once is one", async () => {
    const pdf = newPdf();
    const { id } = await sent(world.nurse, pdf);
    const all = await Promise.all(Array.from({ length: 50 }, () => confirm(world.nurse, id, withRandomDelays(env))));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([201]));
    for (const response of all) expect((await readJson(response)).data).toMatchObject({ report_id: id, duplicate_of: null });
    expect((await listReportIds(world.patient.id)).filter((report) => report === id)).toHaveLength(1);
    expect(await findEvents({ event: "report.create", entity_id: id })).toHaveLength(1);
    expect((await confirm(world.nurse, id)).status).toBe(201);
    expect(await inClear()).toEqual([]);
  });

  it("whose report was moved to another record is not confirmed again: 409 report_moved", async () => {
    const { id } = await sent(world.self, newPdf());
    expect((await confirm(world.self, id)).status).toBe(201);
    const { id: patient_id } = world.stranger;
    const json = { patient_id, reason: "Wrong bed" };
    const moved = await sendRequest(`${API}/reports/${id}/move`, { as: world.nurse, json, headers: { "If-Match": "*" } });
    expect(moved.status).toBe(200);
    const again = await confirm(world.self, id);
    const problem = await readJson(again);
    expect([again.status, problem.code]).toEqual([409, "report_moved"]);
    expect(JSON.stringify(problem)).not.toContain(patient_id);
    expect(await readAuditEvents(again.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "upload.settle", outcome: "failed", reason: "report_moved", subjects: [world.patient.id] },
    ]);
  });

  it("of a file that the patient has already ends at that report", async () => {
    const pdf = newPdf();
    const [first, second] = [await sent(world.nurse, pdf), await sent(world.doctor, pdf)];
    expect((await confirm(world.nurse, first.id)).status).toBe(201);
    const again = await confirm(world.doctor, second.id);
    expect(again.status).toBe(200);
    expect((await readJson(again)).data.duplicate_of).toBe(first.id);
    expect(await inClear()).toEqual([]);
    expect((await confirm(world.doctor, second.id)).status).toBe(200);
  });

  it("belongs to its sender, while they may", async () => {
    const other = await newWorld();
    const nurse = await newPerson("nurse", world.hospitalId);
    const { id } = await sent(nurse, newPdf());
    for (const as of [world.nurse, world.admin, world.self, other.nurse]) expect((await confirm(as, id)).status).toBe(404);
    await env.DB.prepare("UPDATE memberships SET ended_at = 1 WHERE user_id = ?").bind(nurse.id).run();
    expect((await confirm(nurse, id)).status).toBe(401);
    const doctor = await sent(world.doctor, newPdf());
    await env.DB.prepare("UPDATE care_team SET ended_at = 1 WHERE user_id = ?").bind(world.doctor.id).run();
    expect((await confirm(world.doctor, doctor.id)).status).toBe(404);
    await env.DB.prepare("UPDATE care_team SET ended_at = NULL WHERE user_id = ?").bind(world.doctor.id).run();
    expect((await begin(other.nurse, newPdf())).status).toBe(404);
    expect((await begin(await newDevice(world.nurse, null), newPdf(), { patient_id: undefined })).status).toBe(404);
  });

  it("by a device is not accepted for a closed record, neither at its start nor at its end", async () => {
    const other = await newWorld();
    const device = await newDevice(other.nurse, other.patient.id);
    const { id } = await sent(device, newPdf(), undefined, { patient_id: undefined });
    await env.DB.prepare("UPDATE patients SET active = 0 WHERE id = ?").bind(other.patient.id).run();
    expect((await confirm(device, id)).status).toBe(409);
    expect((await begin(device, newPdf(), { patient_id: undefined })).status).toBe(404);
    expect(await rowOf(id)).toMatchObject({ outcome: "awaiting" });
  });

  it("by a device is the device's", async () => {
    const device = await newDevice(world.nurse, world.patient.id);
    const { id } = await sent(device, newPdf(), undefined, { patient_id: undefined });
    expect((await confirm(device, id)).status).toBe(201);
    const { data } = await readJson(await sendRequest(`${API}/reports/${id}`, { as: world.nurse }));
    expect(data.uploaded_by).toEqual({ kind: "device", id: device.id });
  });

  it.each([
    ["another file", 400, "digest_mismatch", (pdf: Pdf) => pdf.map((byte, i) => (i === 60 ? byte ^ 1 : byte))],
    ["a shorter one", 400, "length_mismatch", (pdf: Pdf) => pdf.slice(0, -1)],
    ["a longer one", 400, "length_mismatch", (pdf: Pdf) => new Uint8Array([...pdf, 32])],
  ])("with %s sent ends refused, and the bytes go at once", async (_, status, code, change) => {
    const pdf = newPdf();
    const { id, key } = await sent(world.nurse, pdf, change(pdf));
    const refused = await confirm(world.nurse, id);
    expect({ status: refused.status, code: (await readJson(refused)).code }).toEqual({ status, code });
    expect(await rowOf(id)).toMatchObject({ outcome: "refused", reason: code });
    expect(await inClear()).not.toContain(key);
    expect((await confirm(world.nurse, id)).status).toBe(409);
    expect(await listReportIds(world.patient.id)).not.toContain(id);
  });

  it("of a file that is not a PDF is rejected", async () => {
    const bytes = newPdf().slice(3);
    const { id } = await sent(world.nurse, bytes);
    expect((await confirm(world.nurse, id)).status).toBe(415);
    expect(await rowOf(id)).toMatchObject({ outcome: "refused", reason: "not_pdf" });
  });

  it("that has not arrived can be confirmed later", async () => {
    const pdf = newPdf();
    const { data } = await readJson(await begin(world.nurse, pdf));
    expect((await confirm(world.nurse, data.upload_id)).status).toBe(409);
    await send(data.upload_id, pdf);
    expect((await confirm(world.nurse, data.upload_id)).status).toBe(201);
  });

  it("begun twice with one key is one upload", async () => {
    const [pdf, headers] = [newPdf(), { "Idempotency-Key": "direct-begun-twice" }];
    const [first, second] = [
      await readJson(await begin(world.nurse, pdf, {}, headers)),
      await begin(world.nurse, pdf, {}, headers),
    ];
    expect(second.status).toBe(201);
    expect((await readJson(second)).data.upload_id).toBe(first.data.upload_id);
    expect((await begin(world.nurse, newPdf(), {}, headers)).status).toBe(409);
  });

  it("is refused with a reason where it is not set up, and for wrong words", async () => {
    const off = { ...env, R2_S3_SECRET_ACCESS_KEY: "" };
    const json = { patient_id: world.patient.id, size: 10, sha256: "0".repeat(64) };
    const response = await sendRequest(`${API}/reports/direct`, { as: world.nurse, json, env: off });
    expect({ status: response.status, code: (await readJson(response)).code }).toEqual({
      status: 501,
      code: "direct_uploads_off",
    });
    for (const wrong of [{ size: 0 }, { size: 2 ** 30 }, { sha256: "x" }, { extra: 1 }, { confidence: 2 }]) {
      expect((await begin(world.nurse, newPdf(), wrong)).status, JSON.stringify(wrong)).toBe(400);
    }
  });
});

describe("the sweep", () => {
  it("expires uploads not confirmed within the hour, row and bytes, and no newer ones", async () => {
    const { id, key } = await sent(world.nurse, newPdf());
    await runCleanup(env, Date.now() + MAX_DIRECT_UPLOAD_AGE_MS - 60_000);
    expect(await inClear()).toContain(key);
    expect((await rowOf(id))?.outcome).toBe("awaiting");
    await runCleanup(env, Date.now() + MAX_DIRECT_UPLOAD_AGE_MS + 60_000);
    expect(await inClear()).toEqual([]);
    expect(await rowOf(id)).toMatchObject({ outcome: "expired", incoming_key: null });
    expect((await confirm(world.nurse, id)).status).toBe(409);
    expect(await listReportIds(world.patient.id)).not.toContain(id);
  });

  it("deletes bytes that arrived after their row expired, and no other object under the prefix", async () => {
    await env.FILES.put(`${DIRECT_UPLOAD_PREFIX}${"a".repeat(26)}`, "late");
    await env.FILES.put(`${DIRECT_UPLOAD_PREFIX}5000/${"a".repeat(26)}`, "a sealed file, were a key called so");
    await runCleanup(env, Date.now() + MAX_DIRECT_UPLOAD_AGE_MS + 60_000);
    expect(await inClear()).toEqual([`${DIRECT_UPLOAD_PREFIX}5000/${"a".repeat(26)}`]);
    await env.FILES.delete(`${DIRECT_UPLOAD_PREFIX}5000/${"a".repeat(26)}`);
  });

  it("and a confirmation that fails at any store call leave one report or none, and it can be repeated", async () => {
    let fired = 0;
    for (const when of ["before", "after"] as const) {
      for (const store of ["DB", "FILES"] as const) {
        for (let k = 1; k < 12; k++) {
          const { id } = await sent(world.nurse, newPdf(undefined, 70_000));
          const faulty = withStoreFault(env, k, when, store);
          const response = await confirm(world.nurse, id, faulty.env);
          if (!faulty.fault.fired) break;
          fired++;
          expect([503, 201]).toContain(response.status);
          expect((await confirm(world.nurse, id)).status, `${when} ${store} ${k}`).toBe(201);
          expect((await listReportIds(world.patient.id)).filter((report) => report === id)).toHaveLength(1);
        }
      }
    }
    expect(fired).toBeGreaterThan(10);
    await verifyEveryReport();
    await runCleanup(env, Date.now() + 3_600_000);
    expect(await inClear()).toEqual([]);
  });
});
