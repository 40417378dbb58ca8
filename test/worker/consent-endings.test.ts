// What the clock does to consents: expiry, erasure, the notices of both; and what the check says in each state.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { expireConsents, MAX_PER_RUN } from "../../src/consents/expire-consents.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { addToCareTeam } from "../authz.world.ts";
import { listNotices } from "../letters.ts";
import { API, env, findEvents, link, newPatient, newPerson, newWorld, type Person, readJson, sendRequest } from "../world.ts";

const DAY_MS = 86_400_000;
const iso = (at: number) => new Date(at).toISOString();
const db = () => getDb(env.DB);

async function newScene() {
  const [a, b] = [await newWorld(), await newWorld()];
  const person = await newPerson("patient");
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  for (const patient of [atA, atB]) await link(person, patient);
  return { a, b, person, atA, atB };
}
let scene: Awaited<ReturnType<typeof newScene>>;
beforeAll(async () => {
  scene = await newScene();
});

const post = (path: string, as: Person, json: object = {}) => sendRequest(`${API}${path}`, { as, method: "POST", json });
const get = async (path: string, as: Person) => (await readJson(await sendRequest(`${API}${path}`, { as }))).data;
const request = async (change: object = {}) => {
  const body = {
    patient_id: scene.atB.id,
    purpose: "CAREMGT",
    kinds: ["report:ecg"],
    data_from: "2026-01-01T00:00:00Z",
    data_until: "2026-06-30T23:59:59.999Z",
    expires_at: iso(Date.now() + 60 * DAY_MS),
    reason: "Chest pain",
    ...change,
  };
  return String((await readJson(await post("/consents", scene.b.nurse, body))).data.consent_id);
};
const grant = async (id: string) => {
  expect((await post(`/consents/${id}/grant`, scene.person, { patient_ids: [scene.atA.id] })).status).toBe(200);
  return id;
};
const versionsOf = async (id: string) =>
  (
    await db().all<{ status: string }>(
      sql`SELECT artefact->>'status' AS status FROM consent_versions WHERE consent_id = ${id} ORDER BY version`,
    )
  ).map(({ status }) => status);
const recordsOf = async (id: string) => (await db().all(sql`SELECT 1 FROM consent_records WHERE consent_id = ${id}`)).length;
const rowOf = async (id: string) =>
  (
    await db().all<{ status: string; version: number; reason: string | null; erased: number | null }>(
      sql`SELECT status, version, reason_sealed AS reason, erased_at AS erased FROM consents WHERE id = ${id}`,
    )
  )[0];
/** Runs at a time of each step, until nothing is due. */
async function runAt(now: number) {
  for (let i = 0; i < 20; i++) {
    const { expired, erased } = await expireConsents(env, now);
    if (expired + erased === 0) return;
  }
}
const noticesOf = async (person: Person) =>
  (await listNotices(person.id)).filter((kind: string) => kind === "consent.ended").length;

describe("by the clock", () => {
  it("a grant expires at its time, once, with version, events and notices", async () => {
    const { a, b, person } = scene;
    const id = await grant(await request({ expires_at: iso(Date.now() + DAY_MS), erase_at: iso(Date.now() + 3 * DAY_MS) }));
    const [row] = await db().all<{ end: number }>(sql`SELECT expires_at AS end FROM consents WHERE id = ${id}`);
    const end = Number(row?.end);
    await runAt(end - 1);
    expect((await rowOf(id))?.status).toBe("granted");
    const before = [await noticesOf(person), await noticesOf(b.nurse)];
    await Promise.all([runAt(end), runAt(end)]);
    await runAt(end + 1);
    expect(await rowOf(id)).toMatchObject({ status: "expired", version: 3, erased: null });
    expect(await versionsOf(id)).toEqual(["requested", "granted", "expired"]);
    const events = await findEvents({ event: "consent.expire", entity_id: id });
    expect(events.map(({ hospital_id }) => hospital_id).sort()).toEqual([a.hospitalId, b.hospitalId].sort());
    expect(events[0]).toMatchObject({ actor_kind: "system" });
    expect([await noticesOf(person), await noticesOf(b.nurse)]).toEqual(before.map((n) => n + 1));
    expect(await recordsOf(id)).toBe(1);
  });

  it("a request expires unanswered, at the latest when its consent would", async () => {
    const id = await request({ expires_at: iso(Date.now() + DAY_MS), erase_at: iso(Date.now() + 9 * DAY_MS) });
    await runAt(Date.now() + DAY_MS + 60_000);
    expect(await versionsOf(id)).toEqual(["requested", "expired"]);
    expect((await post(`/consents/${id}/grant`, scene.person, { patient_ids: [scene.atA.id] })).status).toBe(409);
  });

  it("the reason and the shared records are erased at the erase-at, and the versions stay", async () => {
    const { b, person } = scene;
    const eraseAt = Date.now() + 3 * DAY_MS;
    const times = { expires_at: iso(Date.now() + DAY_MS), erase_at: iso(eraseAt) };
    const [granted, revoked, kept] = [
      await grant(await request(times)),
      await grant(await request(times)),
      await grant(await request()),
    ];
    expect((await post(`/consents/${revoked}/revoke`, person)).status).toBe(200);
    await runAt(eraseAt - 1);
    expect([await recordsOf(granted), await recordsOf(revoked)]).toEqual([1, 1]);
    await runAt(eraseAt);
    await runAt(eraseAt + 1);
    for (const [id, status] of [
      [granted, "expired"],
      [revoked, "revoked"],
    ] as const) {
      expect(await rowOf(id)).toMatchObject({ status, version: 4, reason: null, erased: eraseAt });
      expect(await recordsOf(id)).toBe(0);
      expect(await versionsOf(id)).toHaveLength(4);
      expect(await get(`/consents/${id}`, b.nurse)).toMatchObject({
        status,
        reason: null,
        shared: [],
        erased_at: iso(eraseAt),
      });
    }
    expect(await recordsOf(kept)).toBe(1);
    expect(await findEvents({ event: "consent.erase", entity_id: granted })).toHaveLength(2);
  });

  it("a run takes a bounded number, and the next ones the rest", async () => {
    const first = await request();
    const ids = Array.from({ length: MAX_PER_RUN + 5 }, () => crypto.randomUUID());
    for (const id of ids)
      await db().run(sql`INSERT INTO consents (id, hospital_id, patient_id, status, purpose, kinds, data_from, data_until,
          answer_until, expires_at, erase_at, created_at, updated_at)
        SELECT ${id}, hospital_id, patient_id, status, purpose, kinds, data_from, data_until, 5, expires_at, erase_at, created_at, updated_at
        FROM consents WHERE id = ${first}`);
    const runs = [await expireConsents(env, 10), await expireConsents(env, 10), await expireConsents(env, 10)];
    expect(runs.map(({ expired }) => expired)).toEqual([MAX_PER_RUN, 5, 0]);
    expect((await rowOf(first))?.status).toBe("requested");
    await db().run(sql`UPDATE consents SET answer_until = 1 WHERE id = ${first}`);
  });
});

describe("the check", () => {
  const check = (as: Person, query: string) => get(`/consents/check?${query}`, as);
  const IN = "2026-03-01T00:00:00Z";

  it("names the consent that allows, or the reason against it", async () => {
    const own = await newScene();
    scene = own;
    const { b, person, atA, atB } = own;
    const query = `patient_id=${atB.id}&kind=report:ecg&at=${IN}`;
    expect(await check(b.nurse, query)).toMatchObject({ allowed: false, reason: "none", grants: [] });
    const id = await request();
    expect(await check(b.nurse, query)).toMatchObject({ allowed: false, reason: "requested" });
    await grant(id);
    for (const of of [atA.id, atB.id])
      expect(await check(b.nurse, `patient_id=${of}&kind=report:ecg&at=${IN}`)).toMatchObject({
        allowed: true,
        reason: null,
        grants: [{ consent_id: id, hospital_id: b.hospitalId, purpose: "CAREMGT", data_from: "2026-01-01T00:00:00.000Z" }],
      });
    expect(await check(b.nurse, `patient_id=${atA.id}&kind=documents`)).toMatchObject({ allowed: false, reason: "kind" });
    expect(await check(b.nurse, `patient_id=${atA.id}&at=2025-12-31T23:59:59.999Z`)).toMatchObject({ reason: "date" });
    expect(await check(b.doctor, `patient_id=${atA.id}`)).toMatchObject({ allowed: false, reason: "not_in_care", grants: [] });
    await addToCareTeam(atB.id, b.doctor.id);
    expect(await check(b.doctor, `patient_id=${atA.id}`)).toMatchObject({ allowed: true });
    expect(await check(person, "")).toMatchObject({ allowed: true, grants: [{ hospital_id: b.hospitalId }] });
    expect(await check(person, `patient_id=${atA.id}&kind=documents`)).toMatchObject({ allowed: false, reason: "kind" });
    expect((await post(`/consents/${id}/revoke`, person)).status).toBe(200);
    expect(await check(b.nurse, query)).toMatchObject({ allowed: false, reason: "revoked" });
    const denied = await request();
    expect((await post(`/consents/${denied}/deny`, person)).status).toBe(200);
    await db().run(sql`UPDATE consents SET status = 'denied' WHERE id = ${id}`);
    expect(await check(b.nurse, query)).toMatchObject({ allowed: false, reason: "denied" });
    await db().run(sql`UPDATE consents SET status = 'granted', expires_at = 1 WHERE id = ${id}`);
    expect(await check(b.nurse, query)).toMatchObject({ allowed: false, reason: "expired" });
  });

  it("says the same of a record that is shared with others and of one that does not exist", async () => {
    const { a, b, person, atA } = scene;
    await grant(await request());
    const other = await newWorld();
    const answerOf = async (as: Person, patientId: string) => {
      const { checked_at, ...rest } = await check(as, `patient_id=${patientId}`);
      return rest;
    };
    const nothing = await answerOf(other.nurse, crypto.randomUUID());
    expect(nothing).toEqual({ allowed: false, reason: "none", grants: [] });
    for (const as of [other.nurse, a.nurse, await newPerson("patient")]) expect(await answerOf(as, atA.id)).toEqual(nothing);
    expect((await sendRequest(`${API}/consents/check`, { as: b.nurse })).status).toBe(400);
    expect(await findEvents({ event: "consent.check", actor_id: person.id })).not.toHaveLength(0);
  });
});
