// Who a patient is: birth dates of any precision, the history of changes, inactive records, and possible duplicates.
import { beforeAll, describe, expect, it } from "vitest";
import { withRandomDelays } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  link,
  newPatient,
  newPerson,
  newWorld,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
  type World,
} from "../world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const newPhone = () => `+91 8${String(Math.floor(Math.random() * 1e9)).padStart(9, "0")}`;
const register = (json: object, more: RequestOptions = {}) =>
  sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "Asha", ...json }, ...more });
const registerNew = async (json: object = {}) => (await readJson(await register({ last_name: uniqueText(), ...json }))).data;
const change = (id: string, json: object, more: RequestOptions = {}) =>
  sendRequest(`${API}/patients/${id}`, { as: world.nurse, method: "PATCH", json, headers: { "If-Match": "*" }, ...more });
const read = async (id: string, as: Person = world.nurse) =>
  (await readJson(await sendRequest(`${API}/patients/${id}`, { as }))).data;
const changesOf = async (id: string, as: Person = world.nurse) =>
  (await readJson(await sendRequest(`${API}/patients/${id}/changes`, { as }))).data;

describe("a birth date", () => {
  it.each(["1964", "1964-03", "1964-03-04", "2024-02-29"])("is kept as precise as it is known: %s", async (date_of_birth) => {
    const { patient_id } = await registerNew({ date_of_birth });
    expect((await read(patient_id)).date_of_birth).toBe(date_of_birth);
    expect((await readJson(await change(patient_id, { date_of_birth: "1970-01" }))).data.date_of_birth).toBe("1970-01");
  });

  it.each([
    "64",
    "1964-3",
    "1964-13",
    "1964-02-30",
    "2023-02-29",
    "1964-03-04T00:00:00Z",
    "1879",
    "2999",
    "2999-01",
    " 1964",
    "",
  ])("that is none is refused: %j", async (date_of_birth) => {
    await expectProblem(await register({ date_of_birth }), 400, "invalid_request");
  });

  it("of a year gives the score of an age that is certain", async () => {
    const scoreOf = async (date_of_birth: string) => {
      const { patient_id } = await registerNew({ date_of_birth });
      return (await readJson(await sendRequest(`${API}/patients/${patient_id}/scores/news2`, { as: world.nurse }))).data;
    };
    const year = new Date().getUTCFullYear();
    expect(await scoreOf(String(year - 16))).toMatchObject({ status: "not_applicable", reason: "age" });
    expect((await scoreOf(String(year - 17))).status).toBe("incomplete");
  });
});

describe("the history of changes", () => {
  it("says who changed which field when and why, with both values, newest first", async () => {
    const { patient_id } = await registerNew({ address: "12 Lake Road", phone: newPhone() });
    const before = await read(patient_id);
    const phone = newPhone();
    await change(patient_id, { address: "4 Hill Street", phone, notes: "New", reason: "Moved" });
    await change(patient_id, { first_name: "Usha" }, { as: world.manager });
    await change(patient_id, { symptoms: ["cough"], address: "4 Hill Street" });
    const [newest, older, ...none] = await changesOf(patient_id);
    expect(none).toEqual([]);
    expect(newest).toMatchObject({
      changed_by: { kind: "user", id: world.manager.id, role: "hospital_admin", name: expect.stringMatching(/^Name /) },
      reason: null,
      fields: [{ field: "first_name", before: "Asha", after: "Usha" }],
    });
    expect(older).toMatchObject({
      changed_by: { id: world.nurse.id, role: "nurse" },
      reason: "Moved",
      fields: [
        { field: "phone", before: before.phone, after: phone },
        { field: "address", before: "12 Lake Road", after: "4 Hill Street" },
      ],
    });
    expect(Math.abs(Date.now() - Date.parse(older.changed_at))).toBeLessThan(60_000);
  });

  it("is read by the patient without the names of staff, and by nobody who does not see the record", async () => {
    const { patient_id, patient_number } = await registerNew();
    const self = await newPerson("patient");
    await link(self, { id: patient_id, number: patient_number, canary: "" });
    await change(patient_id, { address: "4 Hill Street" });
    expect(await changesOf(patient_id, self)).toMatchObject([
      { changed_by: { role: "nurse", name: null }, fields: [{ field: "address", before: null, after: "4 Hill Street" }] },
    ]);
    for (const as of [world.self, world.doctor, (await newWorld()).nurse])
      await expectProblem(await sendRequest(`${API}/patients/${patient_id}/changes`, { as }), 404, "not_found");
    const response = await sendRequest(`${API}/patients/${patient_id}/changes`, { as: self });
    expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "patient.changes", action: "R", subjects: [patient_id] },
    ]);
  });

  it("is sealed, and goes with a record made by mistake", async () => {
    const { patient_id } = await registerNew({ address: "Before-the-move" });
    await change(patient_id, { address: "After-the-move", reason: "Because-of-a-move" });
    const rows = () => env.DB.prepare("SELECT * FROM patient_changes WHERE patient_id = ?").bind(patient_id).all();
    expect(JSON.stringify((await rows()).results)).toContain(patient_id);
    expect(JSON.stringify((await rows()).results)).not.toMatch(/-the-move|-a-move|address/);
    const remove = { as: world.manager, method: "DELETE", headers: { "If-Match": "*" } };
    expect((await sendRequest(`${API}/patients/${patient_id}`, remove)).status).toBe(200);
    expect((await rows()).results).toEqual([]);
  });

  it("has one entry for each of two changes that wait for each other, and none for the one that lost", async () => {
    const { patient_id } = await registerNew();
    const slow = withRandomDelays(env);
    const responses = await Promise.all(
      ["1 Street", "2 Street", "3 Street", "4 Street"].map((address) =>
        change(patient_id, { address }, { env: slow, headers: { "If-Match": '"1"' } }),
      ),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
    const { address } = await read(patient_id);
    expect(await changesOf(patient_id)).toMatchObject([{ fields: [{ field: "address", before: null, after: address }] }]);
  });

  it("takes a reason with what it records, and refuses one that it could not keep", async () => {
    const { patient_id } = await registerNew();
    await expectProblem(await change(patient_id, { notes: "x", reason: "Why" }), 400, "invalid_request");
    await expectProblem(await change(patient_id, { reason: "Why" }), 400, "invalid_request");
    expect((await change(patient_id, { gender: "unknown", reason: "Asked again" })).status).toBe(200);
    expect(await changesOf(patient_id)).toMatchObject([{ reason: "Asked again", fields: [] }]);
  });
});

describe("an inactive record", () => {
  it("is not monitored, says so, and stays unmonitored when it is active again", async () => {
    const { patient_id } = await registerNew({ monitoring: "ward" });
    await expectProblem(await change(patient_id, { is_active: false }), 400, "invalid_request");
    const ended = await change(patient_id, { is_active: false, reason: "Moved to another city" });
    expect((await readJson(ended)).data).toMatchObject({ is_active: false, monitoring: "off" });
    const monitored = await readJson(await change(patient_id, { monitoring: "home" }));
    expect(monitored).toMatchObject({ status: 400, errors: [{ path: "monitoring" }] });
    const sample = { code: "8867-4", value: 72, unit: "/min", effective_at: new Date().toISOString() };
    const json = { patient_id, samples: [sample] };
    await expectProblem(await sendRequest(`${API}/observations`, { as: world.nurse, json }), 409, "conflict");
    const back = await change(patient_id, { is_active: true, reason: "Came back" });
    expect((await readJson(back)).data).toMatchObject({ is_active: true, monitoring: "off" });
    expect(await changesOf(patient_id)).toMatchObject([
      { reason: "Came back", fields: [{ field: "is_active", before: false, after: true }] },
      {
        reason: "Moved to another city",
        fields: [
          { field: "monitoring", before: "ward", after: "off" },
          { field: "is_active", before: true, after: false },
        ],
      },
    ]);
    expect((await sendRequest(`${API}/observations`, { as: world.nurse, json })).status).toBe(200);
  });

  it("is made by staff alone", async () => {
    const json = { is_active: false, reason: "Mine" };
    await expectProblem(await change(world.patient.id, json, { as: world.self }), 403, "forbidden");
  });
});

describe("a possible duplicate", () => {
  const expectDuplicate = async (response: Response, patientIds: string[], matchedBy: string[]) => {
    const body = await readJson(response);
    expect(body).toMatchObject({ status: 409, code: "possible_duplicate", not_visible: 0 });
    expect(body.duplicates.map((found: { patient_id: string }) => found.patient_id)).toEqual(patientIds);
    for (const found of body.duplicates) expect(found.matched_by).toEqual(matchedBy);
    return body.duplicates;
  };
  const countOf = (id: string) => env.DB.prepare("SELECT count(*) AS n FROM patients WHERE created_by = ?").bind(id).first("n");

  it("by phone is said before it is saved, with the record found", async () => {
    const phone = newPhone();
    const first = await registerNew({ phone, date_of_birth: "1964" });
    const nurse = await newPerson("nurse", world.hospitalId);
    const again = await register({ first_name: "Ravi", phone: phone.slice(4) }, { as: nurse });
    const [found] = await expectDuplicate(again, [first.patient_id], ["phone"]);
    expect(found).toEqual({
      patient_id: first.patient_id,
      patient_number: first.patient_number,
      first_name: "Asha",
      last_name: first.last_name,
      date_of_birth: "1964",
      is_active: true,
      matched_by: ["phone"],
    });
    expect(await countOf(nurse.id)).toBe(0);
    expect(await readAuditEvents(again.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "patient.duplicates", action: "R", outcome: "success", subjects: [first.patient_id] },
    ]);
  });

  it.each([
    ["in another spelling", { first_name: "ASHA", last_name: "d souza" }, "1964-03-04"],
    ["with the names exchanged", { first_name: "D'Souza", last_name: "Asha" }, "1964-03-04"],
    ["of whom the year is known", { first_name: "Asha", last_name: "D'Souza" }, "1964"],
    ["of whom the month is known", { first_name: "Asha", last_name: "D'Souza" }, "1964-03"],
  ])("by name and birth date is found %s", async (_, names, date_of_birth) => {
    const own = await newWorld();
    const as = own.nurse;
    const full = { first_name: "Asha", last_name: "D'Souza", date_of_birth: "1964-03-04" };
    const first = (await readJson(await register(full, { as }))).data;
    await expectDuplicate(await register({ ...names, date_of_birth }, { as }), [first.patient_id], ["name_and_birth_date"]);
    for (const other of ["1964-04", "1965", "1964-03-05"])
      expect((await register({ ...full, date_of_birth: other }, { as })).status, other).toBe(201);
    expect((await register({ ...full, date_of_birth: null }, { as })).status).toBe(201);
  });

  it("by Aadhaar number is found, at this hospital alone", async () => {
    const [own, other] = [await newWorld(), await newWorld()];
    const json = { last_name: uniqueText(), aadhaar_number: "9999 9999 0019" };
    const first = (await readJson(await register(json, { as: own.nurse }))).data;
    expect((await register(json, { as: other.nurse })).status).toBe(201);
    await expectDuplicate(
      await register({ ...json, last_name: "Other" }, { as: own.nurse }),
      [first.patient_id],
      ["patient_uid"],
    );
  });

  it("follows a change of the record", async () => {
    const [old, phone] = [newPhone(), newPhone()];
    const { patient_id } = await registerNew({ phone: old });
    await change(patient_id, { phone });
    await expectDuplicate(await register({ first_name: "Ravi", phone }), [patient_id], ["phone"]);
    expect((await register({ first_name: "Ravi", phone: old })).status).toBe(201);
  });

  it("is saved with a reason, which the history keeps", async () => {
    const phone = newPhone();
    const first = await registerNew({ phone });
    const json = { first_name: "Ravi", phone, duplicate_reason: "Her son, same telephone" };
    const second = (await readJson(await register(json))).data;
    expect(second.patient_id).not.toBe(first.patient_id);
    expect(await changesOf(second.patient_id)).toMatchObject([{ reason: "Her son, same telephone", fields: [] }]);
    await expectProblem(await register({ ...json, duplicate_reason: "" }), 400, "invalid_request");
  });

  it("is never the retry of the same registration", async () => {
    const more = { headers: { "Idempotency-Key": uniqueText() }, env: withRandomDelays(env) };
    const json = { last_name: uniqueText(), date_of_birth: "1964-03-04", phone: newPhone() };
    const made = await Promise.all(Array.from({ length: 5 }, () => register(json, more).then(readJson)));
    const again = await readJson(await register(json, { headers: more.headers }));
    expect(new Set([...made, again].map(({ data }) => data.patient_id)).size).toBe(1);
  });

  it("is one of ten that are registered at once", async () => {
    const json = { last_name: uniqueText(), date_of_birth: "1964-03-04" };
    const slow = withRandomDelays(env);
    const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await register(json, { env: slow })).status));
    expect(statuses.sort()).toEqual([201, ...Array(9).fill(409)]);
  });

  it("shows a doctor only patients of their own, and how many others there are", async () => {
    const phone = newPhone();
    await registerNew({ phone });
    const response = await register({ first_name: "Ravi", phone }, { as: world.doctor });
    expect(await readJson(response)).toMatchObject({ code: "possible_duplicate", duplicates: [], not_visible: 1 });
    expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([{ subjects: [] }]);
  });

  it("lists at most twenty", async () => {
    const own = await newWorld();
    const phone = newPhone();
    for (let i = 0; i < 23; i++)
      expect((await register({ first_name: `Child ${i}`, phone, duplicate_reason: "Family" }, { as: own.nurse })).status).toBe(
        201,
      );
    const body = await readJson(await register({ phone }, { as: own.nurse }));
    expect(body.duplicates).toHaveLength(20);
  });

  it("is nobody's concern who registers alone", async () => {
    const phone = newPhone();
    const json = { password: "lanterns over seven hills", full_name: "Asha Verma", date_of_birth: "1964-03-04", phone };
    for (let i = 0; i < 2; i++) {
      const own = { ...json, email: `${uniqueText()}@example.org` };
      expect((await sendRequest(`${API}/auth/register/patient`, { json: own })).status).toBe(201);
    }
  });
});

describe("a claim", () => {
  const issue = async (id: string, as = world.nurse) =>
    (await readJson(await sendRequest(`${API}/patients/${id}/claim-codes`, { as, method: "POST" }))).data?.code ?? "";
  const claim = (json: object, as: Person, more: RequestOptions = {}) =>
    sendRequest(`${API}/patients/claim`, { as, json, ...more });
  const codesOf = async (id: string) =>
    (await readJson(await sendRequest(`${API}/patients/${id}/claim-codes`, { as: world.nurse }))).data;
  const BORN = { date_of_birth: "1964-03-04" };
  const WRONG = { date_of_birth: "1964-03-05" };

  it("needs the birth date or the phone number that the hospital has, and says which was asked", async () => {
    const phone = newPhone();
    for (const [proof, json] of [
      ["date_of_birth", BORN],
      ["phone", { phone: phone.slice(4) }],
    ] as const) {
      const { patient_id } = await registerNew({ ...BORN, phone, duplicate_reason: "One family" });
      const [code, person] = [await issue(patient_id), await newPerson("patient")];
      expect((await claim({ code, ...json }, person)).status).toBe(200);
      const links = await readJson(await sendRequest(`${API}/patients/${patient_id}/links`, { as: world.nurse }));
      expect(links.data).toMatchObject([{ user_id: person.id, full_name: expect.stringMatching(/^Name /), proof }]);
      expect(await codesOf(patient_id)).toMatchObject([
        { state: "used", used_by: person.id, proof, failed_attempts: 0, issued_by: { id: world.nurse.id } },
      ]);
    }
  });

  it("with none of them or both is malformed", async () => {
    const person = await newPerson("patient");
    for (const json of [{}, { ...BORN, phone: "+91 98765 43210" }, { date_of_birth: "1964" }, { phone: "no number" }])
      await expectProblem(await claim({ code: "MFRG-GZDF-MZTW", ...json }, person), 400, "invalid_request");
  });

  it("with a wrong one is denied as an unknown code is, and five end the code", async () => {
    const { id } = await newPatient(world.hospitalId, world.nurse);
    const [code, person] = [await issue(id), await newPerson("patient")];
    const bodyOf = async (response: Response) => {
      const { error_id, request_id, ...body } = await readJson(response);
      return { ...body, headers: [...response.headers.keys()].sort() };
    };
    const unknown = await bodyOf(await claim({ code: "MFRG-GZDF-MZTW", ...WRONG }, person));
    expect(unknown).toMatchObject({ status: 404, code: "not_found" });
    for (let i = 1; i <= 5; i++) {
      const response = await claim({ code, ...(i === 2 ? { phone: "+91 60000 00000" } : WRONG) }, person);
      expect(await bodyOf(response)).toEqual(unknown);
      const [row] = await readAuditEvents(response.headers.get("x-request-id") ?? "");
      expect(row).toMatchObject({ outcome: "denied", hospital_id: world.hospitalId, subjects: [id] });
      expect(await codesOf(id)).toMatchObject([{ state: i < 5 ? "open" : "blocked", failed_attempts: i }]);
    }
    expect(await bodyOf(await claim({ code, ...BORN }, person))).toEqual(unknown);
    expect((await claim({ code: await issue(id), ...BORN }, person)).status).toBe(200);
    expect(await codesOf(id)).toMatchObject([{ state: "used" }, { state: "blocked", failed_attempts: 5 }]);
  });

  it("of fifty wrong ones at once counts five, and the right one is then too late", async () => {
    const { id } = await newPatient(world.hospitalId, world.nurse);
    const code = await issue(id);
    const people = await Promise.all(Array.from({ length: 10 }, () => newPerson("patient")));
    const slow = withRandomDelays(env);
    const attempts = people.flatMap((person) =>
      Array.from({ length: 5 }, () => claim({ code, ...WRONG }, person, { env: slow })),
    );
    expect(new Set((await Promise.all(attempts)).map(({ status }) => status))).toEqual(new Set([404]));
    expect(await codesOf(id)).toMatchObject([{ state: "blocked", failed_attempts: 5 }]);
    await expectProblem(await claim({ code, ...BORN }, await newPerson("patient")), 404, "not_found");
  });

  it("with the right one after four wrong ones succeeds", async () => {
    const { id } = await newPatient(world.hospitalId, world.nurse);
    const [code, person] = [await issue(id), await newPerson("patient")];
    for (let i = 0; i < 4; i++) await claim({ code, ...WRONG }, person);
    expect((await claim({ code, ...BORN }, person)).status).toBe(200);
  });

  it("cannot be prepared for a record that knows neither; the year of birth alone is no proof", async () => {
    const { patient_id } = await registerNew({ date_of_birth: "1964" });
    const path = `${API}/patients/${patient_id}/claim-codes`;
    await expectProblem(await sendRequest(path, { as: world.nurse, method: "POST" }), 409, "claim_proof_missing");
    await change(patient_id, { phone: newPhone() });
    expect((await sendRequest(path, { as: world.nurse, method: "POST" })).status).toBe(201);
  });

  it("ends when the birth date or the phone number is changed, and with nothing else", async () => {
    const { patient_id } = await registerNew({ ...BORN, phone: newPhone() });
    const code = await issue(patient_id);
    await change(patient_id, { address: "4 Hill Street" });
    expect(await codesOf(patient_id)).toMatchObject([{ state: "open" }]);
    await change(patient_id, { date_of_birth: "1964-03-05" });
    expect(await codesOf(patient_id)).toMatchObject([{ state: "ended" }]);
    for (const json of [BORN, WRONG])
      await expectProblem(await claim({ code, ...json }, await newPerson("patient")), 404, "not_found");
  });

  it("leaves no birth date or phone number in the table", async () => {
    const phone = newPhone();
    const { patient_id } = await registerNew({ ...BORN, phone });
    await issue(patient_id);
    const { results } = await env.DB.prepare("SELECT * FROM patient_claim_codes WHERE patient_id = ?").bind(patient_id).all();
    expect(results).toHaveLength(1);
    expect(JSON.stringify(results)).not.toMatch(new RegExp(`1964-03-04|${phone.slice(-9)}`));
  });
});
