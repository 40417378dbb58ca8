// Both sides of a guardianship: what the person and the guardian are told, what each lists, and how each ends it.
import { beforeAll, describe, expect, it } from "vitest";
import { expireGuardianships } from "../../src/consents/end-guardian.ts";
import { newConsent, newScope } from "../consent-rows.ts";
import { newGuardianBody, newGuardianCode, newGuardianship } from "../guardian-rows.ts";
import { listNotices } from "../letters.ts";
import { makeOfficer } from "../privacy-rows.ts";
import { API, env, findEvents, link, newPatient, newPerson, newWorld, type Person, readJson, sendRequest } from "../world.ts";

let a: Awaited<ReturnType<typeof newWorld>>;
let b: Awaited<ReturnType<typeof newWorld>>;
beforeAll(async () => {
  [a, b] = [await newWorld(), await newWorld("hospital")];
});

const post = (path: string, as: Person, json: object = {}) => sendRequest(`${API}${path}`, { as, method: "POST", json });
const get = async (path: string, as: Person) => readJson(await sendRequest(`${API}${path}`, { as }));
const dataOf = async (response: Response) => (await readJson(response)).data;
const codeOf = async (response: Response) => [response.status, (await readJson(response)).code];

/** A person with a login and records at both hospitals, and somebody who becomes the guardian. */
async function newScene() {
  const [person, guardian] = [await newPerson("patient"), await newPerson("patient")];
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  for (const patient of [atA, atB]) await link(person, patient);
  return { person, guardian, atA, atB };
}
const record = async (patientId: string, guardian: Person, change: object = {}) =>
  (
    await dataOf(
      await post(`/patients/${patientId}/guardians`, b.nurse, newGuardianBody(await newGuardianCode(guardian), change)),
    )
  ).guardianship_id;
const end = (id: string, as: Person, json: object = {}) => post(`/guardianships/${id}/end`, as, json);
/** Sets the birth date of a record through the front door. */
async function setBirthDate(patientId: string, date: string | null) {
  const { version } = (await get(`/patients/${patientId}`, b.nurse)).data;
  const headers = { "If-Match": `"${version}"` };
  const json = { date_of_birth: date };
  expect((await sendRequest(`${API}/patients/${patientId}`, { as: b.nurse, method: "PATCH", json, headers })).status).toBe(200);
}

describe("what is told", () => {
  it("names the guardian to the person when one is recorded, confirmed and ended, and tells the guardian", async () => {
    const { person, guardian, atB } = await newScene();
    const id = await record(atB.id, guardian);
    expect(await listNotices(person.id)).toEqual(["guardian.recorded"]);
    expect(await listNotices(guardian.id)).toEqual([]);
    expect((await post(`/guardianships/${id}/confirm`, b.manager)).status).toBe(200);
    expect((await post(`/guardianships/${id}/confirm`, b.manager)).status).toBe(409);
    expect(await listNotices(guardian.id)).toEqual(["guardianship.began"]);
    expect((await end(id, b.nurse, { reason: "The court has appointed somebody else." })).status).toBe(200);
    expect((await end(id, b.nurse, { reason: "The court has appointed somebody else." })).status).toBe(409);
    expect(await listNotices(person.id)).toEqual(["guardian.ended", "guardian.confirmed", "guardian.recorded"]);
    expect(await listNotices(guardian.id)).toEqual(["guardianship.ended", "guardianship.began"]);
    const name = (await get("/auth/me", guardian)).data.user?.full_name ?? (await get("/auth/me", guardian)).data.full_name;
    const { data } = await get("/notifications", person);
    expect(data.map((one: { guardian_name: string }) => one.guardian_name)).toEqual([name, name, name]);
    const [{ refs }] = data;
    expect(refs).toEqual({ guardianship_id: id, guardian_id: guardian.id });
    // Nothing that a mail or a text message could show.
    const { results } = await env.DB.prepare("SELECT refs FROM deliveries WHERE user_id = ?").bind(person.id).all();
    expect(JSON.stringify(results)).not.toContain(name);
  });

  it("says what a guardian has granted, denied, revoked and shared, and nothing of what they decide for themselves", async () => {
    const { person, guardian, atA, atB } = await newScene();
    for (const { id } of [atA, atB]) await newGuardianship(id, guardian.id, true);
    const [granted, denied] = [await newConsent(atB.id), await newConsent(atB.id)];
    expect((await post(`/consents/${granted}/grant`, guardian, { patient_ids: [atA.id] })).status).toBe(200);
    expect((await post(`/consents/${granted}/grant`, guardian, { patient_ids: [atA.id] })).status).toBe(409);
    expect((await post(`/consents/${denied}/deny`, guardian)).status).toBe(200);
    expect((await post(`/consents/${granted}/revoke`, guardian)).status).toBe(200);
    const share = { hospital_id: b.hospitalId, patient_ids: [atA.id], ...newScope() };
    expect((await post("/consents/share", guardian, share)).status).toBe(201);
    const { data } = await get("/notifications", person);
    const decided = data.filter(({ kind }: { kind: string }) => kind === "guardian.decided");
    expect(decided.map((one: { refs: { step: string } }) => one.refs.step)).toEqual(["share", "revoke", "deny", "grant"]);
    for (const { guardian_name, refs } of decided) {
      expect(guardian_name).toMatch(/./);
      expect(refs.guardian_id).toBe(guardian.id);
    }
    expect(await listNotices(guardian.id)).not.toContain("guardian.decided");
    // The person's own decision tells nobody of a guardian.
    const own = await newConsent(atB.id);
    expect((await post(`/consents/${own}/deny`, person)).status).toBe(200);
    expect((await listNotices(person.id)).filter((kind) => kind === "guardian.decided")).toHaveLength(4);
  });

  it("says that a guardianship has ended by its date, once", async () => {
    const { person, guardian, atB } = await newScene();
    const id = await newGuardianship(atB.id, guardian.id, true);
    await env.DB.prepare("UPDATE guardianships SET valid_until = CAST(? AS INTEGER) WHERE id = ?")
      .bind(Date.now() - 1, id)
      .run();
    await Promise.all([expireGuardianships(env, Date.now()), expireGuardianships(env, Date.now())]);
    await expireGuardianships(env, Date.now());
    expect(await listNotices(person.id)).toEqual(["guardian.ended"]);
    expect(await listNotices(guardian.id)).toEqual(["guardianship.ended"]);
    expect(await findEvents({ event: "guardian.expire", entity_id: id })).toHaveLength(1);
    expect((await get("/guardianships", person)).data[0]).toMatchObject({ state: "expired", ended_by: null });
    expect((await end(id, guardian)).status).toBe(409);
  });
});

describe("the list of a login", () => {
  it("has those over the person and those that they hold, by side and by page", async () => {
    const { person, guardian, atB } = await newScene();
    const child = await newPatient(b.hospitalId, b.nurse);
    const over = await newGuardianship(atB.id, guardian.id, true);
    const held = await newGuardianship(child.id, person.id, true);
    const idsOf = async (query: string, as = person) =>
      (await get(`/guardianships${query}`, as)).data.map((one: { guardianship_id: string }) => one.guardianship_id);
    expect((await idsOf("")).sort()).toEqual([over, held].sort());
    expect(await idsOf("?caller=person")).toEqual([over]);
    expect(await idsOf("?caller=guardian")).toEqual([held]);
    const first = await get("/guardianships?limit=1", person);
    const next = await get(`/guardianships?limit=1&cursor=${first.meta.pagination.next_cursor}`, person);
    expect([first.data[0].guardianship_id, next.data[0].guardianship_id].sort()).toEqual([over, held].sort());
    const [mine] = (await get("/guardianships?caller=guardian", person)).data;
    expect(mine).toMatchObject({ caller: "guardian", reason: null, patient_name: `First-${child.canary} Last-${child.canary}` });
    const [theirs] = (await get("/guardianships?caller=person", person)).data;
    expect(theirs).toMatchObject({
      caller: "person",
      reason: null,
      patient_name: null,
      guardian_name: expect.stringMatching(/./),
    });
    // The name goes with the guardianship, and is not shown before it is confirmed.
    expect((await end(held, person)).status).toBe(200);
    expect((await get("/guardianships?caller=guardian", person)).data[0].patient_name).toBeNull();
    await newGuardianship(child.id, person.id);
    expect((await get("/guardianships?caller=guardian", person)).data[0]).toMatchObject({
      state: "recorded",
      patient_name: null,
    });
    expect(await idsOf("", await newPerson("patient"))).toEqual([]);
  });
});

describe("the end", () => {
  it("needs a reason from staff, which staff alone read, and none from the guardian", async () => {
    const { person, guardian, atB } = await newScene();
    const [first, second] = [await newGuardianship(atB.id, guardian.id, true), await newGuardianship(atB.id, guardian.id, true)];
    expect((await end(first, b.nurse)).status).toBe(400);
    const reason = "The court has appointed somebody else.";
    expect((await dataOf(await end(first, b.nurse, { reason }))).end_reason).toBe(reason);
    expect(
      (await get(`/patients/${atB.id}/guardians`, b.doctor)).data.map((one: { end_reason: string }) => one.end_reason),
    ).toContain(reason);
    for (const as of [person, guardian]) expect(JSON.stringify((await get("/guardianships", as)).data)).not.toContain(reason);
    const stored = await env.DB.prepare("SELECT end_reason_sealed FROM guardianships WHERE id = ?").bind(first).first();
    expect(JSON.stringify(stored)).not.toContain("court");
    expect((await end(second, guardian)).status).toBe(200);
  });

  it("is the person's once they are of age, where they were a minor", async () => {
    const { person, guardian, atB } = await newScene();
    const id = await newGuardianship(atB.id, guardian.id, true);
    const today = new Date().toISOString().slice(0, 10);
    const [year, rest] = [Number(today.slice(0, 4)), today.slice(4)];
    // One year too young, of an unknown age, and of age at the last day of the year at the earliest.
    for (const date of [`${year - 17}${rest}`, null, String(year - 18)]) {
      await setBirthDate(atB.id, date);
      expect(await codeOf(await end(id, person))).toEqual([409, "hospital_decides"]);
    }
    expect(await findEvents({ event: "guardian.end", entity_id: id, outcome: "failed" })).toHaveLength(3);
    expect((await end(id, await newPerson("patient"))).status).toBe(404);
    await setBirthDate(atB.id, `${year - 19}-12-31`);
    expect((await end(id, person)).status).toBe(200);
    const [event] = await findEvents({ event: "guardian.end", entity_id: id, outcome: "success" });
    expect(event).toMatchObject({ basis: "self", hospital_id: b.hospitalId });
    expect(await listNotices(guardian.id)).toContain("guardianship.ended");
    expect((await post(`/consents/${await newConsent(atB.id)}/deny`, guardian)).status).toBe(404);
  });

  it("is the hospital's where they cannot decide: the person asks its privacy officers", async () => {
    const { person, guardian, atB } = await newScene();
    const id = await newGuardianship(atB.id, guardian.id, true, "cannot_decide");
    expect(await codeOf(await end(id, person))).toEqual([409, "hospital_decides"]);
    const officer = await newPerson("nurse", b.hospitalId, "hospital");
    await makeOfficer(officer);
    const ask = (as: Person, text = "I can decide again.") => post("/privacy-questions", as, { guardianship_id: id, text });
    for (const as of [guardian, await newPerson("patient")]) expect((await ask(as)).status).toBe(404);
    const answers = await Promise.all([ask(person), ask(person)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 201]);
    const { question_id, ...question } = await dataOf(answers[0] as Response);
    expect(question).toMatchObject({ event_id: null, guardianship_id: id, text: "I can decide again.", status: "open" });
    expect(await listNotices(officer.id)).toEqual(["privacy.review_opened"]);
    const review = await get(`/privacy-reviews/${question_id}`, officer);
    expect(review.data).toMatchObject({
      kind: "guardianship",
      ref_id: id,
      subject_user_id: guardian.id,
      text: "I can decide again.",
    });
    const closing = { outcome: "justified", note: "The court order holds until May." };
    expect((await post(`/privacy-reviews/${question_id}/close`, officer, closing)).status).toBe(200);
    expect(await listNotices(person.id)).toEqual(["privacy.question_answered"]);
    expect((await get("/privacy-questions", person)).data[0]).toMatchObject({ guardianship_id: id, answer: closing.note });
    expect((await ask(person, "And now?")).status).toBe(200);
    expect(await findEvents({ event: "privacy_question.create", entity_id: id, outcome: "success" })).toHaveLength(1);
    // It stands until the hospital ends it; nothing is asked about one that has ended.
    const ended = await newGuardianship(atB.id, guardian.id, true, "cannot_decide");
    expect((await end(ended, guardian)).status).toBe(200);
    expect((await post("/privacy-questions", person, { guardianship_id: ended })).status).toBe(404);
    expect((await post("/privacy-questions", person, { guardianship_id: id, event_id: id })).status).toBe(400);
  });
});

describe("sharing with a hospital that has records of several people", () => {
  it("asks which one, and shares for the one that is named", async () => {
    const person = await newPerson("patient");
    const [atA, own, child] = [
      await newPatient(a.hospitalId, a.nurse),
      await newPatient(b.hospitalId, b.nurse),
      await newPatient(b.hospitalId, b.nurse),
    ];
    // Both are linked to the parent's login.
    for (const patient of [atA, own, child]) await link(person, patient);
    const share = (change: object = {}) =>
      post("/consents/share", person, { hospital_id: b.hospitalId, patient_ids: [atA.id], ...newScope(), ...change });
    const refused = await share();
    expect(refused.status).toBe(409);
    const { code, choices } = await readJson(refused);
    expect(code).toBe("recipient_ambiguous");
    expect(choices.map((one: { patient_id: string }) => one.patient_id).sort()).toEqual([own.id, child.id].sort());
    const shared = await share({ patient_id: child.id });
    expect([shared.status, (await dataOf(shared)).patient_id]).toEqual([201, child.id]);
    for (const patient_id of [atA.id, (await newPatient(b.hospitalId, b.nurse)).id])
      expect(await codeOf(await share({ patient_id }))).toEqual([409, "recipient_unavailable"]);
    // What staff knows to be of one person alone needs no choice.
    await env.DB.prepare("UPDATE patients SET patient_uid = ?1, uid_basis = 'staff' WHERE id IN (?1, ?2)")
      .bind(atA.id, own.id)
      .run();
    await env.DB.prepare("UPDATE patients SET patient_uid = ?1, uid_basis = 'staff' WHERE id = ?1").bind(child.id).run();
    expect((await dataOf(await share())).patient_id).toBe(own.id);
    expect(await codeOf(await share({ patient_id: child.id }))).toEqual([409, "conflict"]);
  });
});
