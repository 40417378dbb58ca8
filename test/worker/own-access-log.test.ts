// A patient's own access log: an access is in it within five seconds, with basis, purpose and proof; reading it is an event once a day.
import { describe, expect, it } from "vitest";
import { recordAuditEvent } from "../../src/access/audit.ts";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { utcDayOf } from "../../src/platform/time.ts";
import { API, createCall, env, findEvents, link, newPerson, newWorld, type Person, readJson, sendRequest } from "../world.ts";

const MAX_DELAY_MS = 5_000;
const list = async (as: Person, query = "") => (await readJson(await sendRequest(`${API}/audit-events?${query}`, { as }))).data;
const ownReads = (person: Person) => findEvents({ event: "audit.read", actor_id: person.id });
const setDay = ({ id }: Person, day: number) =>
  env.DB.prepare("UPDATE access_log_reads SET day = CAST(? AS INTEGER) WHERE user_id = ?").bind(day, id).run();

describe("an access", () => {
  it("is in the patient's own log within five seconds, with who, what and why, and its proof", async () => {
    const { nurse, self, patient, hospitalId } = await newWorld();
    const sent = await sendRequest(`${API}/patients/${patient.id}`, { as: nurse });
    const answeredAt = performance.now();
    const [event] = await list(self, "event=patient.read");
    expect(performance.now() - answeredAt).toBeLessThan(MAX_DELAY_MS);
    expect(event).toMatchObject({
      request_id: sent.headers.get("x-request-id"),
      actor: { kind: "user", id: nurse.id, role: "nurse" },
      hospital_id: hospitalId,
      basis: "staff",
      purpose: "TREAT",
    });
    const proof = await sendRequest(`${API}/audit-events/${event.id}/proof`, { as: self });
    expect((await readJson(proof)).data).toMatchObject({ event_id: event.id, subject: { patient_id: patient.id } });
    const csv = await (await sendRequest(`${API}/audit-events/export?format=csv`, { as: self })).text();
    expect(csv.split("\r\n").find((line) => line.startsWith(event.id))).toMatch(/,staff,TREAT,/);
  });

  it.each([
    ["consent", "CAREMGT", undefined],
    ["emergency", "BTG", "BTG"],
  ] as const)("on the basis %s is shown and exported with it", async (basis, code, purpose) => {
    const { doctor, self, patient, hospitalId } = await newWorld();
    const call = await createCall(doctor, { role: "doctor", hospitalId, doctorScope: "care_team" });
    const event = { event: "patient.read", action: "R", role: "doctor", hospitalId, subjects: [patient.id] } as const;
    const more = { basis, detail: { code }, ...(purpose && { purpose }) };
    await batch(getDb(env.DB), recordAuditEvent(call.db, call.actor, call.now, { ...event, ...more }));
    const [shown] = await list(self, "event=patient.read");
    expect(shown).toMatchObject({ basis, purpose: purpose ?? "TREAT", detail: { code } });
    const csv = await (await sendRequest(`${API}/audit-events/export?format=csv`, { as: self })).text();
    expect(csv).toContain(`,${basis},`);
  });
});

describe("reading the own log", () => {
  it("is one event per person and day, in the log itself, however often and by how many requests at once", async () => {
    const { self, patient, stranger } = await newWorld();
    await link(self, stranger);
    await Promise.all(Array.from({ length: 5 }, () => list(self)));
    await list(self, `patient_id=${patient.id}`);
    expect(await ownReads(self)).toHaveLength(1);
    for (const { id } of [patient, stranger])
      expect(await list(self, `event=audit.read&patient_id=${id}`)).toMatchObject([{ actor: { id: self.id }, basis: "self" }]);
  });

  it("is an event again on the next day, and without the day of the last one each time", async () => {
    const { self } = await newWorld();
    await list(self);
    await setDay(self, utcDayOf(Date.now()) - 1);
    await list(self);
    expect(await ownReads(self)).toHaveLength(2);
    // The twin: nothing remembers the day.
    for (let i = 0; i < 2; i++) {
      await env.DB.prepare("DELETE FROM access_log_reads WHERE user_id = ?").bind(self.id).run();
      await list(self);
    }
    expect(await ownReads(self)).toHaveLength(4);
  });

  it("is an event of each person of a record", async () => {
    const { self, patient } = await newWorld();
    const other = await newPerson("patient");
    await link(other, patient);
    for (const person of [self, other, self, other]) await list(person);
    expect([await ownReads(self), await ownReads(other)].map(({ length }) => length)).toEqual([1, 1]);
  });

  it("is an event each time for an administrator", async () => {
    const { manager } = await newWorld();
    for (let i = 0; i < 2; i++) await list(manager);
    expect(await ownReads(manager)).toHaveLength(2);
  });
});
