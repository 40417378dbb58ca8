// Privacy officers, the questions of patients about their access log, and the reviews that answer them.
import { beforeAll, describe, expect, it } from "vitest";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { SELF_CARE_HOSPITAL_ID } from "../../src/platform/db/schema.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import { openReview } from "../../src/privacy/reviews/open-review.ts";
import {
  API,
  createCall,
  env,
  findEvents,
  link,
  newPatient,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";

const officersOf = (hospitalId: string, userId = "") =>
  `${API}/hospitals/${hospitalId}/privacy-officers${userId && `/${userId}`}`;
const setOfficer = (as: Person, hospitalId: string, userId: string, method = "PUT") =>
  sendRequest(officersOf(hospitalId, userId), { as, method });
const ask = (as: Person, eventId: string, text = "Why was this read?") =>
  sendRequest(`${API}/privacy-questions`, { as, json: { event_id: eventId, text } });
const questionsOf = async (as: Person) => (await readJson(await sendRequest(`${API}/privacy-questions`, { as }))).data;
const reviewsOf = async (as: Person, query = "") =>
  (await readJson(await sendRequest(`${API}/privacy-reviews${query}`, { as }))).data;
const read = (as: Person, id: string) => sendRequest(`${API}/privacy-reviews/${id}`, { as });
const close = (as: Person, id: string, json: object = { outcome: "explained", note: "It was for your visit." }) =>
  sendRequest(`${API}/privacy-reviews/${id}/close`, { as, json });
const run = (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  env.DB.prepare(query)
    .bind(...values)
    .run();
const noticesOf = async ({ id }: Person) => {
  const query = env.DB.prepare("SELECT kind, refs FROM notifications WHERE user_id = ? AND kind LIKE 'privacy.%' ORDER BY id");
  return (await query.bind(id).all<{ kind: string; refs: string }>()).results;
};

/** The event of a read of the patient by `by`, as the patient's own log names it. */
async function readAndFind(world: World, by: Person, patientId = world.patient.id): Promise<string> {
  const sent = await sendRequest(`${API}/patients/${patientId}`, { as: by });
  const requestId = sent.headers.get("x-request-id") ?? "";
  const { data } = await readJson(await sendRequest(`${API}/audit-events?event=patient.read`, { as: world.self }));
  return data.find((event: { request_id: string }) => event.request_id === requestId)?.id;
}

let world: World;
let officer: Person;
beforeAll(async () => {
  world = await newWorld();
  officer = await newPerson("nurse", world.hospitalId);
  expect((await setOfficer(world.manager, world.hospitalId, officer.id)).status).toBe(200);
});

describe("privacy officers", () => {
  it("are set and unset by a hospital's administrators, and listed for its staff", async () => {
    const other = await newWorld();
    const { hospitalId, manager, nurse, doctor, admin } = other;
    expect((await setOfficer(manager, hospitalId, nurse.id)).status).toBe(200);
    expect((await setOfficer(admin, hospitalId, doctor.id)).status).toBe(200);
    const list = async () => (await readJson(await sendRequest(officersOf(hospitalId), { as: nurse }))).data.officers;
    expect((await list()).map(({ user_id }: { user_id: string }) => user_id)).toEqual([nurse.id, doctor.id].sort());
    expect((await list())[0]).toEqual({ user_id: expect.any(String), full_name: expect.any(String), role: expect.any(String) });
    expect((await setOfficer(manager, hospitalId, nurse.id, "DELETE")).status).toBe(200);
    expect((await setOfficer(manager, hospitalId, nurse.id, "DELETE")).status).toBe(404);
    expect((await list()).map(({ user_id }: { user_id: string }) => user_id)).toEqual([doctor.id]);
    const added = await findEvents({ event: "privacy_officer.add", hospital_id: hospitalId });
    expect(added.map(({ entity_id }) => entity_id).sort()).toEqual([nurse.id, doctor.id].sort());
    expect(await findEvents({ event: "privacy_officer.remove", hospital_id: hospitalId })).toHaveLength(1);
  });

  it("are not set by others, nor from outside of the hospital", async () => {
    const { nurse, hospitalId, manager } = world;
    const elsewhere = await newWorld();
    expect((await setOfficer(nurse, hospitalId, nurse.id)).status).toBe(403);
    expect((await setOfficer(elsewhere.manager, hospitalId, nurse.id)).status).toBe(404);
    expect((await setOfficer(manager, hospitalId, elsewhere.nurse.id)).status).toBe(404);
    expect((await sendRequest(officersOf(hospitalId), { as: elsewhere.nurse })).status).toBe(404);
    expect((await sendRequest(officersOf(hospitalId), { as: world.self })).status).toBe(403);
  });

  it("lose the task with the membership, and do not get it back with a new one", async () => {
    const { hospitalId, manager, admin } = world;
    const person = await newPerson("nurse", hospitalId);
    await setOfficer(manager, hospitalId, person.id);
    const at = `${API}/hospitals/${hospitalId}/members/${person.id}`;
    expect((await sendRequest(at, { as: manager, method: "DELETE" })).status).toBe(200);
    expect((await sendRequest(at, { as: admin, method: "PUT", json: { role: "nurse" } })).status).toBe(200);
    const { officers } = (await readJson(await sendRequest(officersOf(hospitalId), { as: manager }))).data;
    expect(officers.map(({ user_id }: { user_id: string }) => user_id)).not.toContain(person.id);
  });
});

describe("a patient's question", () => {
  it("reaches the privacy officers, is answered, and the patient reads the answer", async () => {
    const eventId = await readAndFind(world, world.nurse);
    const asked = await ask(world.self, eventId, "I was not there.");
    expect(asked.status).toBe(201);
    const { data: question } = await readJson(asked);
    expect(question).toMatchObject({ event_id: eventId, patient_id: world.patient.id, status: "open", answer: null });
    const notice = (await noticesOf(officer)).find(({ refs }) => refs.includes(question.question_id));
    expect(notice).toEqual({ kind: "privacy.review_opened", refs: JSON.stringify({ review_id: question.question_id }) });
    expect(await noticesOf(world.manager)).toEqual([]);

    const [first] = await reviewsOf(officer, "?status=open");
    expect(first).toMatchObject({ review_id: question.question_id, kind: "question", subject_user_id: world.nurse.id });
    const { data: review } = await readJson(await read(officer, question.question_id));
    expect(review).toMatchObject({
      text: "I was not there.",
      event: { event_id: eventId, event: "patient.read", basis: "staff" },
    });

    const closed = await close(officer, question.question_id);
    expect(closed.status).toBe(200);
    expect((await readJson(closed)).data).toMatchObject({ status: "closed", outcome: "explained", closed_by: officer.id });
    const answered = (await questionsOf(world.self)).find((one: { event_id: string }) => one.event_id === eventId);
    expect(answered).toMatchObject({ status: "closed", outcome: "explained", answer: "It was for your visit." });
    expect(await noticesOf(world.self)).toContainEqual({
      kind: "privacy.question_answered",
      refs: JSON.stringify({ event_id: eventId }),
    });
    const events = await findEvents({ entity_id: question.question_id });
    expect(events.map(({ event }) => event).sort()).toEqual(["privacy_review.close", "privacy_review.read"]);
  });

  it("is stored sealed", async () => {
    const eventId = await readAndFind(world, world.nurse);
    const { data } = await readJson(await ask(world.self, eventId, "banana nightshade"));
    await close(officer, data.question_id, { outcome: "justified", note: "papaya hemlock" });
    const row = await env.DB.prepare("SELECT * FROM privacy_reviews WHERE id = ?").bind(data.question_id).first();
    expect(row).toMatchObject({ status: "closed", outcome: "justified" });
    expect(JSON.stringify(row)).not.toMatch(/banana|papaya/);
  });

  it("about the same entry is asked once, also of two at once", async () => {
    const eventId = await readAndFind(world, world.nurse);
    const both = await Promise.all([ask(world.self, eventId, "first text"), ask(world.self, eventId, "other text")]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 201]);
    const [a, b] = await Promise.all(both.map(async (response) => (await readJson(response)).data));
    expect(a).toEqual(b);
    const again = await ask(world.self, eventId, "third text");
    expect(again.status).toBe(200);
    expect((await readJson(again)).data).toEqual(a);
    expect(await findEvents({ event: "privacy_question.create", entity_id: eventId })).toHaveLength(1);
    expect((await noticesOf(officer)).filter(({ refs }) => refs.includes(a.question_id))).toHaveLength(1);
  });

  it("is for entries of the own log only", async () => {
    const eventId = await readAndFind(world, world.nurse);
    const other = await newPerson("patient");
    await link(other, world.stranger);
    expect((await ask(other, eventId)).status).toBe(404);
    expect((await ask(world.self, uuidv7())).status).toBe(404);
    expect((await ask(world.manager, eventId)).status).toBe(403);
    expect(await questionsOf(other)).toEqual([]);
  });

  it("about data of no hospital has nobody to answer it", async () => {
    const patient = await newPatient(SELF_CARE_HOSPITAL_ID, world.nurse);
    const self = await newPerson("patient");
    await link(self, patient);
    const eventId = await readAndFind({ ...world, self }, world.admin, patient.id);
    const sent = await ask(self, eventId);
    expect([sent.status, (await readJson(sent)).code]).toEqual([409, "conflict"]);
  });

  it.each([2, 1001])("has 3 to 1,000 characters: %i are refused", async (length) => {
    const eventId = await readAndFind(world, world.nurse);
    expect((await ask(world.self, eventId, "x".repeat(length))).status).toBe(400);
  });

  it("needs no text", async () => {
    const eventId = await readAndFind(world, world.nurse);
    const sent = await sendRequest(`${API}/privacy-questions`, { as: world.self, json: { event_id: eventId } });
    expect([sent.status, (await readJson(sent)).data.text]).toEqual([201, null]);
  });

  it("goes to the administrators of a hospital without privacy officers", async () => {
    const alone = await newWorld();
    const { data } = await readJson(await ask(alone.self, await readAndFind(alone, alone.nurse)));
    expect((await noticesOf(alone.manager)).map(({ refs }) => refs)).toEqual([JSON.stringify({ review_id: data.question_id })]);
    expect(await noticesOf(alone.nurse)).toEqual([]);
  });
});

describe("a review", () => {
  const opened = async (by = world.nurse) => {
    const { data } = await readJson(await ask(world.self, await readAndFind(world, by)));
    return data.question_id as string;
  };

  it("is for privacy officers of its hospital only", async () => {
    const id = await opened();
    const elsewhere = await newWorld();
    await setOfficer(elsewhere.manager, elsewhere.hospitalId, elsewhere.nurse.id);
    for (const as of [world.nurse, world.manager, world.admin, world.self]) {
      expect((await read(as, id)).status).toBe(403);
      expect((await close(as, id)).status).toBe(403);
      expect((await sendRequest(`${API}/privacy-reviews`, { as })).status).toBe(403);
    }
    expect((await read(elsewhere.nurse, id)).status).toBe(404);
    expect((await close(elsewhere.nurse, id)).status).toBe(404);
    expect(await reviewsOf(elsewhere.nurse)).toEqual([]);
    await run("UPDATE memberships SET privacy_officer = 0 WHERE user_id = ?", elsewhere.nurse.id);
    expect((await read(elsewhere.nurse, id)).status).toBe(403);
  });

  it("is not closed by the person whom it is about, who is not notified either", async () => {
    const id = await opened(officer);
    expect((await close(officer, id)).status).toBe(403);
    expect((await noticesOf(officer)).filter(({ refs }) => refs.includes(id))).toEqual([]);
    const { hospitalId, manager, doctor } = world;
    await setOfficer(manager, hospitalId, doctor.id);
    expect((await close(doctor, id)).status).toBe(200);
    await setOfficer(manager, hospitalId, doctor.id, "DELETE");
  });

  it("is closed once", async () => {
    const id = await opened();
    expect((await close(officer, id)).status).toBe(200);
    const again = await close(officer, id, { outcome: "not_justified", note: "another note" });
    expect([again.status, (await readJson(again)).code]).toEqual([409, "conflict"]);
    expect((await readJson(await read(officer, id))).data).toMatchObject({ outcome: "explained" });
  });

  it("is closed by one of two at once, which an update without the state would not hold", async () => {
    const second = await newPerson("doctor", world.hospitalId);
    await setOfficer(world.manager, world.hospitalId, second.id);
    const id = await opened();
    const both = await Promise.all([
      close(officer, id, { outcome: "justified", note: "by the first" }),
      close(second, id, { outcome: "not_justified", note: "by the second" }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await findEvents({ event: "privacy_review.close", entity_id: id, outcome: "success" })).toHaveLength(1);
    // The twin: both change the row.
    const twin = () => run("UPDATE privacy_reviews SET closed_at = closed_at + 1 WHERE id = ?", id);
    expect((await Promise.all([twin(), twin()])).map(({ meta }) => meta.changes)).toEqual([1, 1]);
    await setOfficer(world.manager, world.hospitalId, second.id, "DELETE");
  });

  it("of emergency access is opened once per access, and flagged ones are listed first", async () => {
    const { hospitalId, patient, nurse, doctor } = world;
    const call = await createCall(doctor, { role: "doctor", hospitalId, doctorScope: "care_team" });
    const refId = uuidv7();
    const open = async (isFlagged: boolean, ref = refId) => {
      const review = { kind: "emergency", refId: ref, hospitalId, patientId: patient.id, subjectUserId: nurse.id } as const;
      const { id, statements } = await openReview(call, { ...review, text: "Found unconscious", event: null, isFlagged });
      await batch(getDb(env.DB), statements);
      return id;
    };
    const id = await open(true);
    await open(true);
    const later = await opened();
    const ids = (await reviewsOf(officer, "?status=open&limit=100")).map(({ review_id }: { review_id: string }) => review_id);
    expect(ids[0]).toBe(id);
    expect(ids).toContain(later);
    expect((await noticesOf(officer)).filter(({ refs }) => refs.includes(id))).toHaveLength(1);
    const count = env.DB.prepare("SELECT count(*) AS n FROM privacy_reviews WHERE ref_id = ?").bind(refId);
    expect(await count.first("n")).toBe(1);
    const { data } = await readJson(await read(officer, id));
    expect(data).toMatchObject({ kind: "emergency", is_flagged: true, text: "Found unconscious", event: null });
    const before = await noticesOf(world.self);
    expect((await close(officer, id, { outcome: "justified", note: "It was an emergency." })).status).toBe(200);
    // Nobody asked a question.
    expect(await noticesOf(world.self)).toEqual(before);
  });

  it.each([
    { outcome: "explained", note: "xx" },
    { outcome: "explained", note: "x".repeat(2001) },
    { outcome: "other", note: "a note" },
    { note: "a note" },
  ])("is not closed with %o", async (json) => {
    expect((await close(officer, await opened(), json)).status).toBe(400);
  });

  it("is listed page by page without a gap", async () => {
    const all = (await reviewsOf(officer, "?limit=100")).map(({ review_id }: { review_id: string }) => review_id);
    const walked: string[] = [];
    let cursor = "";
    do {
      const body = await readJson(await sendRequest(`${API}/privacy-reviews?limit=2${cursor}`, { as: officer }));
      walked.push(...body.data.map(({ review_id }: { review_id: string }) => review_id));
      cursor = body.meta.pagination.next_cursor ? `&cursor=${body.meta.pagination.next_cursor}` : "";
    } while (cursor !== "");
    expect(walked).toEqual(all);
    expect(all.length).toBeGreaterThan(4);
  });
});
