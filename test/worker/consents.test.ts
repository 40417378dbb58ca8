// Consents: asked by staff for a patient of their own, decided by the person alone, never wider than asked; states, races and time.
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { expireConsents } from "../../src/consents/expire-consents.ts";
import { TRANSITIONS } from "../../src/consents/states.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { ROW_LIMITS } from "../../src/platform/db/row-limits.ts";
import { forgetDenials, newConsent, newRecordOfSamePerson } from "../consent-rows.ts";
import { listNotices } from "../letters.ts";
import {
  API,
  env,
  findEvents,
  link,
  newPatient,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  uniqueText,
} from "../world.ts";

const DAY_MS = 86_400_000;
const iso = (at: number) => new Date(at).toISOString();

/** Hospital B asks; the person has records at A and at B, linked to one login. */
async function newScene() {
  const [a, b] = [await newWorld(), await newWorld()];
  const person = await newPerson("patient");
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  for (const patient of [atA, atB]) await link(person, { ...patient, number: 0 });
  return { a, b, person, atA, atB };
}
type Scene = Awaited<ReturnType<typeof newScene>>;
let scene: Scene;
beforeAll(async () => {
  scene = await newScene();
});

const newRequest = (patientId: string, change: object = {}) => ({
  patient_id: patientId,
  purpose: "CAREMGT",
  kinds: ["report:ecg", "observations"],
  data_from: "2025-01-01T00:00:00Z",
  data_until: "2026-12-31T23:59:59.999Z",
  expires_at: iso(Date.now() + 90 * DAY_MS),
  ...change,
});
const post = (path: string, as: Person, json: object = {}, headers = {}) =>
  sendRequest(`${API}${path}`, { as, method: "POST", json, headers });
async function request({ b, atB }: Scene = scene, change: object = {}) {
  await forgetDenials(atB.id);
  return String((await readJson(await post("/consents", b.nurse, newRequest(atB.id, change)))).data.consent_id);
}
const grant = (id: string, { person, atA }: Scene = scene, change: object = {}) =>
  post(`/consents/${id}/grant`, person, { patient_ids: [atA.id], ...change });
const read = async (id: string, as: Person) => (await readJson(await sendRequest(`${API}/consents/${id}`, { as }))).data;
/** The shared record at A, with the hospital's name, which B learns by the grant alone. */
const recordAtA = () => ({
  patient_id: scene.atA.id,
  hospital_id: scene.a.hospitalId,
  hospital_name: expect.stringMatching(/./),
});
const codeOf = async (response: Response) => (await readJson(response)).code;

describe("a request", () => {
  it("reaches the person with its reason, and says nothing of other records", async () => {
    const { b, person, atB } = scene;
    const response = await post("/consents", b.nurse, newRequest(atB.id, { reason: "Chest pain" }));
    expect(response.status).toBe(201);
    const { data } = await readJson(response);
    expect(data).toMatchObject({ status: "requested", patient_id: atB.id, shared: [], access_mode: "VIEW" });
    expect(await read(data.consent_id, person)).toMatchObject({
      reason: "Chest pain",
      purpose: "CAREMGT",
      hospital_name: expect.stringMatching(/./),
      requested_by: b.nurse.id,
      requested_by_name: expect.stringMatching(/./),
    });
    expect(await listNotices(person.id)).toContain("consent.requested");
    // Somebody whom nobody else knows, and who has no login.
    const unknown = await newPatient(b.hospitalId, b.nurse);
    const other = await post("/consents", b.nurse, newRequest(unknown.id, { reason: "Chest pain" }));
    expect(other.status).toBe(201);
    expect(Object.keys((await readJson(other)).data)).toEqual(Object.keys(data));
  });

  it("is made once per key, and only for a patient of one's own", async () => {
    const { a, b, atB } = scene;
    const body = newRequest(atB.id);
    const key = { "Idempotency-Key": uniqueText() };
    const ids = await Promise.all(
      Array.from({ length: 5 }, async () => (await readJson(await post("/consents", b.nurse, body, key))).data.consent_id),
    );
    expect(new Set(ids).size).toBe(1);
    expect((await post("/consents", a.nurse, body)).status).toBe(404);
    expect((await post("/consents", b.doctor, body)).status).toBe(404);
    expect((await post("/consents", scene.person, body)).status).toBe(403);
  });

  it.each([
    [{ data_from: "2027-01-01T00:00:00Z" }, "data_until"],
    [{ data_from: "1800-01-01T00:00:00Z" }, "data_from"],
    [{ expires_at: "2020-01-01T00:00:00Z" }, "expires_at"],
    [{ expires_at: "2040-01-01T00:00:00Z" }, "expires_at"],
    [{ erase_at: "2020-01-01T00:00:00Z" }, "erase_at"],
    [{ kinds: ["report:ecg", "report:ecg"] }, "kinds"],
    [{ kinds: [] }, "kinds"],
    [{ kinds: ["report:xray"] }, "kinds.0"],
    [{ purpose: "MARKETING" }, "purpose"],
    [{ reason: "For \u202eerac\u202c" }, "reason"],
    [{ reason: "\u2067For care\u2069" }, "reason"],
    [{ reason: "\u200b\u2800" }, "reason"],
  ])("of %j is refused with its field", async (change, path) => {
    const refused = await post("/consents", scene.b.nurse, newRequest(scene.atB.id, change));
    expect(refused.status).toBe(400);
    expect((await readJson(refused)).errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  it.each([{ access_mode: "STORE" }, { frequency: { unit: "DAY", value: 1 } }])("with %j is not supported", async (change) => {
    const refused = await post("/consents", scene.b.nurse, newRequest(scene.atB.id, change));
    expect([refused.status, await codeOf(refused)]).toEqual([400, "not_supported"]);
  });

  it("is one of at most twenty that wait", async () => {
    const { b } = scene;
    const patient = await newPatient(b.hospitalId, b.nurse);
    const statuses = [];
    for (let i = 0; i < 21; i++) statuses.push((await post("/consents", b.nurse, newRequest(patient.id))).status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(20);
    expect(statuses.at(-1)).toBe(409);
  });
});

describe("a hospital that was denied", () => {
  const asked = (own: Scene) => post("/consents", own.b.nurse, newRequest(own.atB.id));
  const idOf = async (response: Response): Promise<string> => (await readJson(response)).data.consent_id;

  it("asks the same person three times in a day, open and denied ones together, and then waits", async () => {
    const own = await newScene();
    const first = await idOf(await asked(own));
    const open = await idOf(await asked(own));
    const granted = await idOf(await asked(own));
    // Nothing was denied yet: more than three may wait.
    for (let i = 0; i < 2; i++) expect((await asked(own)).status).toBe(201);
    expect((await grant(granted, own)).status).toBe(200);
    await post(`/consents/${first}/deny`, own.person);
    const refused = await asked(own);
    expect([refused.status, await codeOf(refused)]).toEqual([429, "asked_too_often"]);
    const wait = Number(refused.headers.get("retry-after"));
    expect(wait).toBeGreaterThan(86_400 - 120);
    expect(wait).toBeLessThanOrEqual(86_400);
    expect((await findEvents({ event: "consent.request", outcome: "failed", hospital_id: own.b.hospitalId })).length).toBe(1);
    // Neither documents nor another member of staff is a way around it, and another patient is not concerned.
    const documents = { patient_id: own.atB.id, description: "Discharge summary" };
    expect((await post("/document-requests", own.b.nurse, documents)).status).toBe(429);
    expect((await post("/consents", own.b.manager, newRequest(own.atB.id))).status).toBe(429);
    const other = await newPatient(own.b.hospitalId, own.b.nurse);
    expect((await post("/consents", own.b.nurse, newRequest(other.id))).status).toBe(201);
    expect((await post("/consents", own.a.nurse, newRequest(own.atA.id))).status).toBe(201);
    // A day after the denial, and a day after the requests.
    await getDb(env.DB).run(sql`UPDATE consents SET decided_at = decided_at - ${DAY_MS} WHERE id = ${first}`);
    expect((await asked(own)).status).toBe(201);
    await post(`/consents/${open}/deny`, own.person);
    expect((await asked(own)).status).toBe(429);
    await getDb(env.DB).run(sql`UPDATE consents SET created_at = created_at - ${DAY_MS} WHERE patient_id = ${own.atB.id}`);
    expect((await asked(own)).status).toBe(201);
  });

  it("does not ask more often by requests that it cancels or that end before an answer", async () => {
    const own = await newScene();
    await post(`/consents/${await idOf(await asked(own))}/deny`, own.person);
    const documents = { patient_id: own.atB.id, description: "Discharge summary" };
    const made = (await readJson(await post("/document-requests", own.b.nurse, documents))).data;
    expect((await post(`/document-requests/${made.document_request_id}/cancel`, own.b.nurse, {})).status).toBe(200);
    const short = await idOf(await asked(own));
    await getDb(env.DB).run(sql`UPDATE consents SET answer_until = ${Date.now() - 1} WHERE id = ${short}`);
    await expireConsents(env, Date.now());
    for (const id of [made.consent_id, short])
      expect((await readJson(await sendRequest(`${API}/consents/${id}`, { as: own.person }))).data.status).toBe("expired");
    const refused = await asked(own);
    expect([refused.status, await codeOf(refused)]).toEqual([429, "asked_too_often"]);
    expect((await post("/document-requests", own.b.nurse, documents)).status).toBe(429);
  });

  it("is refused the same, whether the person has records elsewhere or none", async () => {
    const own = await newScene();
    await getDb(env.DB).run(sql`DELETE FROM patient_links WHERE patient_id = ${own.atA.id}`);
    const answers: unknown[] = [];
    for (const each of [scene, own]) {
      const alone = { ...each, atB: await newPatient(each.b.hospitalId, each.b.nurse) };
      await link(each.person, { ...alone.atB, number: 0 });
      for (let i = 0; i < 3; i++) await post(`/consents/${await idOf(await asked(alone))}/deny`, each.person);
      const { error_id, request_id, ...body } = await readJson(await asked(alone));
      answers.push(body);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ status: 429, code: "asked_too_often" });
  });

  it("has at most three of requests at once", async () => {
    const own = await newScene();
    await post(`/consents/${await idOf(await asked(own))}/deny`, own.person);
    const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await asked(own)).status));
    expect(statuses.filter((status) => status === 201)).toHaveLength(2);
    expect(statuses.filter((status) => status === 429)).toHaveLength(4);
  });
});

describe("a login of the same number", () => {
  it("neither sees nor answers what is asked of a record that is not linked to it, until it claims the record", async () => {
    const { a, b } = scene;
    const person = await newPerson("patient");
    const atA = await newPatient(a.hospitalId, a.nurse);
    await link(person, { ...atA, number: 0 });
    const atB = await newRecordOfSamePerson(b.hospitalId, b.nurse, atA.id);
    const id = String((await readJson(await post("/consents", b.nurse, newRequest(atB)))).data.consent_id);
    const request = { patient_id: atB, description: "Discharge summary" };
    const documents = (await readJson(await post("/document-requests", b.nurse, request))).data;
    const listed = async () => (await readJson(await sendRequest(`${API}/consents?status=requested`, { as: person }))).data;
    expect(await listed()).toEqual([]);
    const statusOf = async (path: string) => (await sendRequest(`${API}${path}`, { as: person })).status;
    expect(await statusOf(`/consents/${id}`)).toBe(404);
    expect(await statusOf(`/document-requests/${documents.document_request_id}`)).toBe(404);
    expect((await post(`/consents/${id}/deny`, person)).status).toBe(404);
    expect((await post(`/consents/${id}/grant`, person, { patient_ids: [atA.id] })).status).toBe(404);
    expect(await listNotices(person.id)).toEqual([]);
    const { code } = (await readJson(await sendRequest(`${API}/patients/${atB}/claim-codes`, { as: b.nurse, method: "POST" })))
      .data;
    const claimed = await sendRequest(`${API}/patients/claim`, { as: person, json: { code, date_of_birth: "1964-03-04" } });
    expect(claimed.status).toBe(200);
    expect(await listNotices(person.id)).toEqual(["consent.requested", "consent.requested"]);
    expect(await listed()).toHaveLength(2);
    expect(await statusOf(`/document-requests/${documents.document_request_id}`)).toBe(200);
    expect((await post(`/consents/${id}/grant`, person, { patient_ids: [atA.id] })).status).toBe(200);
    // What they have decided stays theirs to end, whatever becomes of the link.
    await getDb(env.DB).run(sql`DELETE FROM patient_links WHERE user_id = ${person.id} AND patient_id = ${atB}`);
    expect((await post(`/consents/${id}/revoke`, person)).status).toBe(200);
  });
});

describe("a decision", () => {
  it("is the person's alone", async () => {
    const { a, b } = scene;
    const id = await request();
    for (const as of [b.nurse, b.manager, b.doctor, a.nurse, a.manager])
      expect((await post(`/consents/${id}/grant`, as, { patient_ids: [scene.atA.id] })).status).toBe(403);
    const stranger = await newPerson("patient");
    for (const step of ["grant", "deny", "revoke"])
      expect(
        (await post(`/consents/${id}/${step}`, stranger, step === "grant" ? { patient_ids: [scene.atA.id] } : {})).status,
      ).toBe(404);
    expect(await read(id, scene.person)).toMatchObject({ status: "requested", version: 1 });
  });

  it("grants what was asked or less, of the person's own records elsewhere", async () => {
    const { b, person, atA, atB } = scene;
    const id = await request();
    for (const [change, path] of [
      [{ kinds: ["report:ecg", "documents"] }, "kinds"],
      [{ data_from: "2024-12-31T23:59:59Z" }, "data_from"],
      [{ data_until: "2027-01-01T00:00:00Z" }, "data_until"],
      [{ expires_at: iso(Date.now() + 91 * DAY_MS) }, "expires_at"],
    ] as const) {
      const wider = await grant(id, scene, change);
      expect(wider.status).toBe(400);
      expect((await readJson(wider)).errors.map((error: { path: string }) => error.path)).toContain(path);
    }
    // The asking hospital's own record, and somebody else's.
    const other = await newPatient(scene.a.hospitalId, scene.a.nurse);
    for (const patient_ids of [[atB.id], [other.id], [atA.id, other.id]])
      expect((await post(`/consents/${id}/grant`, person, { patient_ids })).status).toBe(409);
    const granted = await grant(id, scene, { kinds: ["report:ecg"] });
    expect(granted.status).toBe(200);
    expect((await readJson(granted)).data).toMatchObject({
      status: "granted",
      kinds: ["report:ecg"],
      shared: [recordAtA()],
      version: 2,
    });
    expect(await read(id, b.nurse)).toMatchObject({ status: "granted", shared: [recordAtA()] });
    expect(await listNotices(b.nurse.id)).toContain("consent.answered");
    const versions = await getDb(env.DB).all(
      sql`SELECT version, artefact->>'status' AS status FROM consent_versions WHERE consent_id = ${id}`,
    );
    expect(versions).toEqual([
      { version: 1, status: "requested" },
      { version: 2, status: "granted" },
    ]);
    expect(await findEvents({ event: "consent.grant", entity_id: id })).toHaveLength(2);
  });

  it("ends with a revocation, and is shown without its records to the hospital", async () => {
    const { b, person } = scene;
    const id = await request();
    await grant(id);
    expect((await post(`/consents/${id}/revoke`, person)).status).toBe(200);
    expect(await read(id, b.nurse)).toMatchObject({ status: "revoked", shared: [], ended_at: expect.any(String) });
    expect(await read(id, person)).toMatchObject({ status: "revoked", shared: [recordAtA()] });
  });

  it("is too late at the exact time, by the service's clock", async () => {
    const { person } = scene;
    const id = await request();
    await grant(id, scene, { expires_at: iso(Date.now() + DAY_MS) });
    const end = Date.parse((await read(id, person)).expires_at);
    try {
      vi.useFakeTimers({ now: end - 1, toFake: ["Date"] });
      await getDb(env.DB).run(sql`UPDATE sessions SET expires_at = ${end + DAY_MS}`);
      const fresh = await newPerson("patient");
      await link(fresh, { ...scene.atB, number: 0 });
      expect(await read(id, fresh)).toMatchObject({ status: "granted" });
      vi.setSystemTime(end);
      expect(await read(id, fresh)).toMatchObject({ status: "expired" });
      expect((await post(`/consents/${id}/revoke`, fresh)).status).toBe(409);
    } finally {
      vi.useRealTimers();
    }
  });

  it("of two at once is one", async () => {
    const { person } = scene;
    for (let i = 0; i < 5; i++) {
      const id = await request();
      const statuses = await Promise.all([
        grant(id),
        post(`/consents/${id}/deny`, person),
        grant(id, scene, { kinds: ["report:ecg"] }),
      ]);
      expect(statuses.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
      const [row] = await getDb(env.DB).all<{ n: number }>(
        sql`SELECT count(*) AS n FROM consent_versions WHERE consent_id = ${id}`,
      );
      expect(row?.n).toBe(2);
    }
  });
});

describe("the states", () => {
  const STEPS = ["grant", "deny", "revoke"] as const;
  it("follow the table, whatever is tried (model)", async () => {
    const { person } = scene;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { minLength: 1, maxLength: 5 }), async (steps) => {
        const id = await request();
        let state: keyof typeof TRANSITIONS = "requested";
        for (const step of steps) {
          const next: string | undefined = (TRANSITIONS[state] as Record<string, string>)[step];
          const response = await (step === "grant" ? grant(id) : post(`/consents/${id}/${step}`, person));
          expect([state, step, response.status]).toEqual([state, step, next ? 200 : 409]);
          if (next) state = next as keyof typeof TRANSITIONS;
          expect((await read(id, person)).status).toBe(state);
        }
        await getDb(env.DB).run(sql`UPDATE consents SET answer_until = 1 WHERE id = ${id}`);
      }),
      { numRuns: 15, seed: 20261130 },
    );
  });
});

describe("a list", () => {
  it("shows a person theirs and staff those of patients whom they see, by state", async () => {
    const own = await newScene();
    const [first, second] = [await request(own), await request(own)];
    await grant(first, own);
    const idsOf = async (as: Person, query = "") =>
      (await readJson(await sendRequest(`${API}/consents${query}`, { as }))).data.map(
        (one: { consent_id: string }) => one.consent_id,
      );
    expect(await idsOf(own.person)).toEqual([second, first]);
    expect(await idsOf(own.person, "?status=granted")).toEqual([first]);
    expect(await idsOf(own.b.nurse, `?patient_id=${own.atB.id}`)).toEqual([second, first]);
    expect(await idsOf(own.b.doctor)).toEqual([]);
    expect(await idsOf(own.a.nurse)).toEqual([]);
    await getDb(env.DB).run(sql`UPDATE consents SET answer_until = 1 WHERE id = ${second}`);
    expect(await idsOf(own.b.nurse, "?status=expired")).toEqual([second]);
    expect(await idsOf(own.b.nurse, "?status=requested")).toEqual([]);
  });
});

describe("a grant", () => {
  it("is refused while a hundred consents for the record hold, and possible again when one has ended", async () => {
    const { b, person, atA, atB } = await newScene();
    const { max } = ROW_LIMITS.liveConsents;
    for (let i = 0; i < max; i++) await newConsent(atB.id, "granted");
    const asked = await sendRequest(`${API}/consents`, { as: b.nurse, json: newRequest(atB.id) });
    const { consent_id } = (await readJson(asked)).data;
    const grant = () =>
      sendRequest(`${API}/consents/${consent_id}/grant`, { as: person, method: "POST", json: { patient_ids: [atA.id] } });
    const refused = await grant();
    expect([refused.status, (await readJson(refused)).code]).toEqual([409, "limit_reached"]);
    await getDb(env.DB).run(sql`UPDATE consents SET status = 'revoked'
      WHERE id = (SELECT id FROM consents WHERE patient_id = ${atB.id} AND status = 'granted' LIMIT 1)`);
    expect((await grant()).status).toBe(200);
  });
});
