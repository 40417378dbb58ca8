// Documents: upload, fields, duplicates, versions, marks of errors, and who may do what.
import { beforeAll, describe, expect, it } from "vitest";
import { documentForm, markInError, newDocument, newJpeg, newText, uploadDocument, uploadVersion } from "../document-files.ts";
import { interceptStores } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  link,
  newPdf,
  newPerson,
  newWorld,
  type Person,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
  type World,
} from "../world.ts";
import { buildMultipart, listStoredKeys } from "./storage-evidence.ts";

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = [await newWorld(), await newWorld()];
});

const read = (id: string, as: Person = world.nurse) => sendRequest(`${API}/documents/${id}`, { as });
const eventsOf = (response: Response) => readAuditEvents(response.headers.get("x-request-id") ?? "");
const countOf = async (patientId: string) =>
  (await env.DB.prepare("SELECT count(*) AS n FROM documents WHERE patient_id = ?").bind(patientId).first<number>("n")) ?? -1;

describe("an upload", () => {
  it("keeps what was sent, and says who sent it", async () => {
    const response = await uploadDocument(world.nurse, newPdf(), {
      patient_id: world.patient.id,
      type: "18842-5",
      date: "2026-03-01T09:30:00+05:30",
      title: "  Discharge after pneumonia ",
      author: "Dr. Meera Rao",
      file_name: "../../entlassung \u202e.pdf",
    });
    const { data } = await readJson(response);
    expect([response.status, data]).toMatchObject([
      201,
      {
        status: "current",
        type: { code: "18842-5", display: "Discharge summary" },
        patient_id: world.patient.id,
        hospital_id: world.hospitalId,
        date: "2026-03-01T04:00:00.000Z",
        title: "Discharge after pneumonia",
        author: "Dr. Meera Rao",
        file_name: "entlassung .pdf",
        content_type: "application/pdf",
        relates_to: null,
        version_number: 1,
        uploaded_by: { kind: "user", id: world.nurse.id },
        entered_in_error: null,
        duplicate_of: null,
        version: 1,
      },
    ]);
    expect(response.headers.get("etag")).toMatch(/^"1-/);
    expect(await eventsOf(response)).toMatchObject([
      { event: "document.create", action: "C", entity_id: data.document_id, subjects: [world.patient.id], purpose: "TREAT" },
    ]);
    const { duplicate_of: _, ...document } = data;
    const detail = (await readJson(await read(data.document_id))).data;
    expect(detail).toMatchObject({ ...document, versions: [{ document_id: data.document_id, version_number: 1 }] });
  });

  it("has defaults: now, and the name of the type", async () => {
    const before = Date.now();
    const { data } = await readJson(await uploadDocument(world.nurse, newText(), { patient_id: world.patient.id, author: "" }));
    expect(data).toMatchObject({ title: "Note", author: null });
    expect(Date.parse(data.date)).toBeGreaterThanOrEqual(before);
  });

  it("of a patient is for the own record, with or without its id", async () => {
    for (const patient_id of [undefined, world.patient.id]) {
      const response = await uploadDocument(world.self, newText(), { patient_id });
      expect([response.status, (await readJson(response)).data.patient_id]).toEqual([201, world.patient.id]);
      expect(await eventsOf(response)).toMatchObject([{ basis: "self", purpose: "PATRQT" }]);
    }
  });

  it.each<[string, () => Person, () => string]>([
    ["another hospital's patient", () => world.nurse, () => other.patient.id],
    ["another patient", () => world.self, () => world.stranger.id],
    ["a patient outside of the care team", () => world.doctor, () => world.stranger.id],
    ["nobody", () => world.nurse, () => crypto.randomUUID()],
  ])("for %s is refused and stores nothing", async (_, as, patientId) => {
    const before = await listStoredKeys();
    const response = await uploadDocument(as(), newText(), { patient_id: patientId() });
    await expectProblem(response, 404, "not_found");
    expect(await eventsOf(response)).toMatchObject([{ event: "access.denied", outcome: "denied" }]);
    expect(await listStoredKeys()).toEqual(before);
  });

  it.each<[string, Record<string, string>, string]>([
    ["no code of the list", { type: "12345-6" }, "type"],
    ["a title of 201 characters", { title: "x".repeat(201) }, "title"],
    ["a date in the future", { date: new Date(Date.now() + 3_600_000).toISOString() }, "date"],
    ["a date that nobody can read", { date: "yesterday" }, "date"],
    ["an unknown field", { kind: "ecg" }, "kind"],
  ])("with %s is refused", async (_, fields, path) => {
    const response = await uploadDocument(world.nurse, newText(), { patient_id: world.patient.id, ...fields });
    const { status, errors } = await readJson(response);
    expect([status, errors.map((error: { path: string }) => error.path)]).toEqual([400, [path]]);
  });

  it("that is no form, or one without a file, is refused", async () => {
    const headers = { "Content-Type": "application/pdf" };
    const raw = await sendRequest(`${API}/documents`, { as: world.nurse, body: newPdf(), headers });
    await expectProblem(raw, 415, "unsupported_media_type");
    expect(await eventsOf(raw)).toMatchObject([{ event: "document.refuse", reason: "unsupported_media_type" }]);
    const form = documentForm(newText(), { type: "34109-9", patient_id: world.patient.id });
    form.delete("file");
    await expectProblem(await sendRequest(`${API}/documents`, { as: world.nurse, body: form }), 400, "invalid_request");
    const encoded = await uploadDocument(world.nurse, newText(), {}, { headers: { "Content-Encoding": "gzip" } });
    await expectProblem(encoded, 415, "unsupported_media_type");
  });

  it("that ends half-way stores nothing", async () => {
    const type = "multipart/form-data; boundary=b";
    const file = { headers: ['Content-Disposition: form-data; name="file"; filename="a.txt"'], body: newText() };
    const about = { headers: ['Content-Disposition: form-data; name="type"'], body: "34109-9" };
    const whole = buildMultipart("b", [about, file]);
    const before = [await countOf(world.patient.id), await listStoredKeys()];
    for (const length of [0, 1, 60, whole.length - 30, whole.length - 4]) {
      const body = whole.slice(0, length);
      const response = await sendRequest(`${API}/documents`, { as: world.self, body, headers: { "Content-Type": type } });
      expect([length, response.status]).toEqual([length, 400]);
    }
    const aborted = new ReadableStream({
      start: (controller) => {
        controller.enqueue(whole.slice(0, 90));
        controller.error(new Error("the sender is gone"));
      },
    });
    const sent = sendRequest(`${API}/documents`, {
      as: world.self,
      body: aborted,
      method: "POST",
      headers: { "Content-Type": type },
    });
    expect(
      await sent.then(
        ({ status }) => status >= 400,
        () => true,
      ),
    ).toBe(true);
    expect([await countOf(world.patient.id), await listStoredKeys()]).toEqual(before);
  });

  it("of a file that the patient has is answered with the document that holds it", async () => {
    const bytes = newText();
    const id = await newDocument(world.nurse, world.patient.id, bytes);
    const before = await listStoredKeys();
    const again = await uploadDocument(world.doctor, bytes, { patient_id: world.patient.id, title: "Another" });
    expect([again.status, (await readJson(again)).data]).toMatchObject([
      200,
      { document_id: id, duplicate_of: id, title: "Note" },
    ]);
    expect(await eventsOf(again)).toMatchObject([{ event: "document.duplicate", action: "R" }]);
    expect(await listStoredKeys()).toEqual(before);
    // Another patient's record says nothing of it.
    expect((await uploadDocument(world.nurse, bytes, { patient_id: world.stranger.id })).status).toBe(201);
    // What was entered in error may be filed again.
    expect((await markInError(world.nurse, id)).status).toBe(200);
    expect((await uploadDocument(world.self, bytes)).status).toBe(201);
  });

  it("twenty times at once is stored once", async () => {
    const bytes = newJpeg();
    const before = (await listStoredKeys()).length;
    const sent = await Promise.all(
      Array.from({ length: 20 }, () => uploadDocument(world.manager, bytes, { patient_id: world.patient.id })),
    );
    const answers = await Promise.all(sent.map(readJson));
    expect(sent.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(sent.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(new Set(answers.map(({ data }) => data.document_id)).size).toBe(1);
    expect((await listStoredKeys()).length).toBe(before + 1);
  });

  it("with an idempotency key has one effect; with the key of another it is refused", async () => {
    const bytes = newText();
    const options = { headers: { "Idempotency-Key": `document-${uniqueText()}` } };
    const send = (file = bytes) => uploadDocument(world.nurse, file, { patient_id: world.patient.id }, options);
    const first = await readJson(await send());
    const again = await send();
    expect([again.status, (await readJson(again)).data]).toEqual([201, first.data]);
    expect(await eventsOf(again)).toMatchObject([{ event: "document.replay" }]);
    await expectProblem(await send(newText()), 409, "idempotency_key_reused");
  });

  it("with an idempotency key, ten times at once, has one effect and one answer, for a new file and for a known one", async () => {
    for (const isKnown of [false, true]) {
      const bytes = newText();
      if (isKnown) await newDocument(world.doctor, world.patient.id, bytes);
      const options = { headers: { "Idempotency-Key": `document-${uniqueText()}` } };
      const send = () => uploadDocument(world.doctor, bytes, { patient_id: world.patient.id }, options);
      const sent = await Promise.all(Array.from({ length: 10 }, send));
      const answers = await Promise.all(sent.map(readJson));
      expect(sent.map(({ status }) => status)).toEqual(sent.map(() => (isKnown ? 200 : 201)));
      expect(new Set(answers.map(({ data }) => `${data.document_id} ${data.duplicate_of}`)).size).toBe(1);
    }
  });

  it("of a person whose access ends meanwhile is refused and leaves no file", async () => {
    const person = await newPerson("patient");
    await link(person, world.stranger);
    const [before, rows] = [await listStoredKeys(), await countOf(world.stranger.id)];
    const unlink = env.DB.prepare("DELETE FROM patient_links WHERE user_id = ?").bind(person.id);
    const unlinking = interceptStores(env, async ({ store, op }, run) => {
      if (store === "FILES" && op.endsWith("put")) await unlink.run();
      return run();
    });
    const response = await uploadDocument(person, newText(), {}, { env: unlinking });
    await expectProblem(response, 404, "not_found");
    expect([await listStoredKeys(), await countOf(world.stranger.id)]).toEqual([before, rows]);
  });
});

describe("a mark of an error", () => {
  it("is for staff; hides the document from patients and lists, in all versions, and keeps the files", async () => {
    const id = await newDocument(world.nurse, world.patient.id);
    const next = (await readJson(await uploadVersion(world.nurse, id, newText(), '"1"'))).data.document_id;
    expect((await read(next, world.self)).status).toBe(200);
    await expectProblem(await markInError(world.self, next), 403, "forbidden");
    await expectProblem(await markInError(other.nurse, next), 404, "not_found");
    await expectProblem(await markInError(world.nurse, id), 409, "conflict");
    await expectProblem(await markInError(world.nurse, next, '"7"'), 412, "precondition_failed");
    const marked = await markInError(world.nurse, next, '"1"', "Belongs to her sister");
    const { data } = await readJson(marked);
    expect(data).toMatchObject({
      status: "entered-in-error",
      entered_in_error: { reason: "Belongs to her sister", by: world.nurse.id },
      version: 2,
    });
    expect(await eventsOf(marked)).toMatchObject([{ event: "document.entered_in_error", action: "U", detail: '{"versions":2}' }]);
    await expectProblem(await markInError(world.nurse, next, '"2"'), 409, "conflict");
    const keys = await listStoredKeys();
    for (const version of [id, next]) {
      expect((await readJson(await read(version, world.doctor))).data).toMatchObject({
        status: "entered-in-error",
        entered_in_error: { reason: "Belongs to her sister" },
      });
      for (const path of ["", "/file"]) {
        expect((await sendRequest(`${API}/documents/${version}${path}`, { as: world.self })).status).toBe(404);
      }
      const denied = await uploadVersion(world.self, version, newText(), "*");
      expect(denied.status).toBe(404);
      expect((await sendRequest(`${API}/documents/${version}/file`, { as: world.nurse })).status).toBe(200);
    }
    expect(await listStoredKeys()).toEqual(keys);
  });

  it("needs a reason of 3 to 500 characters, and If-Match", async () => {
    const id = await newDocument(world.nurse, world.patient.id);
    for (const reason of ["", "ab", "   a ", "x".repeat(501)]) {
      await expectProblem(await markInError(world.nurse, id, "*", reason), 400, "invalid_request");
    }
    const response = await sendRequest(`${API}/documents/${id}`, {
      as: world.nurse,
      method: "DELETE",
      json: { reason: "wrong" },
    });
    await expectProblem(response, 428, "precondition_required");
  });

  it("given twice at once is given once", async () => {
    const id = await newDocument(world.nurse, world.patient.id);
    const answers = await Promise.all([world.nurse, world.manager].map((as) => markInError(as, id, '"1"', `By ${as.role}`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    const events = (await Promise.all(answers.map(eventsOf))).flat();
    expect(events.map(({ outcome }) => outcome).sort()).toEqual(["failed", "success"]);
  });
});
