// Versions of documents: the newest is current, two at once cannot both be, and a patient replaces only what they uploaded.
import { beforeAll, describe, expect, it } from "vitest";
import { uuidv7 } from "../../src/platform/ids.ts";
import { markInError, newDocument, newPng, newText, uploadVersion } from "../document-files.ts";
import { expectProblem } from "../token-forge.ts";
import { API, env, newPerson, newWorld, readAuditEvents, readJson, sendRequest, uniqueText, type World } from "../world.ts";
import { listStoredKeys } from "./storage-evidence.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const newDoc = (as = world.nurse) => newDocument(as, world.patient.id);
const read = async (id: string) => (await readJson(await sendRequest(`${API}/documents/${id}`, { as: world.nurse }))).data;
type Row = { id: string; status: string; series_version: number };
const rowsOf = async (id: string) =>
  (
    await env.DB.prepare("SELECT id, status, series_version FROM documents WHERE series_id = ? ORDER BY series_version")
      .bind(id)
      .all<Row>()
  ).results;

describe("a new version", () => {
  it("replaces the current one, keeps its fields and its file", async () => {
    const first = await newDoc();
    const file = newPng();
    const response = await uploadVersion(world.doctor, first, file, '"1"', { title: "Corrected note", type: "11488-4" });
    const { data } = await readJson(response);
    expect([response.status, data]).toMatchObject([
      201,
      {
        status: "current",
        title: "Corrected note",
        type: { code: "11488-4" },
        relates_to: first,
        version_number: 2,
        content_type: "image/png",
        uploaded_by: { id: world.doctor.id },
        version: 1,
      },
    ]);
    expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "document.replace", action: "C", entity_id: data.document_id, subjects: [world.patient.id] },
    ]);
    expect(await read(first)).toMatchObject({ status: "superseded", title: "Note", version: 2, content_type: "text/plain" });
    const third = (await readJson(await uploadVersion(world.nurse, data.document_id, newText(), "*"))).data;
    expect(third).toMatchObject({ title: "Corrected note", date: data.date, version_number: 3, relates_to: data.document_id });
    for (const id of [first, data.document_id, third.document_id]) {
      expect((await read(id)).versions.map(({ status }: Row) => status)).toEqual(["superseded", "superseded", "current"]);
      expect((await sendRequest(`${API}/documents/${id}/file`, { as: world.nurse })).status).toBe(200);
    }
  });

  it("is refused for an outdated ETag, without one, for a version that is replaced, and for what was entered in error", async () => {
    const id = await newDoc();
    await expectProblem(await uploadVersion(world.nurse, id, newText(), '"2"'), 412, "precondition_failed");
    const body = new FormData();
    body.set("file", new File([newText()], "a.txt"));
    const without = await sendRequest(`${API}/documents/${id}/versions`, { as: world.nurse, body });
    await expectProblem(without, 428, "precondition_required");
    const next = (await readJson(await uploadVersion(world.nurse, id, newText(), '"1"'))).data.document_id;
    await expectProblem(await uploadVersion(world.nurse, id, newText(), "*"), 409, "conflict");
    await expectProblem(await uploadVersion(world.nurse, id, newText(), '"1"'), 412, "precondition_failed");
    expect((await markInError(world.nurse, next)).status).toBe(200);
    await expectProblem(await uploadVersion(world.nurse, next, newText(), "*"), 409, "conflict");
  });

  it("with the same file as the current one stores nothing", async () => {
    const file = newText();
    const id = await newDocument(world.nurse, world.patient.id, file);
    const before = await listStoredKeys();
    const response = await uploadVersion(world.nurse, id, file, '"1"');
    expect([response.status, (await readJson(response)).data]).toMatchObject([200, { document_id: id, duplicate_of: id }]);
    expect(await listStoredKeys()).toEqual(before);
  });

  it("with an idempotency key is stored once, also for a retry with the former ETag", async () => {
    const id = await newDoc();
    const file = newText();
    const options = { headers: { "Idempotency-Key": `version-${uniqueText()}` } };
    const first = await readJson(await uploadVersion(world.nurse, id, file, '"1"', {}, options));
    const again = await uploadVersion(world.nurse, id, file, '"1"', {}, options);
    expect([again.status, (await readJson(again)).data.document_id]).toEqual([201, first.data.document_id]);
    expect(await rowsOf(id)).toHaveLength(2);
    // The same key for another document is another request.
    const other = await uploadVersion(world.nurse, await newDoc(), file, '"1"', {}, options);
    await expectProblem(other, 409, "idempotency_key_reused");
  });

  it("is a patient's for what they uploaded themselves", async () => {
    const own = (await readJson(await sendRequest(`${API}/documents`, { as: world.self, body: ownForm() }))).data.document_id;
    expect((await uploadVersion(world.self, own, newText(), '"1"')).status).toBe(201);
    const denied = await uploadVersion(world.self, await newDoc(), newText(), '"1"');
    await expectProblem(denied, 403, "forbidden");
    expect(await readAuditEvents(denied.headers.get("x-request-id") ?? "")).toMatchObject([{ event: "access.denied" }]);
    await expectProblem(await uploadVersion(await newPerson("patient"), own, newText(), "*"), 404, "not_found");
  });
});

function ownForm(): FormData {
  const form = new FormData();
  form.set("type", "34109-9");
  form.set("file", new File([newText()], "own.txt"));
  return form;
}

describe("fifty versions at once", () => {
  const many = Array.from({ length: 50 });

  it("have one winner, and the others are told that they were too late", async () => {
    const id = await newDoc();
    const before = (await listStoredKeys()).length;
    // By several people: one has 100 requests per minute.
    const people = [world.nurse, world.doctor, world.manager];
    const sent = await Promise.all(
      many.map((_, i) => uploadVersion(people[i % 3] ?? world.nurse, id, newText(`${i} ${uniqueText()}`), '"1"')),
    );
    const codes = await Promise.all(sent.map(async (response) => (await readJson(response)).code ?? response.status));
    expect(codes.filter((code) => code === 201)).toHaveLength(1);
    expect(codes.filter((code) => code === "precondition_failed")).toHaveLength(49);
    expect((await rowsOf(id)).map(({ status }) => status)).toEqual(["superseded", "current"]);
    expect((await listStoredKeys()).length).toBe(before + 1);
  });

  it("would all win if the statement that supersedes did not compare the version", async () => {
    const id = await newDoc();
    const columns = `patient_id, hospital_id, type_code, date_at, title_sealed, file_name_sealed, content_type, file_size, sha256,
      uploaded_by_kind, uploaded_by, created_at, updated_at`;
    // biome-ignore lint/plugin: constants of this test.
    const insert = env.DB.prepare(`INSERT INTO documents (id, series_id, series_version, status, file_key, ${columns})
      SELECT ?1, series_id, (SELECT max(series_version) + 1 FROM documents WHERE series_id = ?2), 'current', ?1, ${columns}
      FROM documents WHERE id = ?2`);
    const supersede = env.DB.prepare("UPDATE documents SET status = 'superseded', version = version + 1 WHERE id = ?");
    await Promise.all(many.map(() => env.DB.batch([supersede.bind(id), insert.bind(uuidv7(), id)])));
    expect((await rowsOf(id)).filter(({ status }) => status === "current")).toHaveLength(50);
  });

  it("and a mark of an error leave either a new version or the mark", async () => {
    const id = await newDoc();
    const [marked, ...versions] = await Promise.all([
      markInError(world.nurse, id, '"1"'),
      ...many.slice(0, 10).map(() => uploadVersion(world.manager, id, newText(), '"1"')),
    ]);
    expect([marked, ...versions].filter(({ ok }) => ok)).toHaveLength(1);
    const statuses = (await rowsOf(id)).map(({ status }) => status);
    expect(statuses).toEqual(marked?.ok ? ["entered-in-error"] : ["superseded", "current"]);
  });
});
