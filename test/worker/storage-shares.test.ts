// Who may use which part of a hospital's storage, what comes back to a ceiling, and rows of events that no quota refuses.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { MAX_REFUSED_ROWS, MAX_SAMPLE_ROWS, MAX_UNCOUNTED_ROWS } from "../../src/access/row-allowance.ts";
import { runCleanup } from "../../src/cron.ts";
import { deliverToD1 } from "../../src/monitoring/patient-object/delivery/d1-delivery.ts";
import { OUTBOX_DOCUMENTS } from "../../src/monitoring/patient-object/memory/documents.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { SELF_CARE_HOSPITAL_ID } from "../../src/platform/db/schema.ts";
import { SELF_CARE_ACCOUNT_RESERVE, SHARED_PART, STORAGE_LIMITS } from "../../src/platform/storage-quotas.ts";
import { DAY_MS, HOUR_MS, utcDayOf } from "../../src/platform/time.ts";
import {
  API,
  env,
  findEvents,
  newDevice,
  newLogin,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  PASSWORD,
  type Person,
  readJson,
  sendRequest,
  sha256,
  uniqueText,
  uploadRaw,
  type World,
} from "../world.ts";
import { createSample } from "./monitored-patient.ts";
import { deleteUnreferencedFiles } from "./storage-evidence.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => env.DB.prepare("DELETE FROM counters WHERE scope LIKE 'quota%'").run());
afterAll(deleteUnreferencedFiles);

const today = () => utcDayOf(Date.now());
const count = async (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  (await env.DB.prepare(query)
    .bind(...values)
    .first<number>("n")) ?? 0;
const counter = (scope: string, day: number, name: string) =>
  count("SELECT n FROM counters WHERE scope = ? AND day = ? AND name = ?", scope, day, name);
const setCounter = (scope: string, day: number, name: string, n: number) =>
  env.DB.prepare(
    "INSERT INTO counters (scope, day, name, n) VALUES (?, CAST(? AS INTEGER), ?, CAST(? AS INTEGER)) ON CONFLICT DO UPDATE SET n = excluded.n",
  )
    .bind(scope, day, name, Math.floor(n))
    .run();
const changeProfile = (as: { token: string }) =>
  sendRequest(`${API}/auth/me`, {
    as,
    method: "PATCH",
    json: { full_name: `Name ${uniqueText()}` },
    headers: { "If-Match": "*" },
  });
const intake = (as: { token: string }, patientId: string) =>
  sendRequest(`${API}/patients/${patientId}/intake`, { as, json: { symptoms: ["x"] } });

describe("the limits of an account", () => {
  const MORE_THAN_A_PATIENTS = STORAGE_LIMITS.patient.records.total + 1;

  it("are those of staff for a nurse who acts for no hospital, and of a patient for everybody else", async () => {
    const nurse = await newPerson("nurse", world.hospitalId);
    const self = await newPerson("patient");
    const asPatient = await newLogin(nurse.id, { role: "patient", hospitalId: null, doctorScope: "care_team" });
    for (const { id } of [nurse, self]) await setCounter(`quota:u:${id}`, 0, "records", MORE_THAN_A_PATIENTS);
    expect((await changeProfile(asPatient)).status).toBe(200);
    expect((await readJson(await changeProfile(self))).code).toBe("storage_full");
    await setCounter(`quota:u:${nurse.id}`, 0, "records", STORAGE_LIMITS.staff.records.total);
    expect((await readJson(await changeProfile(asPatient))).code).toBe("storage_full");
  });

  it("do not refuse a password reset by link", async () => {
    const nurse = await newPerson("nurse", world.hospitalId);
    const created = await sendRequest(`${API}/users/${nurse.id}/password-reset`, { as: world.manager, method: "POST" });
    const { token } = (await readJson(created)).data;
    await setCounter(`quota:u:${nurse.id}`, 0, "records", 1e15);
    await setCounter(`quota-day:u:${nurse.id}`, today(), "records", 1e15);
    const reset = await sendRequest(`${API}/auth/password/reset`, { json: { token, new_password: "another quiet river" } });
    expect(reset.status).toBeLessThan(300);
  });
});

describe("a hospital's quota", () => {
  const fillShare = async (hospitalId: string, { day, total }: { day: number; total: number }) => {
    await setCounter(`quota-day:h:${hospitalId}`, today(), "records", SHARED_PART * day);
    await setCounter(`quota:h:${hospitalId}`, 0, "records", SHARED_PART * total);
  };

  it("ends for patients and devices before it ends for staff, who still start monitoring", async () => {
    const device = await newDevice(world.nurse, null);
    await fillShare(world.hospitalId, STORAGE_LIMITS.hospital.records);
    const held = await sendRequest(`${API}/observations`, { as: device, json: createSample(72) });
    expect((await readJson(held)).code).toBe("quota_exceeded");
    expect((await intake(world.nurse, world.patient.id)).status).toBe(201);
    await setCounter(`quota-day:h:${world.hospitalId}`, today(), "records", 1e15);
    expect((await intake(world.nurse, world.patient.id)).status).toBe(429);
    const json = { patient_id: world.patient.id };
    expect((await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json })).status).toBe(201);
  });

  it("of self-registered patients is not used up by others for an account that has stored little", async () => {
    const json = { email: `${uniqueText()}@example.org`, password: PASSWORD, first_name: "Asha", last_name: "Rao" };
    const { data } = await readJson(await sendRequest(`${API}/auth/register/patient`, { json }));
    const [person, patientId] = [{ token: data.access_token }, data.patient_id];
    const userId = await env.DB.prepare("SELECT user_id FROM patient_links WHERE patient_id = ?")
      .bind(patientId)
      .first<string>("user_id");
    await fillShare(SELF_CARE_HOSPITAL_ID, STORAGE_LIMITS.selfCare.records);
    expect((await intake(person, patientId)).status).toBe(201);
    await setCounter(`quota:u:${userId}`, 0, "records", SELF_CARE_ACCOUNT_RESERVE.records);
    expect((await readJson(await intake(person, patientId))).code).toBe("quota_exceeded");
    await setCounter(`quota-day:h:${SELF_CARE_HOSPITAL_ID}`, today(), "records", 0);
    expect((await readJson(await intake(person, patientId))).code).toBe("storage_full");
  });
});

describe("deleted bytes come back to the ceilings", () => {
  it("when held samples are pruned", async () => {
    const device = await newDevice(world.nurse, null);
    await sendRequest(`${API}/observations`, { as: device, json: createSample(72) });
    const scopes = [`quota:m:${device.id}`, `quota:h:${world.hospitalId}`];
    const before = await Promise.all(scopes.map((scope) => counter(scope, 0, "records")));
    const size = await count("SELECT length(items_sealed) AS n FROM held_observations WHERE device_id = ?", device.id);
    await env.DB.prepare("UPDATE held_observations SET received_at = 1 WHERE device_id = ?").bind(device.id).run();
    // Delivered by a patient's object, which counts nowhere.
    const copy =
      "INSERT INTO held_observations (id, hospital_id, device_id, reason, count, items_sealed, received_at) SELECT id || '-1', hospital_id, device_id, reason, count, items_sealed, 1 FROM held_observations WHERE device_id = ?";
    // biome-ignore lint/plugin: a constant.
    await env.DB.prepare(copy).bind(device.id).run();
    await runCleanup(env, Date.now());
    expect(await count("SELECT count(*) AS n FROM held_observations WHERE device_id = ?", device.id)).toBe(0);
    const after = await Promise.all(scopes.map((scope) => counter(scope, 0, "records")));
    expect(after).toEqual(before.map((n) => n - size));
  });

  it("once, when a quarantined file is discarded several times at once", async () => {
    const device = await newDevice(world.nurse, null);
    const { data } = await readJson(await uploadRaw(device, newPdf(undefined, 30_000)));
    const scope = `quota:m:${device.id}`;
    expect(await counter(scope, 0, "files")).toBeGreaterThan(29_000);
    await setCounter(scope, 0, "files", (await counter(scope, 0, "files")) + 100_000);
    const discard = () =>
      sendRequest(`${API}/uploads/${data.upload_id}/discard`, { as: world.nurse, json: { reason: "Not ours" } });
    for (const { status } of await Promise.all([discard(), discard(), discard()])) expect(status).toBe(200);
    expect(await counter(scope, 0, "files")).toBe(100_000);
  });
});

describe("the rows of events that no quota refuses", () => {
  const eventsOf = async (actorId: string, event: string) => (await findEvents({ actor_id: actorId, event })).length;
  const summaryOf = async (entityId: string) => {
    for (const offset of [DAY_MS, DAY_MS]) await runCleanup(env, Date.now() + offset);
    const summaries = (await findEvents({ entity_id: entityId })).filter(({ event }) => /^access\..*summary$/.test(event));
    return summaries.map((row) => ({ ...row, detail: JSON.parse(row.detail ?? "{}") }));
  };

  it("end for refreshes, which go on, and cron sums them after the day", async () => {
    const nurse = await newPerson("nurse", world.hospitalId);
    const refresh = async (token: string) => {
      const response = await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: token } });
      expect(response.status).toBe(200);
      return (await readJson(response)).data.refresh_token;
    };
    // Whatever the account has stored.
    await setCounter(`quota-day:u:${nurse.id}`, today(), "records", 1e15);
    await setCounter(`quota-day:u:${nurse.id}`, today(), "session.refresh", MAX_UNCOUNTED_ROWS - 1);
    let token = nurse.refresh;
    for (let i = 0; i < 4; i++) token = await refresh(token);
    expect(await eventsOf(nurse.id, "session.refresh")).toBe(1);
    const [summary, ...others] = await summaryOf(nurse.id);
    expect(others).toEqual([]);
    expect(summary).toMatchObject({ hospital_id: world.hospitalId, detail: { event: "session.refresh", attempts: 3 } });
  });

  it("end for samples per sender, patient and day, and no sample is refused", async () => {
    const [nurse, patient] = [world.nurse, await newPatient(world.hospitalId, world.nurse)];
    const send = async (as: Person) => {
      const json = { patient_id: patient.id, ...createSample(72) };
      const { data } = await readJson(await sendRequest(`${API}/observations`, { as, json }));
      expect(data.results[0].status).toMatch(/stored|duplicate/);
    };
    await setCounter(`quota-day:u:${nurse.id}`, today(), `observation.create ${patient.id}`, MAX_SAMPLE_ROWS - 1);
    const before = await eventsOf(nurse.id, "observation.create");
    for (let i = 0; i < 3; i++) await send(nurse);
    expect((await eventsOf(nurse.id, "observation.create")) - before).toBe(1);
    await send(world.manager);
    expect(await eventsOf(world.manager.id, "observation.create")).toBe(1);
    const [summary] = await summaryOf(patient.id);
    expect(summary?.detail).toMatchObject({ event: "observation.create", by: nurse.id, attempts: 2, samples: 2 });
    expect(summary?.subjects).toEqual([patient.id]);
  });

  it("never end for deletions of a patient's data", async () => {
    const { manager } = world;
    await setCounter(`quota-day:u:${manager.id}`, today(), "patient.delete", MAX_UNCOUNTED_ROWS + 1);
    const patient = await newPatient(world.hospitalId, manager);
    const headers = { "If-Match": "*" };
    const path = `${API}/patients/${patient.id}`;
    expect((await sendRequest(path, { as: manager, method: "DELETE", headers })).status).toBe(200);
    expect(await eventsOf(manager.id, "patient.delete")).toBe(1);
  });

  it("end for failed logins, per account and else per address", async () => {
    const nurse = await newPerson("nurse", world.hospitalId);
    const ip = "2001:db8:1:2::7";
    const logIn = (email: string, from: string) =>
      sendRequest(`${API}/auth/login`, { json: { email, password: "wrong river stones" }, ip: from });
    const failures = async () => (await findEvents({ event: "login.failed" })).length;
    const before = await failures();
    await logIn(nurse.email, "10.9.9.9");
    await logIn(`${uniqueText()}@example.org`, ip);
    expect((await failures()) - before).toBe(2);
    const [address] = (
      await env.DB.prepare("SELECT scope FROM counters WHERE scope LIKE 'quota-day:a:%' AND name = 'refused'").all<{
        scope: string;
      }>()
    ).results;
    expect(address?.scope).toMatch(/^quota-day:a:[0-9a-f]{32}$/);
    for (const scope of [`quota-day:n:${nurse.id}`, address?.scope ?? ""])
      await setCounter(scope, today(), "refused", MAX_REFUSED_ROWS);
    await logIn(nurse.email, "10.9.9.8");
    await logIn(`${uniqueText()}@example.org`, "2001:db8:1:2::8");
    expect((await failures()) - before).toBe(2);
    // The account's own refusals and other addresses have their own hundred.
    await sendRequest(`${API}/audit-events`, { as: nurse });
    expect(await eventsOf(nurse.id, "access.denied")).toBe(1);
    await logIn(`${uniqueText()}@example.org`, "2001:db8:1:3::8");
    expect((await failures()) - before).toBe(3);
    expect((await summaryOf(nurse.id))[0]).toMatchObject({ detail: { attempts: 1 } });
  });
});

describe("an import grant", () => {
  it("of a direct upload is the one that it began with", async () => {
    const json = { bytes: 1_000_000, expires_at: new Date(Date.now() + HOUR_MS).toISOString(), reason: "Reports of 2024" };
    const path = `${API}/hospitals/${world.hospitalId}/import-grants`;
    const id: string = (await readJson(await sendRequest(path, { as: world.admin, json }))).data.grant_id;
    const headers = { "Import-Grant": id };
    const upload = async (onBegin: Record<string, string>, onConfirm: Record<string, string>) => {
      const pdf = newPdf(undefined, 20_000);
      const body = { patient_id: world.patient.id, size: pdf.length, sha256: await sha256(pdf), file_name: "holter.pdf" };
      const begun = await sendRequest(`${API}/reports/direct`, { as: world.nurse, json: body, headers: onBegin });
      const { upload_id } = (await readJson(begun)).data;
      const key = await env.DB.prepare("SELECT incoming_key FROM uploads WHERE id = ?")
        .bind(upload_id)
        .first<string>("incoming_key");
      await env.FILES.put(key ?? "", pdf);
      const confirmed = await sendRequest(`${API}/reports/direct/${upload_id}/confirm`, {
        as: world.nurse,
        method: "POST",
        headers: onConfirm,
      });
      expect(confirmed.status).toBe(201);
    };
    const inAll = () => counter(`quota:u:${world.nurse.id}`, 0, "files");
    const granted = () => counter(`quota:g:${id}`, 0, "records");
    await upload({}, headers);
    expect([await inAll(), await granted()]).toEqual([expect.any(Number), 0]);
    expect(await inAll()).toBeGreaterThan(19_000);
    const before = await inAll();
    await upload(headers, {});
    expect(await inAll()).toBe(before);
    expect(await granted()).toBeGreaterThan(20_000);
    const storage = await sendRequest(`${API}/hospitals/${world.hospitalId}/storage`, { as: world.manager });
    expect((await readJson(storage)).data.imported_bytes).toBe(await granted());
  });
});

describe("samples of the day", () => {
  it("count each closed hour once, in its newest version", async () => {
    const { hospitalId, manager, nurse } = await newWorld();
    const patient = await newPatient(hospitalId, nurse);
    const now = Date.now();
    const hour = today() * 24;
    const rollup = (n: number) => ({ count: n, min: 60, max: 80, sum: 70 * n, last: 70, last_at: hour * HOUR_MS });
    const deliver = (version: number, n: number, of = hour) => {
      const body = OUTBOX_DOCUMENTS.hour.write({ hour: of, version, stats: { "8867-4": rollup(n), "9279-1": rollup(2) } });
      return deliverToD1(env, getDb(env.DB), { patient: patient.id, hospital: hospitalId }, [{ id: 1, kind: "hour", body }], now);
    };
    await deliver(1, 10);
    await deliver(1, 10);
    await deliver(3, 25);
    await deliver(2, 17);
    await deliver(4, 40, hour - 30);
    await deliver(5, 3, hour + 1);
    const { data } = await readJson(await sendRequest(`${API}/hospitals/${hospitalId}/storage`, { as: manager }));
    expect(data.samples_today).toBe(27 + 5);
  });
});
