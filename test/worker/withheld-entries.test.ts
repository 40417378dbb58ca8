// A person's own log while a privacy officer delays the notice of emergency access: nothing in it tells what the delay holds back.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { type WithheldRow, withheldBy } from "../../src/audit/withheld.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { delayBody, type EmergencyScene, newEmergencyScene, openInEmergency, setReach, startAccess } from "../emergency-scene.ts";
import { eventually } from "../eventually.ts";
import { API, type AuditRow, env, findEvents, type Person, readJson, sendRequest } from "../world.ts";
import { leave, openLiveView, startMonitoring } from "./live-client.ts";

type Shown = { id: string; event: string };
const get = (path: string, as: Person) => sendRequest(`${API}${path}`, { as });
const list = async (as: Person, query = "limit=100"): Promise<Shown[]> =>
  (await readJson(await get(`/audit-events?${query}`, as))).data;
const exported = async (as: Person, format: string) => (await get(`/audit-events/export?format=${format}`, as)).text();
const proofStatus = async ({ id }: { id: string }, as: Person) => (await get(`/audit-events/${id}/proof`, as)).status;
const ask = async ({ id }: { id: string }, as: Person) =>
  (await sendRequest(`${API}/privacy-questions`, { as, json: { event_id: id, text: "Who was this?" } })).status;
const delay = (method: "PUT" | "DELETE", as: Person, patientId: string) =>
  sendRequest(`${API}/patients/${patientId}/notice-delay`, { as, method, ...(method === "PUT" && { json: delayBody() }) });

/** Reads of the record by the reader, and of the access and its review by the officer, with an attempt that fails. */
async function useAccess({ atA, officerA }: EmergencyScene, reader: Person): Promise<string> {
  const accessId = await openInEmergency(reader, atA.id);
  expect((await startAccess(reader, atA.id)).status).toBe(409);
  for (const path of ["", "/observations/latest", "/summary"])
    expect((await get(`/patients/${atA.id}${path}`, reader)).status).toBe(200);
  await leave(await openLiveView(reader, `?patient_id=${atA.id}`));
  expect((await get(`/emergency-access/${accessId}`, officerA)).status).toBe(200);
  expect((await get("/emergency-access", officerA)).status).toBe(200);
  const { data } = await readJson(await get("/privacy-reviews", officerA));
  expect((await get(`/privacy-reviews/${data[0].review_id}`, officerA)).status).toBe(200);
  expect((await sendRequest(`${API}/emergency-access/${accessId}/end`, { as: reader, method: "POST" })).status).toBe(200);
  return accessId;
}

const NAMES = [
  "emergency_access.start",
  "patient.read",
  "observation.read",
  "live.open",
  "live.view",
  "emergency_access.read",
  "emergency_access.list",
  "privacy_review.read",
  "privacy_review.list",
  "emergency_access.end",
];

describe.each([
  ["of the own hospital", true],
  ["of another hospital", false],
])("an access to a record %s whose notice is delayed", (_, isOwn) => {
  let scene: EmergencyScene;
  let reader: Person;
  let hidden: AuditRow[];
  beforeAll(async () => {
    scene = await newEmergencyScene();
    const { a, b, atA, officerA } = scene;
    if (!isOwn) for (const { hospitalId } of [a, b]) await setReach(hospitalId, "any_hospital");
    await startMonitoring(atA.id);
    reader = isOwn ? a.doctor : b.doctor;
    expect((await get(`/patients/${atA.id}`, a.nurse)).status).toBe(200);
    expect((await delay("PUT", officerA, atA.id)).status).toBe(200);
    await useAccess(scene, reader);
    hidden = await eventually(async () => {
      const byReader = await findEvents({ actor_id: reader.id });
      const byOfficer = await findEvents({ actor_id: officerA.id });
      const found = [...byReader, ...byOfficer].filter(
        ({ event, subjects }) => subjects.length > 0 && !event.startsWith("notice_delay"),
      );
      expect([...new Set(found.map(({ event }) => event))].sort()).toEqual(expect.arrayContaining(NAMES.toSorted()));
      return found;
    });
    expect((await get(`/patients/${atA.id}/summary`, a.nurse)).status).toBe(200);
  });

  it("is in no list, file, proof or question of the person, and nothing that follows from it", async () => {
    const { person } = scene;
    const shown = await list(person);
    const texts = [JSON.stringify(shown), await exported(person, "csv"), await exported(person, "ndjson")];
    for (const text of texts) {
      expect(text).toContain(scene.a.nurse.id);
      for (const id of [reader.id, scene.officerA.id, ...hidden.map((event) => event.id)]) expect(text).not.toContain(id);
    }
    for (const query of ["event=emergency_access.start", `actor_id=${reader.id}`]) expect(await list(person, query)).toEqual([]);
    for (const event of hidden)
      expect([event.event, await proofStatus(event, person), await ask(event, person)]).toEqual([event.event, 404, 404]);
    // Proofs of other entries, whose hashes are of salted leaves.
    for (const event of shown) expect([event.event, await proofStatus(event, person)]).toEqual([event.event, 200]);
  });

  it("leaves no gap in pages, and no position in a cursor", async () => {
    const { person } = scene;
    const all = await list(person);
    for (const limit of [1, 2, 3]) {
      const pages: Shown[][] = [];
      let cursor = "";
      do {
        const query = `limit=${limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
        const { data, meta } = await readJson(await get(`/audit-events?${query}`, person));
        pages.push(data);
        cursor = meta.pagination.next_cursor ?? "";
        const payload = Buffer.from(cursor.split(".")[0] ?? "", "base64url").toString();
        if (cursor) expect(payload).toContain(data.at(-1).id);
        for (const { id } of hidden) expect(payload).not.toContain(id);
      } while (cursor);
      expect(pages.flat().map(({ id }) => id)).toEqual(all.map(({ id }) => id));
      for (const page of pages.slice(0, -1)) expect(page).toHaveLength(limit);
    }
  });

  it("is in the log of the hospital for its administrator", async () => {
    const ids = (await list(scene.a.manager)).map(({ id }) => id);
    const [start] = hidden.filter(({ event, outcome }) => event === "emergency_access.start" && outcome === "success");
    expect(ids).toContain(start?.id);
  });

  it("is shown when the delay ends, in each way", async () => {
    const { person, officerA, atA } = scene;
    expect((await delay("DELETE", officerA, atA.id)).status).toBe(200);
    const shown = await list(person);
    const ids = shown.map(({ id }) => id);
    for (const event of hidden) {
      expect([event.event, ids.includes(event.id)]).toEqual([event.event, true]);
      expect([event.event, await proofStatus(event, person)]).toEqual([event.event, 200]);
    }
    const csv = await exported(person, "csv");
    for (const { id } of hidden) expect(csv).toContain(id);
    const [start] = hidden;
    expect(start && (await ask(start, person))).toBe(201);
  });
});

describe("an access whose notice was sent", () => {
  it("stays in the log when a delay is set afterwards, and one that begins then is withheld until its time is over", async () => {
    const { a, atA, officerA, person } = await newEmergencyScene();
    const started = () => list(person, "event=emergency_access.start");
    await openInEmergency(a.doctor, atA.id);
    expect((await delay("PUT", officerA, atA.id)).status).toBe(200);
    await openInEmergency(a.doctor, atA.id, "Seizure now, earlier findings are needed");
    expect(await started()).toHaveLength(1);
    expect((await get(`/patients/${atA.id}`, a.doctor)).status).toBe(200);
    await getDb(env.DB).run(sql`UPDATE notice_delays SET until = CAST(${Date.now()} AS INTEGER) WHERE patient_id = ${atA.id}`);
    expect(await started()).toHaveLength(2);
  });

  it("stays in the log where the reader has set the delay: their own access is told at once", async () => {
    const { a, atA, person, officerA } = await newEmergencyScene();
    await getDb(env.DB).run(sql`UPDATE memberships SET role = 'doctor' WHERE user_id = ${officerA.id}`);
    expect((await delay("PUT", officerA, atA.id)).status).toBe(200);
    await openInEmergency(officerA, atA.id);
    await openInEmergency(a.doctor, atA.id);
    const shown: { actor: { id: string } }[] = (await readJson(await get("/audit-events?event=emergency_access.start", person)))
      .data;
    expect(shown.map(({ actor }) => actor.id)).toEqual([officerA.id]);
  });
});

describe("the ids that are withheld", () => {
  const entry = (basis: string | null, detail: Record<string, unknown> | null, recorded = 10) => ({
    event: "patient.read",
    entity: null,
    recorded,
    basis,
    detail,
  });
  const row = (access: string | null, since: number): WithheldRow => ({
    access,
    reviews: access && `["${access}-review"]`,
    since,
  });

  it("are told apart from others, and attempts without an id by their time", () => {
    const isWithheld = withheldBy([row("a", 9), row(null, 10)]);
    expect(isWithheld(entry("emergency", { emergency_access_id: "a" }, 1))).toBe(true);
    expect(isWithheld(entry("emergency", { emergency_access_id: "b" }))).toBe(false);
    expect(isWithheld(entry(null, { emergency_access_ids: ["b", "a"] }))).toBe(true);
    expect(isWithheld(entry(null, { review_ids: ["a-review"] }))).toBe(true);
    expect([8, 9].map((recorded) => isWithheld(entry("emergency", null, recorded)))).toEqual([false, true]);
    expect(isWithheld(entry("staff", null))).toBe(false);
    expect(withheldBy([])(entry("emergency", null))).toBe(false);
  });

  it("beyond a thousand count as all of emergency access", () => {
    const rows = Array.from({ length: 1_001 }, (_, i) => row(`a${i}`, 9));
    const other = entry("emergency", { emergency_access_id: "b" }, 1);
    expect([withheldBy(rows.slice(1))(other), withheldBy(rows)(other), withheldBy(rows)(entry("staff", null))]).toEqual([
      false,
      true,
      false,
    ]);
  });
});
