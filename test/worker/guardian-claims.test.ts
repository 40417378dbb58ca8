// A guardian who has claimed the record too: neither its person, nor a reader of what the person asks about them.
import { beforeAll, describe, expect, it } from "vitest";
import { newConsent, newScope } from "../consent-rows.ts";
import { newGuardianBody, newGuardianCode, newGuardianship } from "../guardian-rows.ts";
import { listNotices } from "../letters.ts";
import { makeOfficer } from "../privacy-rows.ts";
import { API, env, findEvents, link, newPatient, newPerson, newWorld, type Person, readJson, sendRequest } from "../world.ts";

let hospital: Awaited<ReturnType<typeof newWorld>>;
let officer: Person;
beforeAll(async () => {
  hospital = await newWorld("hospital");
  officer = await newPerson("nurse", hospital.hospitalId, "hospital");
  await makeOfficer(officer);
});

const post = (path: string, as: Person, json: object = {}) => sendRequest(`${API}${path}`, { as, method: "POST", json });
const get = async (path: string, as: Person) => (await readJson(await sendRequest(`${API}${path}`, { as }))).data;
const dataOf = async (response: Response) => (await readJson(response)).data;

/** A person and their guardian, to both of whose logins the record is linked. */
async function newScene() {
  const [person, guardian] = [await newPerson("patient"), await newPerson("patient")];
  const patient = await newPatient(hospital.hospitalId, hospital.nurse);
  for (const login of [person, guardian]) await link(login, patient);
  const id = await newGuardianship(patient.id, guardian.id, true, "cannot_decide");
  return { person, guardian, patient, id };
}
type Scene = Awaited<ReturnType<typeof newScene>>;
const logOf = (as: Person) =>
  get("/audit-events?limit=100", as) as Promise<{ id: string; event: string; entity: { id: string } | null }[]>;

describe("what the person asks about a guardian", () => {
  /** The question is open, closed and listed; then the guardian looks for it. */
  async function expectHidden({ person, guardian }: Scene, about: object) {
    const asked = await post("/privacy-questions", person, { ...about, text: "They act against my will." });
    expect(asked.status).toBe(201);
    const { question_id: id } = await dataOf(asked);
    expect((await get(`/privacy-reviews/${id}`, officer)).text).toBe("They act against my will.");
    await get("/privacy-reviews", officer);
    expect((await post(`/privacy-reviews/${id}/close`, officer, { outcome: "justified", note: "It was right." })).status).toBe(
      200,
    );
    expect(await get("/privacy-questions", person)).toHaveLength(1);
    const hidden = await readJson(await sendRequest(`${API}/privacy-questions?offset=0`, { as: guardian }));
    expect([hidden.data, hidden.meta.pagination.total]).toEqual([[], 0]);
    const again = await post("/privacy-questions", guardian, about);
    expect(again.status).toBe(404);
    expect(await again.text()).not.toContain("against my will");
    const events = (await logOf(guardian)).map(({ event }) => event);
    expect(events.filter((event) => event === "privacy_question.create" || event.startsWith("privacy_review."))).toEqual([]);
    expect((await post("/privacy-questions", person, about)).status).toBe(200);
  }

  it("about the guardianship is not theirs to read, nor in their access log", async () => {
    const scene = await newScene();
    await expectHidden(scene, { guardianship_id: scene.id });
    expect(await findEvents({ event: "privacy_question.create", entity_id: scene.id, outcome: "success" })).toHaveLength(1);
  });

  it("about what they have done is not theirs to read, nor to ask before the person does", async () => {
    const scene = await newScene();
    const consent = await newConsent(scene.patient.id);
    expect((await post(`/consents/${consent}/deny`, scene.guardian)).status).toBe(200);
    const [denied] = (await logOf(scene.guardian)).filter(
      ({ event, entity }) => event === "consent.deny" && entity?.id === consent,
    );
    expect((await post("/privacy-questions", scene.guardian, { event_id: denied?.id })).status).toBe(404);
    await expectHidden(scene, { event_id: denied?.id });
  });
});

describe("a guardian who has claimed the record", () => {
  it("decides as guardian, and the end says that their login is still linked", async () => {
    const { person, guardian, patient, id } = await newScene();
    const first = await newConsent(patient.id);
    expect((await post(`/consents/${first}/deny`, guardian)).status).toBe(200);
    const elsewhere = await newWorld();
    const shared = await newPatient(elsewhere.hospitalId, elsewhere.nurse);
    await link(guardian, shared);
    await newGuardianship(shared.id, guardian.id, true);
    const share = { hospital_id: hospital.hospitalId, patient_ids: [shared.id], patient_id: patient.id, ...newScope() };
    const sent = await post("/consents/share", guardian, share);
    expect(sent.status).toBe(201);
    const events = [
      ...(await findEvents({ event: "consent.deny", entity_id: first })),
      ...(await findEvents({ event: "consent.share", entity_id: (await dataOf(sent)).consent_id })),
    ];
    expect(events.map(({ basis }) => basis)).toEqual(["guardian", "guardian", "guardian"]);
    expect(JSON.parse(events[0]?.detail ?? "{}").guardianship_id).toBe(id);
    expect((await listNotices(person.id)).filter((kind) => kind === "guardian.decided")).toHaveLength(2);

    const ended = await post(`/guardianships/${id}/end`, hospital.nurse, { reason: "The court has appointed somebody else." });
    expect(await dataOf(ended)).toMatchObject({ state: "ended", is_guardian_linked: true });
    expect((await get("/guardianships?caller=person", person))[0].is_guardian_linked).toBe(true);
    const unlinked = await sendRequest(`${API}/patients/${patient.id}/links/${guardian.id}`, {
      as: hospital.nurse,
      method: "DELETE",
    });
    expect(unlinked.status).toBe(200);
    expect((await get(`/patients/${patient.id}/guardians`, hospital.nurse))[0].is_guardian_linked).toBe(false);
    expect((await post(`/consents/${await newConsent(patient.id)}/deny`, guardian)).status).toBe(404);
  });
});

describe("the review of a guardianship", () => {
  const reason = "The court has appointed somebody else.";
  const closing = { outcome: "justified", note: "It was right." };

  it("is not closed by those who recorded or confirmed it, who are left out where somebody else is found", async () => {
    const world = await newWorld("hospital");
    const [recorder, confirmer, other] = [
      await newPerson("nurse", world.hospitalId, "hospital"),
      await newPerson("nurse", world.hospitalId, "hospital"),
      await newPerson("nurse", world.hospitalId, "hospital"),
    ];
    const newOne = async () => {
      const [person, guardian] = [await newPerson("patient"), await newPerson("patient")];
      const patient = await newPatient(world.hospitalId, world.nurse);
      await link(person, patient);
      const body = newGuardianBody(await newGuardianCode(guardian));
      const { guardianship_id } = await dataOf(await post(`/patients/${patient.id}/guardians`, recorder, body));
      expect((await post(`/guardianships/${guardianship_id}/confirm`, confirmer)).status).toBe(200);
      return { person, id: String(guardianship_id) };
    };
    const ask = async ({ person, id }: { person: Person; id: string }) =>
      String((await dataOf(await post("/privacy-questions", person, { guardianship_id: id }))).question_id);
    const told = async () =>
      Promise.all(
        [recorder, confirmer, other, world.manager].map(
          async ({ id }) => (await listNotices(id)).filter((kind) => kind === "privacy.review_opened").length,
        ),
      );
    for (const one of [recorder, confirmer]) await makeOfficer(one);
    // The administrators are somebody else.
    await ask(await newOne());
    expect(await told()).toEqual([0, 0, 0, 1]);
    await makeOfficer(other);
    const review = await ask(await newOne());
    expect(await told()).toEqual([0, 0, 1, 1]);
    for (const one of [recorder, confirmer]) {
      expect((await post(`/privacy-reviews/${review}/close`, one, closing)).status).toBe(403);
      expect((await get(`/privacy-reviews/${review}`, one)).status).toBe("open");
    }
    expect((await post(`/privacy-reviews/${review}/close`, other, closing)).status).toBe(200);
    // Nobody else is there: better they than nobody.
    for (const one of [other, world.manager, world.admin])
      await env.DB.prepare("UPDATE memberships SET suspended_at = 1 WHERE user_id = ? AND hospital_id = ?")
        .bind(one.id, world.hospitalId)
        .run();
    await ask(await newOne());
    expect(await told()).toEqual([1, 1, 1, 1]);
  });

  it("of a restricted record leads to its end: staff end it, and confirm none", async () => {
    const { patient, id } = await newScene();
    const recorded = await newGuardianship(patient.id, (await newPerson("patient")).id);
    await env.DB.prepare("UPDATE patients SET restricted_at = 1 WHERE id = ?").bind(patient.id).run();
    expect((await post(`/guardianships/${recorded}/confirm`, hospital.manager)).status).toBe(404);
    expect((await dataOf(await post(`/guardianships/${id}/end`, hospital.nurse, { reason }))).state).toBe("ended");
    const elsewhere = await newWorld("hospital");
    expect((await post(`/guardianships/${recorded}/end`, elsewhere.nurse, { reason })).status).toBe(404);
    expect((await post(`/guardianships/${recorded}/end`, hospital.manager, { reason })).status).toBe(200);
  });
});

describe("a guardian who is confirmed", () => {
  it("is told of the requests that wait, once, and not of those that are answered", async () => {
    const [guardian, claimed] = [await newPerson("patient"), await newPerson("patient")];
    const patient = await newPatient(hospital.hospitalId, hospital.nurse);
    const [waiting, other] = [await newConsent(patient.id), await newConsent(patient.id)];
    await newConsent(patient.id, "denied");
    const ids = [await newGuardianship(patient.id, guardian.id), await newGuardianship(patient.id, claimed.id)];
    await link(claimed, patient);
    for (const id of ids) expect((await post(`/guardianships/${id}/confirm`, hospital.manager)).status).toBe(200);
    expect((await post(`/guardianships/${ids[0]}/confirm`, hospital.manager)).status).toBe(409);
    const notices = (await get("/notifications", guardian)) as { kind: string; refs: { consent_id?: string } }[];
    const told = notices.filter(({ kind }) => kind === "consent.requested").map(({ refs }) => refs.consent_id);
    expect(told.sort()).toEqual([waiting, other].sort());
    expect(await listNotices(claimed.id)).not.toContain("consent.requested");
  });
});

describe("the list of a login on both sides", () => {
  it("is logged as read by the guardian or by the person, for each record", async () => {
    const { person, patient } = await newScene();
    const child = await newPatient(hospital.hospitalId, hospital.nurse);
    await newGuardianship(child.id, person.id, true);
    expect(await get("/guardianships", person)).toHaveLength(2);
    const events = await findEvents({ event: "guardianship.list", actor_id: person.id });
    const read = events.map(({ basis, subjects }) => [basis, subjects]);
    expect(read.sort()).toEqual([
      ["guardian", [child.id]],
      ["self", [patient.id]],
    ]);
  });
});
