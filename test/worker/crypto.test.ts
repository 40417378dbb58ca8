// Sealed rows over the API: a flipped bit, a swapped row, column or version is an error, never other data.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { fromBase64Url, toBase64Url } from "../../src/platform/crypto.ts";
import { captureLogs } from "../token-forge.ts";
import {
  API,
  env,
  newHospital,
  newPatient,
  newPdf,
  newPerson,
  type Patient,
  type Person,
  readJson,
  sendRequest,
  uploadReport,
} from "../world.ts";

let nurse: Person;
let patient: Patient;
let other: Patient;
beforeAll(async () => {
  const hospitalId = await newHospital();
  nurse = await newPerson("nurse", hospitalId);
  [patient, other] = await Promise.all([newPatient(hospitalId, nurse), newPatient(hospitalId, nurse)]);
});
afterEach(() => {
  vi.restoreAllMocks();
});

type Sealed = { identity: string; clinical: string; version: number };

async function sealedOf(id: string): Promise<Sealed> {
  const row = await env.DB.prepare(
    "SELECT identity_sealed AS identity, clinical_sealed AS clinical, version FROM patients WHERE id = ?",
  )
    .bind(id)
    .first<Sealed>();
  if (!row) throw new Error("no such patient");
  return row;
}

const store = (id: string, { identity, clinical, version }: Sealed) =>
  env.DB.prepare("UPDATE patients SET identity_sealed = ?, clinical_sealed = ?, version = ? WHERE id = ?")
    .bind(identity, clinical, version, id)
    .run();

const get = (id: string) => sendRequest(`${API}/patients/${id}`, { as: nurse });

/** A 500 with only ids, and one log line with the cause and no part of the row. */
async function isBroken(id: string): Promise<void> {
  const logs = captureLogs();
  const response = await get(id);
  const body = await response.text();
  expect(response.status).toBe(500);
  expect(JSON.parse(body)).toMatchObject({ code: "integrity_error", title: "Stored data failed its integrity check" });
  expect(logs()).toContain('"message":"problem integrity_error"');
  expect(body + logs()).not.toMatch(/canary|First-|History|s1\.f1/);
  vi.restoreAllMocks();
}

async function isWhole(id: string, canary: string): Promise<void> {
  const { data } = await readJson(await get(id));
  expect(data).toMatchObject({ first_name: `First-${canary}`, medical_history: `History ${canary}` });
}

describe("a sealed row", () => {
  it("opens for its own patient, and tells no other anything by its length or repetition", async () => {
    await isWhole(patient.id, patient.canary);
    const [mine, theirs] = await Promise.all([sealedOf(patient.id), sealedOf(other.id)]);
    expect(mine.identity).not.toBe(theirs.identity);
    expect(mine.identity.length).toBe(theirs.identity.length);
    expect(mine.identity).toMatch(/^s1\.f1\.[\w-]+$/);
  });

  it("does not open with a bit flipped in nonce, ciphertext or tag, another prefix, or a piece cut off or added", async () => {
    const good = await sealedOf(patient.id);
    const [format = "", kid = "", body = ""] = good.identity.split(".");
    const bytes = fromBase64Url(body);
    if (!bytes) throw new Error("not base64url");
    const broken: string[] = [];
    for (const at of [0, 11, 12, 13, bytes.length >> 1, bytes.length - 17, bytes.length - 16, bytes.length - 1]) {
      for (const bit of [1, 128]) {
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] ?? 0) ^ bit;
        broken.push([format, kid, toBase64Url(flipped)].join("."));
      }
    }
    broken.push(
      ["s2", kid, body].join("."),
      [format, "f9", body].join("."),
      [format, "", body].join("."),
      [format, "__proto__", body].join("."),
    );
    broken.push(
      `${good.identity}.x`,
      `${good.identity}=`,
      `${good.identity}A`,
      good.identity.slice(0, -1),
      `${format}.${kid}.`,
      "",
      "s1",
      "{}",
    );
    broken.push([format, kid, toBase64Url(bytes.slice(0, 27))].join("."), [format, kid, toBase64Url(bytes.slice(12))].join("."));
    for (const identity of broken) {
      await store(patient.id, { ...good, identity });
      await isBroken(patient.id);
    }
    await store(patient.id, good);
    await isWhole(patient.id, patient.canary);
  });

  it("does not open in another patient's row", async () => {
    const [mine, theirs] = [await sealedOf(patient.id), await sealedOf(other.id)];
    await store(patient.id, theirs);
    await store(other.id, mine);
    await isBroken(patient.id);
    await isBroken(other.id);
    await store(patient.id, { ...mine, clinical: theirs.clinical });
    await isBroken(patient.id);
    await store(patient.id, mine);
    await store(other.id, theirs);
    await isWhole(patient.id, patient.canary);
    await isWhole(other.id, other.canary);
  });

  it("does not open in another column", async () => {
    const good = await sealedOf(patient.id);
    await store(patient.id, { ...good, identity: good.clinical, clinical: good.identity });
    await isBroken(patient.id);
    await store(patient.id, good);
    await isWhole(patient.id, patient.canary);
  });

  it("does not open as an older state of itself", async () => {
    const before = await sealedOf(patient.id);
    const etag = (await get(patient.id)).headers.get("etag") ?? "";
    const update = { method: "PATCH", json: { notes: "Changed" }, headers: { "If-Match": etag } };
    expect((await sendRequest(`${API}/patients/${patient.id}`, { as: nurse, ...update })).status).toBe(200);
    const after = await sealedOf(patient.id);
    expect(after.version).toBe(before.version + 1);
    for (const replay of [
      { ...after, identity: before.identity },
      { ...after, clinical: before.clinical },
      { ...before, version: after.version },
    ]) {
      await store(patient.id, replay);
      await isBroken(patient.id);
    }
    await store(patient.id, { ...after, version: before.version });
    await isBroken(patient.id);
    await store(patient.id, after);
    await isWhole(patient.id, patient.canary);
  });
});

describe("a sealed file", () => {
  it("does not decrypt for another report, or with a changed byte in R2", async () => {
    const [a, b] = await Promise.all(
      [newPdf("a", 200_000), newPdf("b", 200_000)].map((pdf) => uploadReport(nurse, pdf, { patient_id: patient.id })),
    );
    const ids = [
      (await readJson(a ?? new Response("{}"))).data.report_id,
      (await readJson(b ?? new Response("{}"))).data.report_id,
    ];
    const file = (id: string, headers: Record<string, string> = {}) =>
      sendRequest(`${API}/reports/${id}/file`, { as: nurse, headers });
    expect([(await file(ids[0])).status, (await file(ids[1])).status]).toEqual([200, 200]);
    const keyOf = (id: string) => env.DB.prepare("SELECT file_key FROM reports WHERE id = ?").bind(id).first<string>("file_key");
    const [keyA, keyB] = [await keyOf(ids[0]), await keyOf(ids[1])];
    if (!keyA || !keyB) throw new Error("no file");
    const object = await env.FILES.get(keyA);
    const bytes = new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer());
    const foreign = new Uint8Array((await (await env.FILES.get(keyB))?.arrayBuffer()) ?? new ArrayBuffer());
    for (const stored of [foreign, bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)), bytes.slice(0, 65_552)]) {
      await env.FILES.put(keyA, stored);
      const answer = await file(ids[0]);
      const text = await answer.text().catch(() => "cut off");
      if (answer.status === 200) expect(text).toBe("cut off");
      else expect(answer.status).toBeGreaterThanOrEqual(500);
    }
    await env.FILES.put(keyA, bytes);
    expect((await file(ids[0])).status).toBe(200);
  });
});
