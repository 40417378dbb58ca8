// Wards: unique names per hospital, counts limited to visible patients, and deletion in a race with a transfer.
import { describe, expect, it } from "vitest";
import { loadFacts } from "../../src/monitoring/patient-object/context/facts.ts";
import { getVerifiedKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { interceptStores, withRandomDelays } from "../stores.ts";
import {
  API,
  env,
  findEvents,
  newPatient,
  newWard,
  newWorld,
  type Patient,
  type Person,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
} from "../world.ts";

const create = (as: Person, json: unknown, headers: Record<string, string> = {}) =>
  sendRequest(`${API}/wards`, { as, json, headers });
const get = (as: Person, id: string) => sendRequest(`${API}/wards/${id}`, { as });
const change = (as: Person, id: string, json: unknown, version = 1, of = env) =>
  sendRequest(`${API}/wards/${id}`, { as, method: "PATCH", json, headers: { "If-Match": `"${version}"` }, env: of });
const remove = (as: Person, id: string, version = 1, of = env) =>
  sendRequest(`${API}/wards/${id}`, { as, method: "DELETE", headers: { "If-Match": `"${version}"` }, env: of });
const move = (patient: { id: string }, wardId: string | null, db = env.DB) =>
  db.prepare("UPDATE patients SET ward_id = ? WHERE id = ?").bind(wardId, patient.id).run();
const list = async (as: Person, query = "") => readJson(await sendRequest(`${API}/wards?limit=100${query}`, { as }));
const trace = async (response: Response) =>
  (await readAuditEvents(response.headers.get("x-request-id") ?? "")).map(({ event, outcome, reason }) => [
    event,
    outcome,
    reason,
  ]);

describe("wards", () => {
  it("are made, read, renamed, closed and deleted by those who manage the hospital", async () => {
    const { manager, nurse, doctor, self, hospitalId } = await newWorld();
    const name = `प्रसूती ${uniqueText()}`;
    const made = await create(manager, { name: ` ${name} ` });
    expect([made.status, made.headers.get("etag"), await trace(made)]).toEqual([
      201,
      expect.stringMatching(/^"1-/),
      [["ward.create", "success", null]],
    ]);
    const { data } = await readJson(made);
    expect(data).toMatchObject({ hospital_id: hospitalId, name, is_active: true, patient_count: 0, version: 1 });
    for (const as of [manager, nurse, doctor]) {
      const seen = await get(as, data.ward_id);
      expect([seen.headers.get("etag"), (await readJson(seen)).data, await trace(seen)]).toEqual([
        expect.stringMatching(/^"1-/),
        data,
        [["ward.read", "success", null]],
      ]);
    }
    for (const as of [nurse, doctor, self]) {
      const tries = [create(as, { name: "Mine" }), change(as, data.ward_id, { name: "Mine" }), remove(as, data.ward_id)];
      expect((await Promise.all(tries)).map((answer) => answer.status)).toEqual([403, 403, 403]);
    }
    expect([(await get(self, data.ward_id)).status, (await sendRequest(`${API}/wards`, { as: self })).status]).toEqual([
      403, 403,
    ]);
    const closed = await change(manager, data.ward_id, { is_active: false, name: "Closed" });
    expect((await readJson(closed)).data).toMatchObject({ name: "Closed", is_active: false, version: 2 });
    expect((await change(manager, data.ward_id, { name: "Late" })).status).toBe(412);
    expect((await sendRequest(`${API}/wards/${data.ward_id}`, { as: manager, method: "DELETE" })).status).toBe(428);
    const stale = await remove(manager, data.ward_id, 1);
    expect([stale.status, await trace(stale)]).toEqual([412, [["ward.delete", "failed", "precondition_failed"]]]);
    const gone = await remove(manager, data.ward_id, 2);
    expect([gone.status, await trace(gone)]).toEqual([200, [["ward.delete", "success", null]]]);
    expect([(await get(manager, data.ward_id)).status, (await remove(manager, data.ward_id, 2)).status]).toEqual([404, 404]);
  });

  it("have a name of their own in the hospital, however it is spelt in Unicode", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const first = await newWard(world.manager, "Caf\u00e9");
    const second = await newWard(world.manager, "Second");
    for (const name of ["Caf\u00e9", "Cafe\u0301", " Café "]) {
      const taken = await create(world.manager, { name });
      expect([taken.status, (await readJson(taken)).code]).toEqual([409, "already_exists"]);
      expect((await change(world.manager, second, { name })).status).toBe(409);
    }
    expect((await create(other.manager, { name: "Café" })).status).toBe(201);
    expect((await change(world.manager, first, { name: "Café" })).status).toBe(200);
    for (const json of [
      {},
      { name: "" },
      { name: "a\u0000" },
      { name: "x".repeat(121) },
      { name: "x", active: 1 },
      { name: 1 },
    ]) {
      expect((await create(world.manager, json)).status, JSON.stringify(json)).toBe(400);
    }
  });

  it("of one name made by twenty at once are one, and by one key too", async () => {
    const { manager, hospitalId } = await newWorld();
    const of = withRandomDelays(env);
    const send = (name: string, headers = {}) => sendRequest(`${API}/wards`, { as: manager, json: { name }, headers, env: of });
    const named = await Promise.all(Array.from({ length: 20 }, () => send("One")));
    expect(named.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    const keyed = await Promise.all(Array.from({ length: 20 }, () => send("Two", { "Idempotency-Key": "ward-race" })));
    expect(keyed.map(({ status }) => status)).toEqual(Array(20).fill(201));
    const rows = env.DB.prepare("SELECT count(*) AS n FROM wards WHERE hospital_id = ?").bind(hospitalId);
    const traces = await findEvents({ event: "ward.create", hospital_id: hospitalId });
    expect([await rows.first("n"), traces.length]).toEqual([2, 2]);
  });

  it("count the patients on them, for doctors of a care team only their own", async () => {
    const world = await newWorld();
    const [full, empty] = [await newWard(world.manager), await newWard(world.manager)];
    for (const patient of [world.patient, world.stranger]) await move(patient, full);
    const counts = async (as: Person) => {
      const { data, meta } = await list(as);
      const shown = Object.fromEntries(data.map((w: { ward_id: string; patient_count: number }) => [w.ward_id, w.patient_count]));
      return [shown[full], shown[empty], (await readJson(await get(as, full))).data.patient_count, meta.pagination.total];
    };
    for (const as of [world.nurse, world.manager]) expect(await counts(as)).toEqual([2, 0, 2, 2]);
    expect(await counts(world.doctor)).toEqual([1, 0, 1, 2]);
    const plan = await env.DB.prepare(
      "EXPLAIN QUERY PLAN SELECT count(*) FROM (SELECT 1 FROM patients WHERE ward_id = 'w' AND +hospital_id = 'h' LIMIT 1000)",
    ).all<{ detail: string }>();
    expect(plan.results.map(({ detail }) => detail).join()).toContain("patients_ward");
  });

  it("are listed by hospital, page by page", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const mine: string[] = [];
    for (let i = 0; i < 5; i++) mine.push(await newWard(world.manager));
    await newWard(other.manager);
    await change(world.manager, mine[4] ?? "", { is_active: false });
    const ids = (body: { data: { ward_id: string }[] }) => body.data.map((ward) => ward.ward_id);
    expect(ids(await list(world.nurse))).toEqual(mine);
    expect(ids(await list(world.nurse, "&active=true"))).toEqual(mine.slice(0, 4));
    expect(ids(await list(world.nurse, "&active=false"))).toEqual(mine.slice(4));
    expect(ids(await list(world.admin, `&hospital_id=${world.hospitalId}`))).toEqual(mine);
    expect(ids(await list(world.nurse, `&hospital_id=${other.hospitalId}`))).toEqual([]);
    const walked: string[] = [];
    let cursor = "";
    for (let pages = 0; pages < 5 && walked.length < 5; pages++) {
      const body = await readJson(await sendRequest(`${API}/wards?limit=2${cursor}`, { as: world.nurse }));
      walked.push(...ids(body));
      cursor = `&cursor=${body.meta.pagination.next_cursor}`;
      expect(body.meta.pagination).toMatchObject({ total: 5, has_more: walked.length < 5 });
    }
    expect(walked).toEqual(mine);
    for (const query of ["ward_id=x", "active=1", "hospital_id=1", "name=x"]) {
      expect((await sendRequest(`${API}/wards?${query}`, { as: world.nurse })).status, query).toBe(400);
    }
  });

  it("of another hospital do not exist", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const theirs = await newWard(other.manager);
    const tries = [
      () => get(world.nurse, theirs),
      () => change(world.manager, theirs, { name: "Mine" }),
      () => remove(world.manager, theirs),
      () => create(world.manager, { name: "Mine", hospital_id: other.hospitalId }),
      () => create(world.manager, { name: "Mine", hospital_id: world.admin.id }),
      () => create(world.admin, { name: "Mine", hospital_id: world.admin.id }),
    ];
    for (const attempt of tries) {
      const answer = await attempt();
      expect(answer.status, attempt.toString()).toBe(404);
      expect(await trace(answer)).toEqual([["access.denied", "denied", "not_found"]]);
    }
    const injected = await create(world.manager, { name: "Mine" }, { "X-Hospital-Id": other.hospitalId });
    expect((await readJson(injected)).data.hospital_id).toBe(world.hospitalId);
    expect((await create(world.admin, { name: "Mine" })).status).toBe(400);
    expect((await create(world.admin, { name: "Theirs", hospital_id: other.hospitalId })).status).toBe(201);
    expect((await create(world.manager, { name: "Named", hospital_id: world.hospitalId })).status).toBe(201);
  });
});

describe("a ward with patients", () => {
  it("is not deleted, but can be closed", async () => {
    const world = await newWorld();
    const ward = await newWard(world.manager);
    await move(world.patient, ward);
    const answer = await remove(world.manager, ward);
    expect([answer.status, await trace(answer)]).toEqual([409, [["ward.delete", "failed", "conflict"]]]);
    expect((await readJson(answer)).code).toBe("conflict");
    expect((await change(world.manager, ward, { is_active: false })).status).toBe(200);
    await move(world.patient, null);
    expect((await remove(world.manager, ward, 2)).status).toBe(200);
  });

  it.each([
    ["before the gate", 1, 409],
    ["between the gate and the deletion", 2, 409],
    ["after the deletion", 3, 200],
  ])("and a move that comes %s: one of the two happens", async (_, k, status) => {
    const { manager, patient } = await newWorld();
    const ward = await newWard(manager);
    const moveIn = () =>
      move(patient, ward).then(
        () => true,
        () => false,
      );
    let calls = 0;
    let moved: boolean | undefined;
    const of = interceptStores(env, async ({ store }, run) => {
      if (store === "DB" && ++calls === k) moved = await moveIn();
      return run();
    });
    const answer = await remove(manager, ward, 1, of);
    moved ??= await moveIn();
    expect([answer.status, moved]).toEqual([status, status === 409]);
  });

  const ROUNDS = 20;
  const outcomes = async (
    patients: Patient[],
    deleteIt: (i: number) => Promise<boolean>,
    moveIn: (patient: Patient, i: number) => Promise<boolean>,
  ) => Promise.all(patients.map((patient, i) => Promise.all([deleteIt(i), moveIn(patient, i)])));

  it(`in ${ROUNDS} races of a deletion with a move, exactly one of the two happens`, async () => {
    const { manager, nurse, hospitalId } = await newWorld();
    const of = withRandomDelays(env);
    const [patients, ids]: [Patient[], string[]] = [[], []];
    for (let i = 0; i < ROUNDS; i++) {
      patients.push(await newPatient(hospitalId, nurse));
      ids.push(await newWard(manager));
    }
    const raced = await outcomes(
      patients,
      async (i) => (await remove(manager, ids[i] ?? "", 1, of)).status === 200,
      async (patient, i) => {
        await scheduler.wait(Math.random() * 12);
        return move(patient, ids[i] ?? "", of.DB).then(
          () => true,
          () => false,
        );
      },
    );
    for (const [deleted, moved] of raced) expect(deleted).toBe(!moved);
    const orphans = env.DB.prepare(
      "SELECT count(*) AS n FROM patients WHERE ward_id IS NOT NULL AND ward_id NOT IN (SELECT id FROM wards)",
    );
    expect(await orphans.first("n")).toBe(0);
  });

  it("would be deleted while occupied by a look-up followed by a delete (the known-bad twin)", async () => {
    const { DB } = withRandomDelays(env);
    await DB.prepare("CREATE TABLE naive_wards (id INTEGER PRIMARY KEY)").run();
    await DB.prepare("CREATE TABLE naive_beds (ward INTEGER)").run();
    const { nurse, hospitalId } = await newWorld();
    const patients = await Promise.all(Array.from({ length: ROUNDS }, () => newPatient(hospitalId, nurse)));
    for (let i = 0; i < ROUNDS; i++) await DB.prepare("INSERT INTO naive_wards VALUES (?)").bind(i).run();
    const raced = await outcomes(
      patients,
      async (i) => {
        const taken = await DB.prepare("SELECT 1 AS n FROM naive_beds WHERE ward = ?").bind(i).first();
        if (taken) return false;
        await DB.prepare("DELETE FROM naive_wards WHERE id = ?").bind(i).run();
        return true;
      },
      async (_, i) => {
        const there = await DB.prepare("SELECT 1 AS n FROM naive_wards WHERE id = ?").bind(i).first();
        if (!there) return false;
        await DB.prepare("INSERT INTO naive_beds VALUES (?)").bind(i).run();
        return true;
      },
    );
    expect(raced.some(([deleted, moved]) => deleted && moved)).toBe(true);
  });
});

describe("how patients are watched", () => {
  it("is set per ward and per patient, and reaches the patient's object", async () => {
    const { manager, nurse, patient } = await newWorld();
    const ward = await newWard(manager);
    await move(patient, ward);
    const watch = async () => {
      const facts = await loadFacts({ db: getDb(env.DB), keys: await getVerifiedKeys(env) }, patient.id, Date.now());
      return facts?.watch;
    };
    expect((await readJson(await get(nurse, ward))).data).toMatchObject({
      observation_mode: "auto",
      observation_grace_minutes: 15,
      overdue_alarm: false,
    });
    const set = await change(manager, ward, { observation_mode: "spot", observation_grace_minutes: 20 });
    expect((await readJson(set)).data).toMatchObject({ observation_mode: "spot", observation_grace_minutes: 20, version: 2 });
    expect(await watch()).toEqual({ mode: "spot", graceMinutes: 20 });
    for (const json of [{ observation_mode: "hourly" }, { observation_grace_minutes: 61 }, { observation_grace_minutes: -1 }])
      expect((await change(manager, ward, json, 2)).status, JSON.stringify(json)).toBe(400);
    expect((await change(nurse, ward, { observation_mode: "continuous" }, 2)).status).toBe(403);
    const path = `${API}/patients/${patient.id}/monitoring`;
    const headers = { "If-Match": '"1"' };
    const json = { observation_mode: "continuous" };
    const own = await sendRequest(path, { as: nurse, method: "PATCH", json, headers });
    expect((await readJson(own)).data).toMatchObject({ observation_mode: "continuous", version: 2 });
    expect(await watch()).toEqual({ mode: "continuous", graceMinutes: 20 });
  });
});
