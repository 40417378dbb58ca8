// Emergency access (break-glass): who may begin it, how far it reaches, how it ends, whom it is told to, and its bounds.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { getDb } from "../../src/platform/db/client.ts";
import {
  type EmergencyScene,
  identify,
  newEmergencyScene,
  openInEmergency,
  REASON,
  setReach,
  startAccess,
} from "../emergency-scene.ts";
import { listNotices } from "../letters.ts";
import {
  API,
  env,
  findEvents,
  newLogin,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
} from "../world.ts";

const HOUR_MS = 3_600_000;
const get = (path: string, as: Person) => sendRequest(`${API}${path}`, { as });
const statusOf = async (path: string, as: Person) => (await get(path, as)).status;
const post = (path: string, as: Person, json: object = {}) => sendRequest(`${API}${path}`, { as, method: "POST", json });
const codeOf = async (response: Response) => [response.status, (await readJson(response)).code];
const run = (query: ReturnType<typeof sql>) => getDb(env.DB).run(query);

let scene: EmergencyScene;
beforeAll(async () => {
  scene = await newEmergencyScene();
});

describe("the beginning", () => {
  it("opens one record of the own hospital to a doctor outside the care team, for 60 minutes", async () => {
    const { a, atA } = scene;
    expect(await statusOf(`/patients/${atA.id}`, a.doctor)).toBe(404);
    const response = await startAccess(a.doctor, atA.number);
    expect(response.status).toBe(201);
    const { data } = await readJson(response);
    expect(data).toMatchObject({ status: "active", patient_id: atA.id, purpose: "BTG", reason: REASON, second_step: false });
    expect(Date.parse(data.ends_at) - Date.parse(data.started_at)).toBe(HOUR_MS);
    const opened = await readJson(await get(`/patients/${atA.id}`, a.doctor));
    expect(opened.data.emergency_access_id).toBe(data.emergency_access_id);
    expect((await readJson(await get(`/patients/${a.patient.id}`, a.doctor))).data.emergency_access_id).toBeNull();
    // Nobody else, and nothing else.
    const colleague = await newPerson("doctor", a.hospitalId);
    expect(await statusOf(`/patients/${atA.id}`, colleague)).toBe(404);
    expect(await statusOf(`/patients/${a.stranger.id}`, a.doctor)).toBe(404);
  });

  it("is for doctors and nurses, and for a record that is not open anyway", async () => {
    const { a, atA } = scene;
    for (const as of [a.manager, a.admin, a.self, scene.person]) expect((await startAccess(as, atA.id)).status).toBe(403);
    expect(await codeOf(await startAccess(a.nurse, atA.id))).toEqual([409, "conflict"]);
    expect(await codeOf(await startAccess(a.doctor, a.patient.id))).toEqual([409, "conflict"]);
  });

  it.each([
    [{ reason: "too short" }, "reason"],
    [{ reason: `${" ".repeat(30)}too short` }, "reason"],
    [{ reason: "x".repeat(1001) }, "reason"],
    [{ reason: "\u200b".repeat(25) }, "reason"],
    [{ reason: "\u2800".repeat(25) }, "reason"],
    [{ reason: `too${" ".repeat(30)}short\ufe0f\u034f` }, "reason"],
    [{ reason: `${REASON} \u202eon\u202c` }, "reason"],
    [{ purpose: "TREAT" }, "purpose"],
    [{ minutes: 120 }, "minutes"],
  ])("with %j is refused with its field", async (change, path) => {
    const refused = await startAccess(scene.a.doctor, scene.a.stranger.id, change);
    expect(refused.status).toBe(400);
    expect((await readJson(refused)).errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  it("happens once per key, and again only with a new reason", async () => {
    const { hospitalId, nurse, doctor } = await newWorld();
    const patient = await newPatient(hospitalId, nurse);
    const key = { "Idempotency-Key": uniqueText() };
    const ids = await Promise.all(
      Array.from(
        { length: 3 },
        async () => (await readJson(await startAccess(doctor, patient.id, {}, key))).data.emergency_access_id,
      ),
    );
    expect(new Set(ids).size).toBe(1);
    expect(await codeOf(await startAccess(doctor, patient.id))).toEqual([409, "conflict"]);
    expect(
      await codeOf(await startAccess(doctor, patient.id, { reason: `  ${REASON.toUpperCase().replace(" ", "\n ")} ` })),
    ).toEqual([409, "conflict"]);
    for (const reason of [`\u200b${REASON}\u2800`, REASON.replace("a", "\uff41").replace(" ", "\u00ad \u2800")])
      expect(await codeOf(await startAccess(doctor, patient.id, { reason }))).toEqual([409, "conflict"]);
    expect((await startAccess(doctor, patient.id, { reason: "Seizure now, earlier findings are needed" })).status).toBe(201);
    // Of the same reason at once, one counts.
    const other = await newPatient(hospitalId, nurse);
    const statuses = await Promise.all([1, 2, 3].map(async () => (await startAccess(doctor, other.id)).status));
    expect(statuses.sort()).toEqual([201, 409, 409]);
  });

  it("is marked and reviewed first without a recent second step, and not with one", async () => {
    const { a, officerA } = scene;
    const doctor = await newPerson("doctor", a.hospitalId);
    await run(sql`UPDATE sessions SET amr = 'pwd otp mfa', authenticated_at = ${Date.now()} WHERE user_id = ${doctor.id}`);
    const patient = await newPatient(a.hospitalId, a.nurse);
    const { data } = await readJson(await startAccess(doctor, patient.id));
    expect(data.second_step).toBe(true);
    await run(sql`UPDATE sessions SET authenticated_at = ${Date.now() - 11 * 60_000} WHERE user_id = ${doctor.id}`);
    const later = await readJson(await startAccess(doctor, patient.id, { reason: "Seizure now, earlier findings are needed" }));
    expect(later.data.second_step).toBe(false);
    const { data: reviews } = await readJson(await get("/privacy-reviews?limit=100", officerA));
    const flags = new Map(reviews.map((one: { ref_id: string; is_flagged: boolean }) => [one.ref_id, one.is_flagged]));
    expect([flags.get(data.emergency_access_id), flags.get(later.data.emergency_access_id)]).toEqual([false, true]);
  });
});

describe("the reach", () => {
  const tryFrom = async ({ b, atA }: EmergencyScene) =>
    (await startAccess(b.doctor, atA.id, { reason: `${REASON} ${uniqueText()}` })).status;

  it("none keeps the own hospital's records closed, also while an access runs", async () => {
    const { hospitalId, nurse, doctor } = await newWorld();
    const patient = await newPatient(hospitalId, nurse);
    await openInEmergency(doctor, patient.id);
    expect(await statusOf(`/patients/${patient.id}`, doctor)).toBe(200);
    await setReach(hospitalId, "none");
    expect(await statusOf(`/patients/${patient.id}`, doctor)).toBe(404);
    expect((await startAccess(doctor, patient.id, { reason: "Seizure now, earlier findings are needed" })).status).toBe(404);
  });

  it("to another hospital needs the setting of both, at each use", async () => {
    const own = await newEmergencyScene();
    const { a, b, atA } = own;
    const reaches = ["none", "own_hospital", "any_hospital"] as const;
    for (const holder of reaches)
      for (const reader of reaches) {
        await setReach(a.hospitalId, holder);
        await setReach(b.hospitalId, reader);
        const isOpen = holder === "any_hospital" && reader === "any_hospital";
        expect([holder, reader, await tryFrom(own)]).toEqual([holder, reader, isOpen ? 201 : 404]);
        expect([holder, reader, await statusOf(`/patients/${atA.id}`, b.doctor)]).toEqual([holder, reader, isOpen ? 200 : 404]);
      }
    for (const { hospitalId } of [a, b]) {
      await setReach(hospitalId, "own_hospital");
      expect(await statusOf(`/patients/${atA.id}`, b.doctor)).toBe(404);
      await setReach(hospitalId, "any_hospital");
      expect(await statusOf(`/patients/${atA.id}`, b.doctor)).toBe(200);
    }
    await run(sql`UPDATE hospitals SET active = 0 WHERE id = ${a.hospitalId}`);
    expect(await statusOf(`/patients/${atA.id}`, b.doctor)).toBe(404);
  });

  it("to another hospital needs a record of the person at the own one, which staff of both has identified", async () => {
    const own = await newEmergencyScene(false);
    const { a, b, atA, atB } = own;
    for (const { hospitalId } of [a, b]) await setReach(hospitalId, "any_hospital");
    const uid = uniqueText();
    await identify(atA.id, uid);
    expect(await tryFrom(own)).toBe(404);
    await identify(atB.id, uid, "self");
    expect(await tryFrom(own)).toBe(404);
    await identify(atB.id, uid);
    expect(await tryFrom(own)).toBe(201);
  });

  it("does not lead from a child's record to the parent's, nor back, by the login that both are linked to", async () => {
    const own = await newEmergencyScene(false);
    const { a, b, atA, atB } = own;
    for (const { hospitalId } of [a, b]) await setReach(hospitalId, "any_hospital");
    const links = await getDb(env.DB).all(sql`SELECT method FROM patient_links WHERE user_id = ${own.person.id}`);
    expect(links).toEqual([{ method: "claim_code" }, { method: "claim_code" }]);
    const statuses = async () => [await tryFrom(own), (await startAccess(a.doctor, atB.id)).status];
    expect(await statuses()).toEqual([404, 404]);
    // The number of one of them, and of each of them another.
    await identify(atA.id, uniqueText());
    expect(await statuses()).toEqual([404, 404]);
    await identify(atB.id, uniqueText());
    expect(await statuses()).toEqual([404, 404]);
  });

  it("ends when the records are no longer known to be of one person, and with the record's hospital", async () => {
    const own = await newEmergencyScene();
    const { a, b, atA, atB } = own;
    for (const { hospitalId } of [a, b]) await setReach(hospitalId, "any_hospital");
    await openInEmergency(b.doctor, atA.id);
    const status = () => statusOf(`/patients/${atA.id}`, b.doctor);
    const lists = async () => (await readJson(await get(`/reports?patient_id=${atA.id}`, b.doctor))).data.length;
    expect((await uploadReport(a.nurse, newPdf(), { patient_id: atA.id, kind: "ecg" })).status).toBe(201);
    const uid = uniqueText();
    const changes: [string, string | null, "staff" | "self"][] = [
      [atB.id, null, "staff"],
      [atB.id, uid, "self"],
      [atB.id, uniqueText(), "staff"],
      [atA.id, null, "staff"],
      [atA.id, uid, "self"],
    ];
    for (const [id, changed, basis] of changes) {
      for (const record of [atA, atB]) await identify(record.id, uid);
      expect([await status(), await lists()]).toEqual([200, 1]);
      await identify(id, changed, basis);
      expect([await status(), await lists()]).toEqual([404, 0]);
    }
    for (const record of [atA, atB]) await identify(record.id, uid);
    await run(sql`UPDATE patients SET hospital_id = ${(await newWorld()).hospitalId} WHERE id = ${atB.id}`);
    expect(await status()).toBe(404);
  });

  it("refuses as for an unknown patient", async () => {
    const { b, atA } = scene;
    const refusals = [];
    for (const id of [atA.id, "0193a5b0-0000-7000-8000-ffffffffffff"]) {
      const response = await startAccess(b.doctor, id);
      const { instance: _, error_id: __, request_id: ___, ...problem } = await readJson(response);
      refusals.push([response.status, problem]);
    }
    expect(refusals[0]).toEqual(refusals[1]);
    expect(await statusOf(`/patients/${atA.id}`, b.doctor)).toBe(404);
  });
});

describe("the end", () => {
  it("comes by the service's clock, to the millisecond", async () => {
    const { a } = scene;
    const patient = await newPatient(a.hospitalId, a.nurse);
    const { data } = await readJson(await startAccess(a.doctor, patient.id));
    const end = Date.parse(data.ends_at);
    try {
      vi.useFakeTimers({ now: end - 1, toFake: ["Date"] });
      const at = async (now: number) => {
        vi.setSystemTime(now);
        return (await get(`/patients/${patient.id}`, await renewed(a.doctor, a.hospitalId))).status;
      };
      expect(await at(end - 1)).toBe(200);
      expect(await at(end)).toBe(404);
    } finally {
      vi.useRealTimers();
    }
  });

  it("comes by the user, once", async () => {
    const { a, officerA } = scene;
    const patient = await newPatient(a.hospitalId, a.nurse);
    const id = await openInEmergency(a.doctor, patient.id);
    const colleague = await newPerson("doctor", a.hospitalId);
    expect((await post(`/emergency-access/${id}/end`, colleague)).status).toBe(404);
    expect((await post(`/emergency-access/${id}/end`, officerA)).status).toBe(404);
    const ended = await post(`/emergency-access/${id}/end`, a.doctor);
    expect([ended.status, (await readJson(ended)).data.status]).toEqual([200, "ended"]);
    expect(await statusOf(`/patients/${patient.id}`, a.doctor)).toBe(404);
    expect(await codeOf(await post(`/emergency-access/${id}/end`, a.doctor))).toEqual([409, "conflict"]);
  });

  it("comes with the membership, and does not follow the person to another hospital", async () => {
    const { a, b } = scene;
    const doctor = await newPerson("doctor", a.hospitalId);
    const patient = await newPatient(a.hospitalId, a.nurse);
    await openInEmergency(doctor, patient.id);
    await run(sql`INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at)
      VALUES (${doctor.id}, ${b.hospitalId}, 'doctor', 'test', 1)`);
    const elsewhere = await renewed(doctor, b.hospitalId);
    expect(await statusOf(`/patients/${patient.id}`, elsewhere)).toBe(404);
    expect(await statusOf(`/patients/${patient.id}`, doctor)).toBe(200);
    await run(sql`UPDATE memberships SET role = 'hospital_admin' WHERE user_id = ${doctor.id} AND hospital_id = ${b.hospitalId}`);
    await run(sql`UPDATE memberships SET ended_at = 1 WHERE user_id = ${doctor.id} AND hospital_id = ${a.hospitalId}`);
    expect([401, 404]).toContain(await statusOf(`/patients/${patient.id}`, doctor));
  });
});

/** The person with a new session at a hospital. */
async function renewed(person: Person, hospitalId: string): Promise<Person> {
  return { ...person, ...(await newLogin(person.id, { role: "doctor", hospitalId, doctorScope: "care_team" })) };
}

describe("the log", () => {
  it("has every read with basis, purpose and access, at both hospitals where it crosses", async () => {
    const own = await newEmergencyScene();
    const { a, b, atA } = own;
    for (const { hospitalId } of [a, b]) await setReach(hospitalId, "any_hospital");
    const id = await openInEmergency(b.doctor, atA.id);
    const paths = [
      "",
      "/intake",
      "/care-team",
      "/changes",
      "/summary",
      "/observations",
      "/observations/latest",
      "/scores/news2",
      "/monitoring",
    ];
    for (const path of paths) {
      const response = await get(`/patients/${atA.id}${path}`, b.doctor);
      expect([path, response.status]).toEqual([path, 200]);
      const events = await findEvents({ request_id: response.headers.get("x-request-id") ?? "" });
      expect([path, events.length]).toEqual([path, 1]);
      expect(events[0]).toMatchObject({
        basis: "emergency",
        purpose: "BTG",
        hospital_id: a.hospitalId,
        actor_hospital_id: b.hospitalId,
      });
      expect(JSON.stringify(events[0]?.detail)).toContain(id);
    }
    expect(await findEvents({ event: "emergency_access.start", entity_id: id })).toHaveLength(2);
  });
});

describe("those who are told", () => {
  it("are the privacy officers of both hospitals and the patient, without a clinical fact", async () => {
    const own = await newEmergencyScene();
    const { a, b, person, atA, officerA, officerB } = own;
    for (const { hospitalId } of [a, b]) await setReach(hospitalId, "any_hospital");
    const canary = `Canary${uniqueText()}`;
    const id = await openInEmergency(b.doctor, atA.id, `${REASON} ${canary}`);
    expect(await listNotices(person.id)).toContain("emergency.access");
    for (const officer of [officerA, officerB]) {
      expect(await listNotices(officer.id)).toContain("privacy.review_opened");
      const { data } = await readJson(await get("/privacy-reviews", officer));
      expect(data.map((one: { ref_id: string }) => one.ref_id)).toEqual([id]);
      expect((await readJson(await get(`/privacy-reviews/${data[0].review_id}`, officer))).data.text).toContain(canary);
      expect((await readJson(await get(`/emergency-access/${id}`, officer))).data).toMatchObject({
        reason: `${REASON} ${canary}`,
      });
    }
    const stored = await Promise.all([
      getDb(env.DB).all(sql`SELECT * FROM notifications`),
      getDb(env.DB).all(sql`SELECT * FROM deliveries`),
      getDb(env.DB).all(sql`SELECT * FROM emergency_accesses`),
      getDb(env.DB).all(sql`SELECT * FROM privacy_reviews`),
    ]);
    expect(JSON.stringify(stored)).not.toContain(canary);
  });

  it("include nobody who could close the own review", async () => {
    const { a, officerA } = scene;
    const doctor = await newPerson("doctor", a.hospitalId);
    await run(sql`UPDATE memberships SET privacy_officer = 1 WHERE user_id = ${doctor.id}`);
    const patient = await newPatient(a.hospitalId, a.nurse);
    const id = await openInEmergency(doctor, patient.id);
    const { data } = await readJson(await get("/privacy-reviews?limit=100", doctor));
    const review = data.find((one: { ref_id: string }) => one.ref_id === id);
    const closing = { outcome: "justified", note: "It was an emergency" };
    expect((await post(`/privacy-reviews/${review.review_id}/close`, doctor, closing)).status).toBe(403);
    expect((await post(`/privacy-reviews/${review.review_id}/close`, officerA, closing)).status).toBe(200);
  });
});
