// How many emergency accesses there may be, who is told of many, and notices that are held back for safeguarding.
import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { sendDelayedNotices } from "../../src/emergency-access/notices.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { newAccessRow, newEmergencyScene, openInEmergency, REASON, startAccess } from "../emergency-scene.ts";
import { listNotices } from "../letters.ts";
import { API, env, findEvents, newPatient, newPerson, type Person, readJson, sendRequest } from "../world.ts";

const DAY_MS = 86_400_000;
const countMany = async (person: Person) => (await listNotices(person.id)).filter((kind) => kind === "emergency.many").length;
const seed = async (doctor: Person, hospitalId: string, patientId: string, count: number) => {
  for (let i = 0; i < count; i++) await newAccessRow(doctor, hospitalId, patientId);
};

describe("accesses of a day", () => {
  it("are told to privacy officers and administrators at five of a person and at twenty of a hospital, once each", async () => {
    const { a, officerA } = await newEmergencyScene();
    const { hospitalId, nurse, doctor, manager } = a;
    const start = async (as: Person) => openInEmergency(as, (await newPatient(hospitalId, nurse)).id);
    await seed(doctor, hospitalId, a.stranger.id, 3);
    await start(doctor);
    expect([await countMany(manager), await countMany(officerA), await countMany(nurse)]).toEqual([0, 0, 0]);
    await start(doctor);
    expect([await countMany(manager), await countMany(officerA), await countMany(nurse)]).toEqual([1, 1, 0]);
    await start(doctor);
    expect(await countMany(manager)).toBe(1);
    const others = [
      await newPerson("doctor", hospitalId),
      await newPerson("doctor", hospitalId),
      await newPerson("doctor", hospitalId),
    ];
    for (const other of others) await seed(other, hospitalId, a.stranger.id, 4);
    await start(await newPerson("doctor", hospitalId));
    expect(await countMany(manager)).toBe(1);
    await start(await newPerson("doctor", hospitalId));
    expect([await countMany(manager), await countMany(officerA)]).toEqual([2, 2]);
    await start(await newPerson("doctor", hospitalId));
    expect(await countMany(manager)).toBe(2);
  });

  it("are at most 50 per person and day", async () => {
    const { a } = await newEmergencyScene();
    const { hospitalId, nurse, doctor } = a;
    await seed(doctor, hospitalId, a.stranger.id, 49);
    const patients = [await newPatient(hospitalId, nurse), await newPatient(hospitalId, nurse)];
    const statuses = await Promise.all(patients.map(async ({ id }) => (await startAccess(doctor, id)).status));
    expect(statuses.sort()).toEqual([201, 429]);
    const refused = await startAccess(doctor, (await newPatient(hospitalId, nurse)).id);
    expect([refused.status, Number(refused.headers.get("Retry-After")) > 0]).toEqual([429, true]);
    await getDb(env.DB).run(sql`UPDATE emergency_accesses SET started_at = started_at - ${DAY_MS} WHERE user_id = ${doctor.id}`);
    expect((await startAccess(doctor, (await newPatient(hospitalId, nurse)).id)).status).toBe(201);
  });

  it("that begin at once are all given up to the bound, and the rest is told of it", async () => {
    const { a } = await newEmergencyScene();
    const { hospitalId, nurse, doctor } = a;
    await seed(doctor, hospitalId, a.stranger.id, 40);
    const patients = await Promise.all(Array.from({ length: 14 }, () => newPatient(hospitalId, nurse)));
    const statuses = await Promise.all(patients.map(async ({ id }) => (await startAccess(doctor, id)).status));
    expect(statuses.sort()).toEqual([...Array(10).fill(201), ...Array(4).fill(429)]);
  });

  it("to one record at once are all given for different reasons", async () => {
    const { a } = await newEmergencyScene();
    const patient = await newPatient(a.hospitalId, a.nurse);
    const reasons = Array.from({ length: 8 }, (_, i) => `${REASON}, finding ${i}`);
    const answers = await Promise.all(reasons.map((reason) => startAccess(a.doctor, patient.id, { reason })));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201));
  });
});

describe("a delay of the patient's notice", () => {
  const reason = "Another person reads this patient's messages";
  const send = (as: Person, patientId: string, method: string, json?: object) =>
    sendRequest(`${API}/patients/${patientId}/notice-delay`, { as, method, ...(json && { json }) });

  it("is a matter of the privacy officers of the record's hospital", async () => {
    const { a, b, atA, officerA, officerB } = await newEmergencyScene();
    for (const as of [a.nurse, a.doctor, a.manager, a.self, a.admin])
      expect((await send(as, atA.id, "PUT", { reason, days: 3 })).status).toBe(403);
    expect((await send(officerB, atA.id, "PUT", { reason, days: 3 })).status).toBe(404);
    for (const days of [0, 31, 1.5]) expect((await send(officerA, atA.id, "PUT", { reason, days })).status).toBe(400);
    expect((await send(officerA, atA.id, "GET")).status).toBe(404);
    const set = await send(officerA, atA.id, "PUT", { reason, days: 3 });
    expect([set.status, (await readJson(set)).data.set_by]).toEqual([200, officerA.id]);
    expect((await readJson(await send(officerA, atA.id, "GET"))).data.reason).toBe(reason);
    for (const as of [a.nurse, b.nurse, a.self]) expect((await send(as, atA.id, "GET")).status).toBe(403);
    const [event] = await findEvents({ event: "notice_delay.set", entity_id: atA.id });
    expect(JSON.stringify(event)).not.toContain(reason);
    expect((await send(officerA, atA.id, "DELETE")).status).toBe(200);
    expect((await send(officerA, atA.id, "DELETE")).status).toBe(404);
  });

  it("holds the notice back until it ends; the privacy officers are told at once", async () => {
    const { a, person, atA, officerA } = await newEmergencyScene();
    expect((await send(officerA, atA.id, "PUT", { reason, days: 3 })).status).toBe(200);
    const id = await openInEmergency(a.doctor, atA.id);
    const notified = async (as: Person) =>
      (await readJson(await sendRequest(`${API}/emergency-access/${id}`, { as }))).data.patient_notified_at;
    const told = async () => (await listNotices(person.id)).filter((kind) => kind === "emergency.access").length;
    expect(await listNotices(officerA.id)).toContain("privacy.review_opened");
    const until = Date.parse((await readJson(await send(officerA, atA.id, "GET"))).data.until);
    for (const now of [Date.now(), until - 1]) {
      await sendDelayedNotices(env, now);
      expect([await told(), await notified(officerA)]).toEqual([0, null]);
    }
    for (const now of [until, until + 1]) {
      await sendDelayedNotices(env, now);
      expect([await told(), await notified(officerA)]).toEqual([1, new Date(until).toISOString()]);
    }
    // The reader does not learn that there was a delay.
    expect(await notified(a.doctor)).toBeNull();
  });
});
