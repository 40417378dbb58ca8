// Intake by link, by patients and by staff: one submission per link, nothing of a record by it, and a review field by field.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { LINK_KEPT_MS, pruneIntake, SUBMISSION_KEPT_MS } from "../../src/patients/intake/jobs.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { DAY_MS } from "../../src/platform/time.ts";
import { withRandomDelays } from "../stores.ts";
import {
  API,
  env,
  link,
  newAddress,
  newPatient,
  newPerson,
  newWorld,
  type Patient,
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

const FORM = {
  fields: ["first_name", "last_name", "date_of_birth", "chief_complaint", "symptoms"],
  questions: [{ key: "smoker", label: "Do you smoke?" }],
};

const post = (path: string, json: object, options: RequestOptions = {}) => sendRequest(API + path, { json, ...options });
/** Each of another address, so that limits per address do not count. */
const publicly = (path: string, json: object, over?: Env) =>
  post(path, json, { headers: { "CF-Connecting-IP": newAddress() }, ...(over && { env: over }) });

async function newLink(by: Person, change: object = {}): Promise<{ intake_link_id: string; token: string; url: string }> {
  const response = await post("/intake-links", { ...FORM, ...change }, { as: by });
  expect(response.status, await response.clone().text()).toBe(201);
  return (await readJson(response)).data;
}

async function submit(token: string, answers: object = { first_name: "Mira", chief_complaint: "Cough" }): Promise<void> {
  const response = await publicly("/intake/submit", { token, answers });
  expect(response.status, await response.clone().text()).toBe(201);
}

async function newestSubmission(by: Person): Promise<{ submission_id: string; version: number; name: string | null }> {
  const response = await sendRequest(`${API}/intake-submissions?state=submitted&limit=1`, { as: by });
  return (await readJson(response)).data[0];
}

const take = (by: Person, id: string, json: object, version: number | string = 1) =>
  post(`/intake-submissions/${id}/take`, json, { as: by, headers: { "If-Match": version === "*" ? "*" : `"${version}"` } });

const codeOf = async (response: Response) => [response.status, (await readJson(response)).code];

describe("a link", () => {
  it("opens what the form asks for, and nothing of the record that it is for", async () => {
    const of = await newLink(world.nurse, { patient_id: world.patient.id });
    const none = await newLink(world.nurse);
    expect(new URL(of.url).hash).toBe(`#token=${of.token}`);
    const [first, second] = await Promise.all(
      [of, none].map(async ({ token }) => {
        const response = await publicly("/intake/open", { token });
        expect(response.status).toBe(200);
        return { text: await response.clone().text(), ...(await readJson(response)).data };
      }),
    );
    expect(first.text).not.toContain(world.patient.canary);
    expect(first.text).not.toContain(world.patient.id);
    expect({ ...first, text: "", expires_at: "" }).toEqual({ ...second, text: "", expires_at: "" });
    expect(first).toMatchObject(FORM);
  });

  it("takes one submission of fifty at once", async () => {
    const { token } = await newLink(world.nurse);
    const slow = withRandomDelays(env);
    const answers = Array.from({ length: 50 }, (_, i) => ({ first_name: `Racer ${i}` }));
    const statuses = await Promise.all(
      answers.map(async (answer) => (await publicly("/intake/submit", { token, answers: answer }, slow)).status),
    );
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(new Set(statuses)).toEqual(new Set([201, 410]));
    const rows = await getDb(env.DB).all(sql`SELECT 1 FROM intake_submissions s JOIN intake_links k ON k.id = s.link_id
      WHERE k.created_by = ${world.nurse.id} AND k.used_at IS NOT NULL`);
    expect(rows).toHaveLength(1);
  });

  it("ends with its use, its withdrawal, its time, its hospital and its record", async () => {
    const used = await newLink(world.nurse);
    await submit(used.token);
    const withdrawn = await newLink(world.nurse);
    const path = `${API}/intake-links/${withdrawn.intake_link_id}`;
    expect((await sendRequest(path, { as: world.nurse, method: "DELETE" })).status).toBe(200);
    expect(await codeOf(await sendRequest(path, { as: world.nurse, method: "DELETE" }))).toEqual([409, "conflict"]);
    const late = await newLink(world.nurse);
    await getDb(env.DB).run(sql`UPDATE intake_links SET expires_at = 1 WHERE id = ${late.intake_link_id}`);
    const locked = await newPatient(world.hospitalId, world.nurse);
    const ofLocked = await newLink(world.nurse, { patient_id: locked.id });
    await getDb(env.DB).run(sql`UPDATE patients SET restricted_at = 1 WHERE id = ${locked.id}`);
    for (const { token } of [used, withdrawn, late, ofLocked])
      for (const [route, json] of [
        ["/intake/open", { token }],
        ["/intake/submit", { token, answers: { first_name: "A" } }],
      ] as const)
        expect(await codeOf(await publicly(route, json))).toEqual([410, "link_expired"]);
    for (const token of ["ecn_x", `ecn_${crypto.randomUUID()}_abc`])
      expect(await codeOf(await publicly("/intake/open", { token }))).toEqual([404, "not_found"]);
  });

  it("accepts answers to what is asked alone", async () => {
    const { token } = await newLink(world.nurse);
    const unasked = await publicly("/intake/submit", {
      token,
      answers: { first_name: "A", phone: "+911234567890", answers: { other: "x" } },
    });
    const { errors } = await readJson(unasked.clone());
    expect(unasked.status).toBe(400);
    expect(errors.map(({ path }: { path: string }) => path).sort()).toEqual(["answers.other", "phone"]);
    expect((await publicly("/intake/submit", { token, answers: {} })).status).toBe(400);
    expect((await publicly("/intake/submit", { token, answers: { first_name: "" } })).status).toBe(400);
    // Refused answers do not use the link.
    await submit(token, { first_name: "Asked", answers: { smoker: "no" } });
  });

  it("is not made for a record that its author does not see, nor without questions or for longer than 30 days", async () => {
    const elsewhere = await newWorld();
    expect((await post("/intake-links", { ...FORM, patient_id: elsewhere.patient.id }, { as: world.nurse })).status).toBe(404);
    for (const change of [
      { fields: [], questions: [] },
      { fields: ["first_name", "first_name"] },
      { questions: [FORM.questions[0], FORM.questions[0]] },
      { expires_at: new Date(Date.now() + 31 * DAY_MS).toISOString() },
      { expires_at: new Date(Date.now() - 1).toISOString() },
    ])
      expect((await post("/intake-links", { ...FORM, ...change }, { as: world.nurse })).status).toBe(400);
  });

  it("is the same for a repeated request, and is listed without its token", async () => {
    const headers = { "Idempotency-Key": uniqueText() };
    const first = await readJson(await post("/intake-links", FORM, { as: world.nurse, headers }));
    const second = await readJson(await post("/intake-links", FORM, { as: world.nurse, headers }));
    expect(second.data).toEqual(first.data);
    const listed = await sendRequest(`${API}/intake-links?limit=100`, { as: world.nurse });
    const text = await listed.text();
    expect(text).toContain(first.data.intake_link_id);
    expect(text).not.toContain(first.data.token);
  });
});

describe("a submission", () => {
  it("becomes a new patient with the taken fields and no others", async () => {
    const { token } = await newLink(world.nurse);
    const name = `Mira ${uniqueText()}`;
    const answers = {
      first_name: name,
      last_name: "Rao",
      date_of_birth: "1990-05-06",
      chief_complaint: "Cough",
      symptoms: ["fever"],
      answers: { smoker: "no" },
    };
    await submit(token, answers);
    const { submission_id: id, name: shown } = await newestSubmission(world.nurse);
    expect(shown).toBe(`${name} Rao`);
    const detail = (await readJson(await sendRequest(`${API}/intake-submissions/${id}`, { as: world.nurse }))).data;
    expect(detail).toMatchObject({ answers, current: null, state: "submitted" });
    const response = await take(world.nurse, id, {
      create: true,
      take: ["first_name", "date_of_birth", "chief_complaint", "answers"],
    });
    expect(response.status, await response.clone().text()).toBe(200);
    const { patient_id, taken, intake_id } = (await readJson(response)).data;
    expect(taken).toEqual(["first_name", "date_of_birth", "chief_complaint", "answers"]);
    const patient = (await readJson(await sendRequest(`${API}/patients/${patient_id}`, { as: world.nurse }))).data;
    expect(patient).toMatchObject({ first_name: name, last_name: null, date_of_birth: "1990-05-06", symptoms: [] });
    const intakes = (await readJson(await sendRequest(`${API}/patients/${patient_id}/intake`, { as: world.nurse }))).data;
    expect(intakes).toEqual([
      expect.objectContaining({
        intake_id,
        chief_complaint: "Cough",
        symptoms: [],
        answers: { smoker: "no" },
        authored_by: world.nurse.id,
      }),
    ]);
  });

  it("changes the record that it is for, keeps what was before, and is taken once", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const { token } = await newLink(world.nurse, { patient_id: patient.id });
    await submit(token, { first_name: "Corrected", symptoms: ["cough", "fever"] });
    const { submission_id: id } = await newestSubmission(world.nurse);
    const slow = withRandomDelays(env);
    const body = { take: ["first_name", "symptoms"], reason: "As the patient wrote" };
    const statuses = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const headers = { "If-Match": '"1"' };
        return (await post(`/intake-submissions/${id}/take`, body, { as: world.nurse, headers, env: slow })).status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.every((status) => [200, 409, 412].includes(status))).toBe(true);
    const after = (await readJson(await sendRequest(`${API}/patients/${patient.id}`, { as: world.nurse }))).data;
    expect(after).toMatchObject({ first_name: "Corrected", symptoms: ["cough", "fever"], version: 2 });
    const changes = (await readJson(await sendRequest(`${API}/patients/${patient.id}/changes`, { as: world.nurse }))).data;
    expect(JSON.stringify(changes)).toContain("As the patient wrote");
    const intakes = (await readJson(await sendRequest(`${API}/patients/${patient.id}/intake`, { as: world.nurse }))).data;
    expect(intakes).toHaveLength(1);
  });

  it("is refused as a whole: fields without an answer, a second record, another hospital's, a stale version", async () => {
    const { token } = await newLink(world.nurse, { patient_id: world.patient.id });
    await submit(token, { chief_complaint: "Cough" });
    const { submission_id: id } = await newestSubmission(world.nurse);
    const elsewhere = await newWorld();
    expect((await take(world.nurse, id, { take: ["first_name"] })).status).toBe(400);
    expect((await take(world.nurse, id, { take: ["chief_complaint"], create: true })).status).toBe(400);
    expect((await take(world.nurse, id, { take: ["chief_complaint"], patient_id: elsewhere.patient.id })).status).toBe(400);
    expect((await take(world.nurse, id, { take: ["chief_complaint"] }, 7)).status).toBe(412);
    expect((await take(elsewhere.nurse, id, { take: ["chief_complaint"] })).status).toBe(404);
    const free = await newLink(world.nurse);
    await submit(free.token, { first_name: "Mira" });
    const other = await newestSubmission(world.nurse);
    expect(
      (await take(world.nurse, other.submission_id, { take: ["first_name"], patient_id: elsewhere.patient.id })).status,
    ).toBe(404);
    expect((await take(world.nurse, other.submission_id, { take: ["first_name"] })).status).toBe(400);
    const state = await getDb(env.DB).all<{ state: string }>(
      sql`SELECT state FROM intake_submissions WHERE id IN (${id}, ${other.submission_id})`,
    );
    expect(state.map((row) => row.state)).toEqual(["submitted", "submitted"]);
  });

  it("that may be of a known person says so, as a registration does", async () => {
    const answers = { first_name: `Twin ${uniqueText()}`, date_of_birth: "1991-02-03" };
    for (const expected of [200, 409]) {
      const { token } = await newLink(world.nurse);
      await submit(token, answers);
      const { submission_id: id } = await newestSubmission(world.nurse);
      const response = await take(world.nurse, id, { create: true, take: ["first_name", "date_of_birth"] });
      expect(response.status).toBe(expected);
      if (expected === 409) {
        expect((await readJson(response)).code).toBe("possible_duplicate");
        const again = { create: true, take: ["first_name", "date_of_birth"], duplicate_reason: "Twins" };
        expect((await take(world.nurse, id, again)).status).toBe(200);
      }
    }
  });

  it("by a patient waits for staff, who may reject it with a reason", async () => {
    const person = await newPerson("patient");
    await link(person, world.patient);
    const answers = { chief_complaint: "Palpitations" };
    const sent = await post("/intake-submissions", { answers }, { as: person });
    expect(sent.status, await sent.clone().text()).toBe(201);
    const { submission_id: id, patient_id } = (await readJson(sent)).data;
    expect(patient_id).toBe(world.patient.id);
    expect((await sendRequest(`${API}/intake-submissions/${id}`, { as: person })).status).toBe(403);
    const rejected = await post(
      `/intake-submissions/${id}/reject`,
      { reason: "Seen on the phone" },
      { as: world.nurse, headers: { "If-Match": '"1"' } },
    );
    expect((await readJson(rejected)).data).toMatchObject({
      state: "rejected",
      reason: "Seen on the phone",
      reviewed_by: world.nurse.id,
    });
    expect((await take(world.nurse, id, { take: ["chief_complaint"] }, 2)).status).toBe(409);
  });

  it("is seen by a doctor for the own patients, and leaves a trace", async () => {
    const hidden = await newPatient(world.hospitalId, world.nurse);
    const submitFor = async ({ id }: Patient) => {
      const response = await post(
        "/intake-submissions",
        { patient_id: id, answers: { chief_complaint: "x" } },
        { as: world.nurse },
      );
      return (await readJson(response)).data.submission_id as string;
    };
    const [seen, unseen] = [await submitFor(world.patient), await submitFor(hidden)];
    const read = await sendRequest(`${API}/intake-submissions/${seen}`, { as: world.doctor });
    expect(read.status).toBe(200);
    expect((await sendRequest(`${API}/intake-submissions/${unseen}`, { as: world.doctor })).status).toBe(404);
    const listed = await (await sendRequest(`${API}/intake-submissions?limit=100`, { as: world.doctor })).text();
    expect([listed.includes(seen), listed.includes(unseen)]).toEqual([true, false]);
    const events = await readAuditEvents(read.headers.get("X-Request-Id") ?? "");
    expect(events).toMatchObject([{ event: "intake.review", action: "R" }]);
  });

  it("and links are deleted when their time is over", async () => {
    const db = getDb(env.DB);
    const { intake_link_id: kept } = await newLink(world.nurse);
    const { intake_link_id: ended } = await newLink(world.nurse);
    const now = Date.now();
    await db.run(sql`UPDATE intake_links SET expires_at = ${now - LINK_KEPT_MS - 1} WHERE id = ${ended}`);
    const { submission_id: id } = await newestSubmission(world.nurse);
    await db.run(sql`UPDATE intake_submissions SET submitted_at = ${now - SUBMISSION_KEPT_MS - 1} WHERE id = ${id}`);
    for (const statement of pruneIntake(db, now)) await statement;
    const links = await db.all<{ id: string }>(sql`SELECT id FROM intake_links WHERE id IN (${kept}, ${ended})`);
    expect(links.map((row) => row.id)).toEqual([kept]);
    expect(await db.all(sql`SELECT 1 FROM intake_submissions WHERE id = ${id}`)).toEqual([]);
  });
});
