// Patients: create, read, change with If-Match, patient numbers in place of ids, and care team membership.
import { afterEach, describe, expect, it, vi } from "vitest";
import { withRandomDelays } from "../stores.ts";
import {
  API,
  env,
  newHospital,
  newPatient,
  newPerson,
  newWorld,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
} from "../world.ts";

const change = (id: string | number, as: Person, json: unknown, version: string | null, more: RequestOptions = {}) =>
  sendRequest(`${API}/patients/${id}`, {
    as,
    method: "PATCH",
    json,
    ...(version && { headers: { "If-Match": version } }),
    ...more,
  });
const FULL = {
  first_name: "Asha",
  last_name: "Verma",
  gender: "female",
  date_of_birth: "1964-03-04",
  phone: "+91 98765 43210",
  email: "asha.verma@example.org",
  address: "12 Lake Road, Pune",
  medical_history: "Hypertension since 2015.",
  notes: "Prefers mornings.",
  symptoms: ["palpitations"],
  monitoring: "home",
};

describe("a patient", () => {
  it("is created, read, listed and changed with every field", async () => {
    const world = await newWorld();
    const created = await sendRequest(`${API}/patients`, { as: world.nurse, json: FULL });
    expect([created.status, created.headers.get("etag")]).toEqual([201, expect.stringMatching(/^"1-/)]);
    const { data } = await readJson(created);
    expect(data).toMatchObject({ ...FULL, hospital_id: world.hospitalId, version: 1, is_active: true, ward_id: null });
    const detail = await sendRequest(`${API}/patients/${data.patient_id}`, { as: world.nurse });
    expect(detail.headers.get("etag")).toMatch(/^"1-/);
    expect((await readJson(detail)).data).toEqual({ ...data, ward_name: null, emergency_access_id: null });
    const list = await readJson(await sendRequest(`${API}/patients?limit=1&monitoring=home`, { as: world.nurse }));
    const { medical_history, notes, symptoms, ...summary } = data;
    expect(list.data).toEqual([summary]);

    const changed = await change(data.patient_id, world.nurse, { last_name: null, symptoms: [], notes: "New." }, '"1"');
    expect([changed.status, changed.headers.get("etag")]).toEqual([200, expect.stringMatching(/^"2-/)]);
    const after = (await readJson(await sendRequest(`${API}/patients/${data.patient_id}`, { as: world.nurse }))).data;
    const expected = { ...data, last_name: null, symptoms: [], notes: "New.", version: 2, updated_at: after.updated_at };
    expect(after).toEqual({ ...expected, ward_name: null, emergency_access_id: null });
    expect((await readJson(changed)).data).toEqual(expected);
  });

  it("needs If-Match to change, refuses a stale one, and shows no other change", async () => {
    const world = await newWorld();
    const { id } = world.patient;
    const codes = [];
    for (const version of [null, '"2"', "**", "1", '"x"', '"01"', 'W/"2"', '"2", "3"']) {
      const response = await change(id, world.nurse, { notes: "lost" }, version);
      codes.push(response.status);
    }
    expect(codes).toEqual([428, 412, 412, 412, 412, 412, 412, 412]);
    const { data } = await readJson(await sendRequest(`${API}/patients/${id}`, { as: world.nurse }));
    expect([data.version, data.notes]).toEqual([1, `Notes ${world.patient.canary}`]);
    expect((await change(id, world.nurse, { notes: "kept" }, 'W/"1"')).status).toBe(200);
    expect((await change(id, world.nurse, {}, '"2"')).status).toBe(400);
  });

  it("keeps one of two changes that saw the same version", async () => {
    const world = await newWorld();
    /** The known-bad twin: read, compare, write, without compare-and-set. */
    async function naive(notes: string): Promise<number> {
      const slow = withRandomDelays(env).DB;
      const version = await slow.prepare("SELECT version FROM patients WHERE id = ?").bind(world.stranger.id).first("version");
      if (version !== 1) return 412;
      await slow.prepare("UPDATE patients SET version = 2, patient_uid = ? WHERE id = ?").bind(notes, world.stranger.id).run();
      return 200;
    }
    const wins = (statuses: number[]) => statuses.filter((status) => status === 200).length;
    expect(wins(await Promise.all(Array.from({ length: 8 }, (_, i) => naive(`n${i}`))))).toBeGreaterThan(1);

    const responses = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        change(world.patient.id, world.nurse, { notes: `n${i}` }, '"1"', { env: withRandomDelays(env) }),
      ),
    );
    expect(wins(responses.map((response) => response.status))).toBe(1);
    expect(new Set(responses.map((response) => response.status))).toEqual(new Set([200, 412]));
    const winner = responses.findIndex((response) => response.status === 200);
    const { data } = await readJson(await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse }));
    expect([data.version, data.notes]).toEqual([2, `n${winner}`]);
    for (const response of responses) expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toHaveLength(1);
  });

  it("is found by its number wherever its id is, and by nothing that only looks like it", async () => {
    const world = await newWorld();
    const { id, number } = world.patient;
    for (const path of [`/patients/${number}`, `/patients/${number}/care-team`]) {
      expect((await sendRequest(API + path, { as: world.nurse })).status).toBe(200);
    }
    expect((await readJson(await sendRequest(`${API}/patients/${number}`, { as: world.self }))).data.patient_id).toBe(id);
    expect((await change(number, world.nurse, { notes: "x" }, '"1"')).status).toBe(200);
    expect((await sendRequest(`${API}/patients/${world.stranger.number}`, { as: world.self })).status).toBe(404);
    for (const ref of [
      `0${number}`,
      `+${number}`,
      `${number}.0`,
      `-${number}`,
      "0",
      "9".repeat(15),
      `%20${number}`,
      `${number}e0`,
    ]) {
      expect((await sendRequest(`${API}/patients/${ref}`, { as: world.nurse })).status, ref).toBe(404);
    }
  });

  it("twenty made at once get twenty numbers", async () => {
    const world = await newWorld();
    const made = await Promise.all(
      Array.from({ length: 20 }, () =>
        sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "A" }, env: withRandomDelays(env) }).then(readJson),
      ),
    );
    expect(new Set(made.map(({ data }) => data.patient_number)).size).toBe(20);
  });
});

describe("the care team", () => {
  it("is joined by the doctor who creates and by the one assigned", async () => {
    const world = await newWorld();
    const second = await newPerson("doctor", world.hospitalId);
    const own = (await readJson(await sendRequest(`${API}/patients`, { as: world.doctor, json: { first_name: "A" } }))).data;
    expect((await sendRequest(`${API}/patients/${own.patient_id}`, { as: world.doctor })).status).toBe(200);
    const json = { first_name: "A", assigned_doctor_id: second.id };
    const { data } = await readJson(await sendRequest(`${API}/patients`, { as: world.nurse, json }));
    expect((await sendRequest(`${API}/patients/${data.patient_id}`, { as: second })).status).toBe(200);
    const third = await newPerson("doctor", world.hospitalId);
    expect((await sendRequest(`${API}/patients/${data.patient_id}`, { as: third })).status).toBe(404);
    expect((await change(data.patient_id, world.nurse, { assigned_doctor_id: third.id }, '"1"')).status).toBe(200);
    expect((await sendRequest(`${API}/patients/${data.patient_id}`, { as: third })).status).toBe(200);
    const team = await readJson(await sendRequest(`${API}/patients/${data.patient_id}/care-team`, { as: third }));
    expect(team.data.map((m: { user_id: string }) => m.user_id).sort()).toEqual([second.id, third.id].sort());
    expect(team.data[0]).toMatchObject({ role: "doctor" });
  });

  it("accepts no doctor of another hospital, no nurse as doctor and no former member", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const left = await newPerson("doctor", world.hospitalId);
    await env.DB.prepare("UPDATE memberships SET ended_at = 1 WHERE user_id = ?").bind(left.id).run();
    for (const person of [other.doctor, world.nurse, world.manager, world.self, left]) {
      const json = { first_name: "A", assigned_doctor_id: person.id };
      expect((await sendRequest(`${API}/patients`, { as: world.nurse, json })).status).toBe(400);
      const assigned = await change(world.patient.id, world.nurse, { assigned_doctor_id: person.id }, '"1"');
      expect(assigned.status).toBe(400);
    }
    const put = (userId: string) =>
      sendRequest(`${API}/patients/${world.patient.id}/care-team/${userId}`, { as: world.nurse, method: "PUT" });
    for (const person of [other.doctor, world.manager, world.self, left]) expect((await put(person.id)).status).toBe(404);
    const nurse = await newPerson("nurse", world.hospitalId);
    expect((await put(nurse.id)).status).toBe(200);
    expect((await put(nurse.id)).status).toBe(200);
  });

  it("cannot be changed by doctors, and ends access at once", async () => {
    const world = await newWorld();
    const path = `${API}/patients/${world.patient.id}`;
    expect((await change(world.patient.id, world.doctor, { assigned_doctor_id: world.doctor.id }, '"1"')).status).toBe(403);
    expect((await change(world.patient.id, world.doctor, { assigned_doctor_id: null }, '"1"')).status).toBe(403);
    for (const method of ["PUT", "DELETE"]) {
      expect((await sendRequest(`${path}/care-team/${world.doctor.id}`, { as: world.doctor, method })).status).toBe(403);
      expect(
        (await sendRequest(`${API}/patients/${world.stranger.id}/care-team/${world.doctor.id}`, { as: world.doctor, method }))
          .status,
      ).toBe(403);
    }
    expect((await change(world.patient.id, world.doctor, { notes: "seen" }, '"1"')).status).toBe(200);
    const remove = () => sendRequest(`${path}/care-team/${world.doctor.id}`, { as: world.nurse, method: "DELETE" });
    expect((await remove()).status).toBe(200);
    expect((await sendRequest(path, { as: world.doctor })).status).toBe(404);
    expect((await remove()).status).toBe(404);
    expect((await sendRequest(`${path}/care-team/${world.doctor.id}`, { as: world.manager, method: "PUT" })).status).toBe(200);
    expect((await sendRequest(path, { as: world.doctor })).status).toBe(200);
  });

  it("a refused assignment leaves no patient behind, and no change", async () => {
    const world = await newWorld();
    const count = () => env.DB.prepare("SELECT count(*) AS n FROM patients").first<number>("n");
    const before = await count();
    const json = { first_name: "A", assigned_doctor_id: world.nurse.id };
    expect((await sendRequest(`${API}/patients`, { as: world.nurse, json })).status).toBe(400);
    expect(await count()).toBe(before);
    await newPatient(world.hospitalId, world.nurse);
    expect(await count()).toBe(Number(before) + 1);
  });
});

describe("a birth date", () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  const DESKS = {
    "Asia/Kolkata": "2027-03-10T19:30:00Z",
    "America/Los_Angeles": "2027-03-10T03:00:00Z",
    UTC: "2027-03-10T12:00:00Z",
  };

  it.each(Object.entries(DESKS))("is judged by the date in %s, for a new record and a changed one", async (zone, instant) => {
    const hospitalId = await newHospital();
    await env.DB.prepare("UPDATE hospitals SET time_zone = ? WHERE id = ?").bind(zone, hospitalId).run();
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(instant);
    const nurse = await newPerson("nurse", hospitalId);
    const local = { "Asia/Kolkata": "2027-03-11", "America/Los_Angeles": "2027-03-09", UTC: "2027-03-10" }[zone] ?? "";
    const nextDay = new Date(Date.parse(local) + 86_400_000).toISOString().slice(0, 10);
    const register = (date_of_birth: string) =>
      sendRequest(`${API}/patients`, { as: nurse, json: { first_name: "Baby", date_of_birth } });
    const born = await register(local);
    expect(born.status).toBe(201);
    const { patient_id, date_of_birth } = (await readJson(born)).data;
    expect(date_of_birth).toBe(local);
    for (const refused of [await register(nextDay), await change(patient_id, nurse, { date_of_birth: nextDay }, '"1"')]) {
      expect(refused.status).toBe(400);
      expect((await readJson(refused)).errors).toMatchObject([
        { path: "date_of_birth", message: "Must be a date from 1880-01-01 to today" },
      ]);
    }
    expect((await change(patient_id, nurse, { date_of_birth: local, notes: "Twin." }, '"1"')).status).toBe(200);
  });
});
