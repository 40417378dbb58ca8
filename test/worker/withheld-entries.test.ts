// A person's own log while a privacy officer delays the notice of emergency access: nothing in it tells what the delay holds back.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { readShown, type WithheldRow, withheldBy } from "../../src/audit/withheld.ts";
import type { LogPosition } from "../../src/audit-log/contract.ts";
import type { LogPage } from "../../src/audit-log/read-logs.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { delayBody, type EmergencyScene, newEmergencyScene, openInEmergency, setReach, startAccess } from "../emergency-scene.ts";
import { eventually } from "../eventually.ts";
import { API, type AuditRow, env, findEvents, newPerson, type Person, readJson, sendRequest } from "../world.ts";
import { leave, openLiveView, startMonitoring } from "./live-client.ts";

type Shown = { id: string; event: string; actor: { id: string } };
const get = (path: string, as: Person) => sendRequest(`${API}${path}`, { as });
const list = async (as: Person, query = "limit=100"): Promise<Shown[]> =>
  (await readJson(await get(`/audit-events?${query}`, as))).data;
const exported = async (as: Person, format: string) => (await get(`/audit-events/export?format=${format}`, as)).text();
const proofStatus = async ({ id }: { id: string }, as: Person) => (await get(`/audit-events/${id}/proof`, as)).status;
const ask = async ({ id }: { id: string }, as: Person) =>
  (await sendRequest(`${API}/privacy-questions`, { as, json: { event_id: id, text: "Who was this?" } })).status;
const delay = (method: "PUT" | "DELETE", as: Person, patientId: string) =>
  sendRequest(`${API}/patients/${patientId}/notice-delay`, { as, method, ...(method === "PUT" && { json: delayBody() }) });

const patch = (path: string, as: Person) =>
  sendRequest(`${API}${path}`, { as, method: "PATCH", json: { last_name: "Rao" }, headers: { "If-Match": '"1"' } });

/**
 * Reads of the record by the reader, and of the access and its review by the officer, with attempts that fail: of the reader before,
 * during and after the access, and of others to begin one.
 */
async function useAccess({ a, atA, officerA }: EmergencyScene, reader: Person, outsider: Person): Promise<string> {
  expect((await get(`/patients/${atA.id}`, reader)).status).toBe(404);
  expect((await startAccess(a.manager, atA.id)).status).toBe(403);
  expect((await startAccess(outsider, atA.id)).status).toBe(404);
  const accessId = await openInEmergency(reader, atA.id);
  expect((await startAccess(reader, atA.id)).status).toBe(409);
  for (const path of ["", "/observations/latest", "/summary"])
    expect((await get(`/patients/${atA.id}${path}`, reader)).status).toBe(200);
  expect((await patch(`/patients/${atA.id}`, reader)).status).toBe(404);
  await leave(await openLiveView(reader, `?patient_id=${atA.id}`));
  expect((await get(`/emergency-access/${accessId}`, officerA)).status).toBe(200);
  expect((await get("/emergency-access", officerA)).status).toBe(200);
  const { data } = await readJson(await get("/privacy-reviews", officerA));
  expect((await get(`/privacy-reviews/${data[0].review_id}`, officerA)).status).toBe(200);
  expect((await sendRequest(`${API}/emergency-access/${accessId}/end`, { as: reader, method: "POST" })).status).toBe(200);
  for (const path of ["", "/observations/latest"]) expect((await get(`/patients/${atA.id}${path}`, reader)).status).toBe(404);
  return accessId;
}

const NAMES = [
  "access.denied",
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
  let outsider: Person;
  let stranger: Person;
  let hidden: AuditRow[];
  beforeAll(async () => {
    scene = await newEmergencyScene();
    const { a, b, atA, officerA } = scene;
    if (!isOwn) for (const { hospitalId } of [a, b]) await setReach(hospitalId, "any_hospital");
    await startMonitoring(atA.id);
    reader = isOwn ? a.doctor : b.doctor;
    expect((await get(`/patients/${atA.id}`, a.nurse)).status).toBe(200);
    expect((await delay("PUT", officerA, atA.id)).status).toBe(200);
    [outsider, stranger] = [(await newEmergencyScene()).a.doctor, await newPerson("doctor", a.hospitalId)];
    await useAccess(scene, reader, outsider);
    hidden = await eventually(async () => {
      const actors = [reader, officerA, a.manager, outsider];
      const all = (await Promise.all(actors.map(({ id }) => findEvents({ actor_id: id })))).flat();
      const found = all.filter(({ event, subjects }) => subjects.length > 0 && !event.startsWith("notice_delay"));
      expect(found.filter(({ event }) => event === "access.denied")).toHaveLength(6);
      expect([...new Set(found.map(({ event }) => event))].sort()).toEqual(expect.arrayContaining(NAMES.toSorted()));
      return found;
    });
    expect((await get(`/patients/${atA.id}/summary`, a.nurse)).status).toBe(200);
    expect((await get(`/patients/${atA.id}`, stranger)).status).toBe(404);
  });

  it("is in no list, file, proof or question of the person, and nothing that follows from it", async () => {
    const { person } = scene;
    const shown = await list(person);
    const texts = [JSON.stringify(shown), await exported(person, "csv"), await exported(person, "ndjson")];
    for (const text of texts) {
      expect(text).toContain(scene.a.nurse.id);
      // A denial of somebody else tells nothing of the access.
      expect(text).toContain(stranger.id);
      const actors = [reader, scene.officerA, scene.a.manager, outsider];
      for (const { id } of [...actors, ...hidden]) expect(text).not.toContain(id);
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

  it("has no end of its pages that shows its place: every full page has a next one", async () => {
    const { person } = scene;
    const all = await list(person);
    const { data, meta } = await readJson(await get(`/audit-events?limit=${all.length}`, person));
    expect(data).toHaveLength(all.length);
    const next = `/audit-events?limit=1&cursor=${encodeURIComponent(meta.pagination.next_cursor)}`;
    expect(await readJson(await get(next, person))).toMatchObject({ data: [], meta: { pagination: { next_cursor: null } } });
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

describe("a delay that runs", () => {
  const attempt = async ({ a, atA }: EmergencyScene) => expect((await startAccess(a.manager, atA.id)).status).toBe(403);
  const denials = ({ person }: EmergencyScene) => list(person, "event=access.denied");

  it("withholds what it did before when it is extended, and shows it when it ends", async () => {
    const scene = await newEmergencyScene();
    const { atA, officerA } = scene;
    const first = (await readJson(await delay("PUT", officerA, atA.id))).data;
    await attempt(scene);
    const second = (await readJson(await delay("PUT", officerA, atA.id))).data;
    expect([second.set_at, second.until > first.until]).toEqual([first.set_at, true]);
    expect((await readJson(await get(`/patients/${atA.id}/notice-delay`, officerA))).data.set_at).toBe(first.set_at);
    expect(await denials(scene)).toEqual([]);
    expect((await delay("DELETE", officerA, atA.id)).status).toBe(200);
    expect(await denials(scene)).toHaveLength(1);
  });

  it("begins anew after one whose time is over", async () => {
    const scene = await newEmergencyScene();
    const { atA, officerA } = scene;
    const first = (await readJson(await delay("PUT", officerA, atA.id))).data;
    await attempt(scene);
    await getDb(env.DB).run(sql`UPDATE notice_delays SET until = CAST(${Date.now()} AS INTEGER) WHERE patient_id = ${atA.id}`);
    expect(await denials(scene)).toHaveLength(1);
    expect((await readJson(await delay("PUT", officerA, atA.id))).data.set_at > first.set_at).toBe(true);
    await attempt(scene);
    expect(await denials(scene)).toHaveLength(1);
  });

  it("withholds an access that was deleted with the record at the reader's hospital, and none that was told before", async () => {
    const scene = await newEmergencyScene();
    const { a, b, atA, atB, officerA, person } = scene;
    for (const { hospitalId } of [a, b]) await setReach(hospitalId, "any_hospital");
    const told = await openInEmergency(b.doctor, atA.id);
    expect((await delay("PUT", officerA, atA.id)).status).toBe(200);
    const secret = await openInEmergency(b.doctor, atA.id, "Seizure now, earlier findings are needed");
    expect((await get(`/patients/${atA.id}`, b.doctor)).status).toBe(200);
    const shown = await list(person, `actor_id=${b.doctor.id}`);
    // What the erasure of the record does.
    for (const table of [sql`privacy_reviews WHERE patient_id`, sql`emergency_accesses WHERE own_patient_id`])
      await getDb(env.DB).run(sql`DELETE FROM ${table} = ${atB.id}`);
    expect((await get(`/patients/${atA.id}`, b.doctor)).status).toBe(404);
    expect((await get("/privacy-reviews", officerA)).status).toBe(200);
    const after = await list(person);
    expect(after.filter(({ actor }) => actor.id === b.doctor.id)).toEqual(shown);
    const text = JSON.stringify(after);
    expect([told, secret].map((id) => text.includes(id))).toEqual([true, false]);
    expect((await delay("DELETE", officerA, atA.id)).status).toBe(200);
    expect(JSON.stringify(await list(person))).toContain(secret);
  });
});

describe("a page whose reads are used up", () => {
  const isHidden = ({ event }: { event: string }) => event === "hidden";
  const T = Date.UTC(2026, 10, 1);

  /** Entries from "2h 1s", newest first: their times, and whether they are hidden or shown. */
  const parseEntries = (text: string) =>
    text.split(" ").map((entry, i) => ({
      id: `0193b5a0-0000-7000-8000-00000000000${9 - i}`,
      recorded: T + Number(entry[0]),
      event: entry[1] === "h" ? "hidden" : "shown",
    }));

  async function newSource(entries: ReturnType<typeof parseEntries>) {
    const logId = crypto.randomUUID();
    const of = { outcome: "success", reason: null, actor_hospital_id: null, basis: null, purpose: "TREAT" } as const;
    const actor = { kind: "system", id: null, role: null } as const;
    const none = { entity: null, request_id: "r", ip: null, detail: null, subjects: [] };
    const events = entries.map((entry) => ({ ...entry, ...of, ...none, action: "R" as const, actor, hospital_id: logId }));
    await env.AUDIT_LOG.getByName(logId).append(events);
    return { env, keys: await getKeys(env), logs: [{ logId, filter: { patientIds: null } }] };
  }

  /** All entries in pages of two with one read each, and the entries whose positions the pages end at. */
  async function readPages(entries: ReturnType<typeof parseEntries>) {
    const source = await newSource(entries);
    const [found, ends]: [string[], string[]] = [[], []];
    let before: LogPosition | null = null;
    for (let pages = 0; (pages === 0 || before) && pages < 10; pages++) {
      const page: LogPage = await readShown(source, before, 2, isHidden, 1);
      found.push(...page.entries.map(({ id }) => id));
      before = page.next;
      if (before) ends.push(before.id);
    }
    return { found, ends };
  }

  it.each(["3h 2h 1s", "3s 2h 2s 1h 1s 0s", "2s 1s 1h 1s 0s", "3s 2s 2h 1h", "3h 2h 1h 0h"])(
    "ends at no withheld entry, and loses and repeats none: %s",
    async (text) => {
      const entries = parseEntries(text);
      const { found, ends } = await readPages(entries);
      expect(found).toEqual(entries.filter((entry) => !isHidden(entry)).map(({ id }) => id));
      for (const { id } of entries.filter(isHidden)) expect(ends).not.toContain(id);
    },
  );

  it("goes on where one millisecond has more withheld entries than it reads", async () => {
    const entries = parseEntries("2s 1h 1h 1h 1h 1s 0s");
    const { found } = await readPages(entries);
    expect(found).toEqual(entries.filter((entry) => !isHidden(entry)).map(({ id }) => id));
  });
});

describe("the ids that are withheld", () => {
  const entry = (basis: string | null, detail: Record<string, unknown> | null, recorded = 10) => ({
    event: "patient.read",
    actor: { kind: "user", id: "reader", role: "doctor" } as const,
    entity: null,
    recorded,
    basis,
    detail,
  });
  const row = (access: string | null, since: number, reader = "other"): WithheldRow => ({
    access,
    reviews: access && `["${access}-review"]`,
    reader: access && reader,
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

  it("have readers, whose denials are withheld from then on, and those of attempts", () => {
    const denied = (action: string, recorded = 10) => ({ ...entry(null, { action }, recorded), event: "access.denied" });
    const isWithheld = withheldBy([row("a", 9, "reader"), row(null, 10)]);
    expect([8, 9].map((recorded) => isWithheld(denied("patient:read", recorded)))).toEqual([false, true]);
    expect([[row("a", 9)], [row(null, 9)]].map((rows) => withheldBy(rows)(denied("patient:read")))).toEqual([false, false]);
    expect([8, 9].map((recorded) => withheldBy([row(null, 9)])(denied("emergency_access:create", recorded)))).toEqual([
      false,
      true,
    ]);
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
