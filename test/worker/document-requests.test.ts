// Requests of documents: nothing is told to the asked hospital before the grant, and nothing but the named documents is opened after it.
import { beforeAll, describe, expect, it } from "vitest";
import { addToCareTeam } from "../authz.world.ts";
import { forgetDenials } from "../consent-rows.ts";
import { markInError, newDocument, newText, uploadDocument, uploadVersion } from "../document-files.ts";
import { listNotices } from "../letters.ts";
import { findEvents, link, newPatient, newPerson, newWorld, readJson, sendRequest, uniqueText } from "../world.ts";
import {
  codeOf,
  create,
  DESCRIPTION,
  get,
  grant,
  newConsented,
  newFulfilled,
  newRequest,
  newScene,
  post,
  readData,
  type Scene,
  statusOf,
  step,
} from "./document-requests-world.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await newScene();
});

const listIds = async (as: Scene["person"], query = "") =>
  (await readData(await get(`/document-requests?${query}`, as))).map(
    (one: { document_request_id: string }) => one.document_request_id,
  );

describe("a request", () => {
  it("gets the same answer for a person whom nobody else knows", async () => {
    const { b, person } = scene;
    const response = await create(scene);
    expect(response.status).toBe(201);
    const data = await readData(response);
    expect(data).toMatchObject({
      status: "requested",
      direction: "out",
      hospital: null,
      shared_patient_ids: [],
      document_ids: [],
    });
    expect(await listNotices(person.id)).toContain("consent.requested");
    const unknown = await newPatient(b.hospitalId, b.nurse);
    const other = await readData(await create({ ...scene, atB: unknown }));
    const { document_request_id: _, consent_id: __, ...rest } = other;
    const times = { created_at: expect.any(String), expires_at: expect.any(String), access_until: expect.any(String) };
    expect(rest).toEqual({ ...data, document_request_id: undefined, consent_id: undefined, patient_id: unknown.id, ...times });
  });

  it("is shown to the person, with its words in the consent", async () => {
    const { person } = scene;
    const { id, consentId } = await newRequest(scene, {
      type: "18842-5",
      date_from: "2026-01-01T00:00:00Z",
      date_to: "2026-07-01T00:00:00Z",
    });
    const consent = await readData(await get(`/consents/${consentId}`, person));
    expect(consent).toMatchObject({
      ...{ document_request_id: id, reason: DESCRIPTION, kinds: ["documents"], purpose: "CAREMGT" },
      ...{ data_from: "2026-01-01T00:00:00.000Z", data_until: "2026-06-30T23:59:59.999Z" },
    });
    expect(await readData(await get(`/document-requests/${id}`, person))).toMatchObject({
      ...{ description: DESCRIPTION, direction: null, type: { code: "18842-5", display: "Discharge summary" } },
    });
    expect(await listIds(person)).toContain(id);
  });

  it("is not there for the asked hospital before the grant, whoever looks", async () => {
    const { a, atA } = scene;
    const { id, consentId } = await newRequest(scene, { hospital_id: a.hospitalId });
    for (const as of [a.nurse, a.manager, a.doctor]) {
      expect((await get(`/document-requests/${id}`, as)).status).toBe(404);
      for (const query of ["", "direction=in", `patient_id=${atA.id}`]) expect(await listIds(as, query)).not.toContain(id);
      for (const name of ["approve", "reject", "cancel"] as const) expect((await step(name, id, as)).status).toBe(404);
    }
    expect(await listNotices(a.manager.id)).not.toContain("document_request.received");
    expect(await findEvents({ hospital_id: a.hospitalId, entity_id: id, outcome: "success" })).toEqual([]);
    expect((await grant(scene, consentId)).status).toBe(200);
    expect(await listIds(a.nurse, "direction=in")).toContain(id);
    expect(await listIds(a.nurse, "direction=out")).not.toContain(id);
    expect(await listIds(a.nurse, `patient_id=${atA.id}`)).toContain(id);
    const seen = await readData(await get(`/document-requests/${id}`, a.nurse));
    expect(seen).toMatchObject({
      status: "consented",
      direction: "in",
      purpose: "CAREMGT",
      decided_at: expect.any(String),
      patient_id: null,
      shared_patient_ids: [atA.id],
      description: DESCRIPTION,
    });
    expect(JSON.stringify(seen)).not.toContain(scene.atB.id);
    expect(await listNotices(a.manager.id)).toContain("document_request.received");
    // The care team decides for doctors, as for the record itself.
    expect((await get(`/document-requests/${id}`, a.doctor)).status).toBe(404);
    await addToCareTeam(atA.id, a.doctor.id);
    expect((await get(`/document-requests/${id}`, a.doctor)).status).toBe(200);
  });

  it("that the person denies never reaches the asked hospital", async () => {
    const { a, b, person } = scene;
    const { id, consentId } = await newRequest(scene, { hospital_id: a.hospitalId });
    expect((await post(`/consents/${consentId}/deny`, person)).status).toBe(200);
    expect(await statusOf(id, b.nurse)).toBe("denied");
    expect(await statusOf(id, person)).toBe("denied");
    expect((await get(`/document-requests/${id}`, a.nurse)).status).toBe(404);
    expect((await step("cancel", id, b.nurse)).status).toBe(409);
  });

  it("is made once per key, and only for a patient of one's own", async () => {
    const { a, b, atB, person } = scene;
    const body = { patient_id: atB.id, description: DESCRIPTION };
    const key = { "Idempotency-Key": uniqueText() };
    await forgetDenials(scene.atB.id);
    const made = await Promise.all(Array.from({ length: 4 }, () => post("/document-requests", b.nurse, body, key)));
    const ids = await Promise.all(made.map(async (response) => (await readData(response)).document_request_id));
    expect(new Set(ids).size).toBe(1);
    expect((await post("/document-requests", a.nurse, body)).status).toBe(404);
    expect((await post("/document-requests", b.doctor, body)).status).toBe(404);
    expect((await post("/document-requests", person, body)).status).toBe(403);
  });

  it.each([
    [{ description: "  x " }, "description"],
    [{ description: "x".repeat(1001) }, "description"],
    [{ type: "0-0" }, "type"],
    [{ date_from: "2026-02-01T00:00:00Z", date_to: "2026-02-01T00:00:00Z" }, "date_to"],
    [{ date_from: "1800-01-01T00:00:00Z" }, "date_from"],
    [{ expires_at: "2020-01-01T00:00:00Z" }, "expires_at"],
    [{ purpose: "MARKETING" }, "purpose"],
    [{ hospital_id: "0193a5b0-0000-7000-8000-0000000000ff" }, "hospital_id"],
  ])("of %j is refused with its field", async (change, path) => {
    const refused = await create(scene, change);
    expect(refused.status).toBe(400);
    expect((await readJson(refused)).errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  it("does not ask its own hospital", async () => {
    expect((await create(scene, { hospital_id: scene.b.hospitalId })).status).toBe(400);
  });
});

describe("a grant", () => {
  it("is for records of one hospital, the one that is asked", async () => {
    const { person, b } = scene;
    const c = await newWorld();
    const atC = await newPatient(c.hospitalId, c.nurse);
    await link(person, atC);
    const both = await newRequest(scene);
    expect((await grant(scene, both.consentId, { patient_ids: [scene.atA.id, atC.id] })).status).toBe(409);
    const asked = await newRequest(scene, { hospital_id: c.hospitalId });
    expect((await grant(scene, asked.consentId)).status).toBe(409);
    expect((await grant(scene, both.consentId, { patient_ids: [atC.id] })).status).toBe(200);
    expect(await readData(await get(`/document-requests/${both.id}`, b.nurse))).toMatchObject({
      hospital: { hospital_id: c.hospitalId },
      shared_patient_ids: [atC.id],
    });
    expect((await get(`/document-requests/${both.id}`, scene.a.nurse)).status).toBe(404);
    expect((await step("approve", both.id, scene.a.nurse)).status).toBe(404);
  });
});

describe("a fulfilment", () => {
  it("opens the named documents alone, while the consent lives", async () => {
    const { a, b, person, atA } = scene;
    const { id, consentId } = await newConsented(scene);
    const [named, other] = [await newDocument(a.nurse, atA.id), await newDocument(a.nurse, atA.id)];
    const canRead = async (documentId: string) => (await get(`/documents/${documentId}`, b.nurse)).status === 200;
    const listed = async () =>
      (await readData(await get(`/documents?patient_id=${atA.id}`, b.nurse))).map(
        (one: { document_id: string }) => one.document_id,
      );
    expect(await canRead(named)).toBe(false);
    expect(await listed()).toEqual([]);
    expect((await step("approve", id, a.nurse)).status).toBe(200);
    expect(await canRead(named)).toBe(false);
    const fulfilled = await step("fulfil", id, a.nurse, { document_ids: [named] });
    expect(fulfilled.status).toBe(200);
    expect(await readData(fulfilled)).toMatchObject({ status: "fulfilled", document_ids: [named] });
    expect([await canRead(named), await canRead(other)]).toEqual([true, false]);
    expect(await listed()).toEqual([named]);
    const { data } = await readJson(await post(`/documents/${named}/link`, b.nurse));
    const url = new URL(data.download_url);
    const viaLink = async () => (await sendRequest(`${url.pathname}${url.search}`, {})).status;
    expect(await viaLink()).toBe(200);
    expect((await readData(await get(`/document-requests/${id}`, b.nurse))).document_ids).toEqual([named]);

    expect((await post(`/consents/${consentId}/revoke`, person)).status).toBe(200);
    expect([await canRead(named), await viaLink()]).toEqual([false, 404]);
    expect(await listed()).toEqual([]);
    expect(await readData(await get(`/document-requests/${id}`, b.nurse))).toMatchObject({
      status: "fulfilled",
      document_ids: [],
    });
    expect(await readData(await get(`/document-requests/${id}`, a.nurse))).toMatchObject({ document_ids: [named] });
  });

  it("opens no other version of a document, and none that was entered in error", async () => {
    const { a, b } = scene;
    const { documentId } = await newFulfilled(scene);
    const next = (await readData(await uploadVersion(a.nurse, documentId, newText(), "*"))).document_id;
    const { data } = await readJson(await get(`/documents/${documentId}`, b.nurse));
    expect(data.versions.map((one: { document_id: string }) => one.document_id)).toEqual([documentId]);
    expect((await get(`/documents/${next}`, b.nurse)).status).toBe(404);
    expect((await markInError(a.nurse, next)).status).toBe(200);
    expect((await get(`/documents/${documentId}`, b.nurse)).status).toBe(404);
  });

  it("takes current documents of the shared record, dated within the grant", async () => {
    const { a, atA } = scene;
    const { id, consentId } = await newRequest(scene);
    await grant(scene, consentId, { data_from: "2026-01-01T00:00:00Z", data_until: "2026-06-30T00:00:00Z" });
    await step("approve", id, a.nurse);
    const dated = async (date: string) =>
      (await readData(await uploadDocument(a.nurse, newText(), { patient_id: atA.id, type: "18842-5", date }))).document_id;
    const good = await dated("2026-01-01T00:00:00Z");
    const early = await dated("2025-12-31T23:59:59Z");
    const former = await dated("2026-02-01T00:00:00Z");
    await uploadVersion(a.nurse, former, newText(), "*");
    const withdrawn = await dated("2026-03-01T00:00:00Z");
    await markInError(a.nurse, withdrawn);
    const strange = await newDocument(a.nurse, (await newPatient(a.hospitalId, a.nurse)).id);
    const ofB = await newDocument(scene.b.nurse, scene.atB.id);
    const none = "0193a5b0-0000-7000-8000-0000000000ff";
    const messageOf = async (...document_ids: string[]) => {
      const refused = await step("fulfil", id, a.nurse, { document_ids });
      const { errors } = await readJson(refused);
      return [refused.status, ...errors.map(({ path, message }: { path: string; message: string }) => `${path}: ${message}`)];
    };
    const unshared = "Must be a document of the record that the person shares";
    for (const other of [strange, ofB, none, withdrawn])
      expect(await messageOf(good, other)).toEqual([400, `document_ids.1: ${unshared}`]);
    expect(await messageOf(early)).toEqual([400, "document_ids.0: Is dated outside of the time that the person shares"]);
    expect(await messageOf(former)).toEqual([400, "document_ids.0: Must be the current version of the document"]);
    expect(await messageOf(good, good)).toEqual([400, "document_ids.1: Must be named once"]);
    expect((await step("fulfil", id, a.nurse, { document_ids: [] })).status).toBe(400);
    expect((await step("fulfil", id, a.nurse, { document_ids: Array.from({ length: 21 }, () => none) })).status).toBe(400);
    expect((await step("fulfil", id, a.nurse, { document_ids: [good] })).status).toBe(200);
  });

  it("is for the asked hospital alone, and for staff", async () => {
    const { a, b, person, atA } = scene;
    const { id } = await newConsented(scene);
    const documentId = await newDocument(a.nurse, atA.id);
    await step("approve", id, a.nurse);
    const other = await newWorld();
    const fulfil = async (as: Scene["person"]) => (await step("fulfil", id, as, { document_ids: [documentId] })).status;
    expect(await Promise.all([b.nurse, b.manager, other.nurse, person].map(fulfil))).toEqual([404, 404, 404, 403]);
    const outsider = await newPerson("doctor", a.hospitalId);
    expect(await fulfil(outsider)).toBe(404);
    expect(await fulfil(a.manager)).toBe(200);
    expect(await codeOf(await step("fulfil", id, a.manager, { document_ids: [documentId] }))).toEqual([409, "conflict"]);
  });

  it("is audited in the logs of both hospitals, and told to the requester and the person", async () => {
    const fresh = await newScene();
    const { id } = await newFulfilled(fresh);
    for (const event of ["document_request.approve", "document_request.fulfil"]) {
      const events = await findEvents({ event, entity_id: id });
      expect(events.map((one) => one.hospital_id).sort()).toEqual([fresh.a.hospitalId, fresh.b.hospitalId].sort());
    }
    expect(await findEvents({ event: "document_request.create", entity_id: id })).toHaveLength(1);
    for (const to of [fresh.b.nurse, fresh.person])
      expect(await listNotices(to.id)).toEqual(
        expect.arrayContaining(["document_request.answered", "document_request.fulfilled"]),
      );
  });
});
