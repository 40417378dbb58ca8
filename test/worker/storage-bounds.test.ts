// Bounds of what one sender can store: notes, refused attempts, held samples, samples of a day, reported conditions, import grants.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_REFUSED_ROWS } from "../../src/access/row-allowance.ts";
import { runCleanup } from "../../src/cron.ts";
import { MAX_RAISED_PER_HOUR } from "../../src/monitoring/alarm-rules/raise-counts.ts";
import type { PatientMonitor } from "../../src/monitoring/patient-object/patient-monitor.ts";
import { MAX_STORED_PER_DEVICE, MAX_STORED_PER_HOUR } from "../../src/monitoring/patient-object/recording/item-limits.ts";
import { STORAGE_LIMITS } from "../../src/platform/storage-quotas.ts";
import { DAY_MS, utcDayOf } from "../../src/platform/time.ts";
import { withCounters, withRandomDelays } from "../stores.ts";
import {
  API,
  env,
  findEvents,
  newDevice,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  type Patient,
  readJson,
  sendRequest,
  uploadReport,
  type World,
} from "../world.ts";
import { createSample } from "./monitored-patient.ts";
import { deleteUnreferencedFiles } from "./storage-evidence.ts";

let world: World;
afterAll(deleteUnreferencedFiles);
beforeAll(async () => {
  world = await newWorld();
});

const count = async (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  (await env.DB.prepare(query)
    .bind(...values)
    .first<number>("n")) ?? 0;
const setCounter = (scope: string, day: number, name: string, n: number) =>
  env.DB.prepare(
    "INSERT INTO counters (scope, day, name, n) VALUES (?, CAST(? AS INTEGER), ?, CAST(? AS INTEGER)) ON CONFLICT DO UPDATE SET n = excluded.n",
  )
    .bind(scope, day, name, n)
    .run();
const counter = (scope: string, day: number, name: string) =>
  count("SELECT n FROM counters WHERE scope = ? AND day = ? AND name = ?", scope, day, name);
const today = () => utcDayOf(Date.now());

describe("intake texts of a person", () => {
  const intake = (as: { token: string }, patient: Patient, on = env) =>
    sendRequest(`${API}/patients/${patient.id}/intake`, { as, json: { symptoms: ["x".repeat(200)] }, env: on });

  it("end exactly at the day's bytes when 40 come at once, and leave no row beyond", async () => {
    const nurse = await newPerson("nurse", world.hospitalId);
    const scope = `quota-day:u:${nurse.id}`;
    await intake(nurse, world.patient);
    const each = await counter(scope, today(), "records");
    expect(each).toBeGreaterThan(200);
    const most = STORAGE_LIMITS.staff.records.day;
    await setCounter(scope, today(), "records", most - 7 * (each + 64));
    const rows = () => count("SELECT count(*) AS n FROM intake_responses WHERE authored_by = ?", nurse.id);
    const before = await rows();
    const answers = await Promise.all(Array.from({ length: 40 }, () => intake(nurse, world.patient, withRandomDelays(env))));
    const stored = answers.filter(({ status }) => status === 201).length;
    expect(stored).toBeGreaterThanOrEqual(7);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(40 - stored);
    expect(await rows()).toBe(before + stored);
    expect(await counter(scope, today(), "records")).toBeLessThanOrEqual(most);
    const refused = await intake(nurse, world.patient);
    expect((await readJson(refused)).detail).toContain(`It ends at ${new Date((today() + 1) * DAY_MS).toISOString()}`);
  });

  it("count at least the bytes by which the database grows", async () => {
    const nurse = await newPerson("nurse", world.hospitalId);
    const sizeOf = async () => (await env.DB.prepare("SELECT 1").run()).meta.size_after ?? 0;
    const before = await sizeOf();
    const text = "क".repeat(3_000);
    for (let i = 0; i < 40; i++)
      await sendRequest(`${API}/patients/${world.patient.id}/intake`, { as: nurse, json: { symptoms: [text] } });
    for (let i = 0; i < 40; i++)
      await sendRequest(`${API}/patients`, { as: nurse, json: { first_name: `Ashwini ${i}`, last_name: "Venkataraman" } });
    const charged = await counter(`quota-day:u:${nurse.id}`, today(), "records");
    expect(charged).toBeGreaterThan(((await sizeOf()) - before) * 0.8);
    expect(await counter(`quota:u:${nurse.id}`, 0, "records")).toBe(charged);
  });

  it("take no further round trip of D1 for the quota", async () => {
    const { env: counted, counts } = withCounters(env);
    expect((await intake(world.nurse, world.patient, counted)).status).toBe(201);
    expect(counts.d1).toBe(2);
  });
});

describe("reads", () => {
  it("write nothing to D1, count nothing and are never refused", async () => {
    const { env: counted, counts } = withCounters(env);
    const list = (as: { token: string }) => sendRequest(`${API}/patients`, { as, env: counted });
    for (const person of [world.self, world.nurse]) {
      await setCounter(`quota-day:u:${person.id}`, today(), "records", 1e15);
      await setCounter(`quota:u:${person.id}`, 0, "records", 1e15);
    }
    expect((await list(world.self)).status).toBe(200);
    expect((await list(world.nurse)).status).toBe(200);
    expect(counts.rowsWritten).toBe(0);
    await env.DB.prepare("DELETE FROM counters WHERE scope LIKE 'quota%'").run();
  });
});

describe("refused attempts", () => {
  const rowsOf = async (id: string) => ({
    uploads: await count("SELECT count(*) AS n FROM uploads WHERE actor_id = ?", id),
    events: (await findEvents({ actor_id: id })).filter(({ outcome }) => outcome !== "success").length,
  });

  it("keep a row each up to a hundred a day, the rest is one counter, and one audit event after the day", async () => {
    const nurse = await newPerson("nurse", world.hospitalId);
    const send = () => uploadReport(nurse, newPdf().slice(3), { patient_id: world.patient.id });
    await send();
    expect(await rowsOf(nurse.id)).toEqual({ uploads: 1, events: 1 });
    await setCounter(`quota-day:u:${nurse.id}`, today(), "refused", MAX_REFUSED_ROWS - 2);
    for (let i = 0; i < 6; i++) expect((await send()).status).toBe(415);
    expect(await rowsOf(nurse.id)).toEqual({ uploads: 3, events: 3 });
    expect(await counter(`quota-day:u:${nurse.id}`, today(), "refused")).toBe(MAX_REFUSED_ROWS + 4);
    // Another principal has its own hundred.
    const colleague = await newPerson("nurse", world.hospitalId);
    await sendRequest(`${API}/audit-events`, { as: colleague });
    expect((await rowsOf(colleague.id)).events).toBe(1);
    await setCounter(`quota:u:${nurse.id}`, 0, "records", 5);
    for (const offset of [0, DAY_MS, DAY_MS]) await runCleanup(env, Date.now() + offset);
    const summaries = await findEvents({ event: "access.denied_summary", entity_id: nurse.id });
    expect(summaries).toMatchObject([{ entity_type: "user", hospital_id: world.hospitalId, outcome: "denied" }]);
    const day = new Date(today() * DAY_MS).toISOString().slice(0, 10);
    expect(JSON.parse(summaries[0]?.detail ?? "{}")).toEqual({ attempts: 4, day });
    expect(await count("SELECT count(*) AS n FROM counters WHERE scope LIKE 'quota-day:%'")).toBe(0);
    expect(await counter(`quota:u:${nurse.id}`, 0, "records")).toBe(5);
  });

  it("of a device share the count of its credentials, and unknown credentials leave none", async () => {
    const device = await newDevice(world.nurse, null);
    const asked = await sendRequest(`${API}/patients`, { as: device });
    expect(asked.status).toBe(403);
    expect(await counter(`quota-day:m:${device.id}`, today(), "refused")).toBe(1);
    const before = await count("SELECT count(*) AS n FROM counters");
    const unknown = device.token.replace(device.credentialId, "0193a5b0-0000-7000-8000-00000000ffff");
    await sendRequest(`${API}/patients`, { as: unknown });
    expect(await count("SELECT count(*) AS n FROM counters")).toBe(before);
  });
});

describe("samples of a device without a patient", () => {
  it("end with the device's quota, not with the request's count alone", async () => {
    const device = await newDevice(world.nurse, null);
    const send = () => sendRequest(`${API}/observations`, { as: device, json: createSample(72) });
    expect((await readJson(await send())).data.results[0].status).toBe("quarantined");
    const used = await counter(`quota-day:m:${device.id}`, today(), "records");
    expect(used).toBeGreaterThan(500);
    await setCounter(`quota-day:m:${device.id}`, today(), "records", STORAGE_LIMITS.device.records.day - used + 100);
    const refused = await send();
    expect({ status: refused.status, code: (await readJson(refused)).code }).toEqual({ status: 429, code: "quota_exceeded" });
    expect(await count("SELECT count(*) AS n FROM held_observations WHERE device_id = ?", device.id)).toBe(1);
  });

  it("that belong to another time are refused one by one, and the others are stored", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const device = await newDevice(world.nurse, patient.id);
    await setCounter(`quota-day:m:${device.id}`, today(), "records", 1e15);
    const samples = [createSample(72), createSample(71, 3_600_000)];
    const sent = await sendRequest(`${API}/observations`, { as: device, json: { samples } });
    const { results } = (await readJson(sent)).data;
    expect([sent.status, results[0].status, results[1].reason]).toEqual([200, "stored", "quota_exceeded"]);
  });
});

async function newMonitored() {
  const patient = await newPatient(world.hospitalId, world.nurse);
  const json = { monitoring: "ward" };
  await sendRequest(`${API}/patients/${patient.id}`, { as: world.nurse, method: "PATCH", json, headers: { "If-Match": '"1"' } });
  const device = await newDevice(world.nurse, patient.id, "bedside_monitor");
  return { device, monitor: env.PATIENT_MONITOR.getByName(patient.id), patient };
}

describe("samples of a bound device", () => {
  it("beyond the day's limit are rejected one by one, are no duplicates later, and still raise their alarm", async () => {
    const { device, monitor } = await newMonitored();
    const origin = { kind: "device", credential: device.credentialId } as const;
    await sendRequest(`${API}/observations`, { as: device, json: createSample(72) });
    const outcome = await runInDurableObject(monitor, (instance: PatientMonitor) => {
      const counts = Array.from({ length: 3 }, (_, i) => ({ ...createSample(70, -1000 * (i + 1)), seq: i + 1 }));
      instance.record(origin, { items: counts, sent_at: null, conditions: null });
      return instance.snapshot()?.alerts.length;
    });
    expect(outcome).toBe(0);
    // The memory is stored with its counts: sets the device's to two below its limit.
    await runInDurableObject(monitor, (_: PatientMonitor, state) => {
      const field = "$.content.storedCounts";
      state.storage.sql.exec(
        `UPDATE open SET memory = json_set(memory, '${field}."' || ? || '".count', ?)`,
        device.id,
        MAX_STORED_PER_DEVICE - 2,
      );
    });
    await evictDurableObject(monitor);
    const items = Array.from({ length: 4 }, (_, i) => ({ ...createSample(i < 2 ? 75 : 0, -10_000 - i * 500), seq: 10 + i }));
    const sent = await readJson(await sendRequest(`${API}/observations`, { as: device, json: { samples: items } }));
    expect(sent.data.results.map(({ status, reason }: { status: string; reason?: string }) => reason ?? status)).toEqual([
      "stored",
      "stored",
      "too_many_samples",
      "too_many_samples",
    ]);
    expect((await monitor.snapshot())?.alerts.map(({ rule, priority }) => `${rule} ${priority}`)).toContain("limit high");
    // Sent again as a whole, it is answered as before, and what is stored uses up no room.
    const again = await readJson(await sendRequest(`${API}/observations`, { as: device, json: { samples: items } }));
    expect(again.data.results.map(({ status, reason }: { status: string; reason?: string }) => reason ?? status)).toEqual([
      "duplicate",
      "duplicate",
      "too_many_samples",
      "too_many_samples",
    ]);
  });

  it("beyond the limit of the hour in which they were measured are rejected, and still raise their alarm", async () => {
    const { device, monitor, patient } = await newMonitored();
    await sendRequest(`${API}/observations`, { as: device, json: createSample(72) });
    const hour = Math.floor(Date.now() / 3_600_000);
    await runInDurableObject(monitor, (_: PatientMonitor, state) => {
      const counts = [0, MAX_STORED_PER_HOUR - 2, MAX_STORED_PER_HOUR - 2];
      state.storage.sql.exec(
        "UPDATE open SET memory = json_set(memory, '$.content.hourCounts', json(?))",
        JSON.stringify({ from: hour - 1, counts }),
      );
    });
    await evictDurableObject(monitor);
    // The newest is normal: the alarm rules see every rejected sample.
    const values = [71, 72, 190, 73];
    const samples = values.map((value, i) => ({ ...createSample(value, -2_000 - i * 500), seq: 10 + i }));
    const send = async () => {
      const { data } = await readJson(await sendRequest(`${API}/observations`, { as: device, json: { samples } }));
      return data.results.map(({ status, reason }: { status: string; reason?: string }) => reason ?? status);
    };
    expect(await send()).toEqual(["stored", "stored", "too_many_samples", "too_many_samples"]);
    expect((await monitor.snapshot())?.alerts.map(({ rule, priority }) => `${rule} ${priority}`)).toContain("limit high");
    expect(await send()).toEqual(["duplicate", "duplicate", "too_many_samples", "too_many_samples"]);
    // Samples of another hour are stored.
    const earlier = { patient_id: patient.id, ...createSample(72, 2 * 3_600_000) };
    const other = await readJson(await sendRequest(`${API}/observations`, { as: world.nurse, json: earlier }));
    expect(other.data.results[0].status).toBe("stored");
  });

  it("that are critically low and high in turn write a bounded number of rows and frames", async () => {
    const { device, monitor, patient } = await newMonitored();
    const start = Date.now() - 4_000;
    await env.DB.prepare("UPDATE device_assignments SET started_at = ? WHERE device_id = ?").bind(start, device.id).run();
    for (let request = 0; request < 4; request++) {
      const samples = Array.from({ length: 1000 }, (_, i) => {
        const at = new Date(start + request * 1000 + i).toISOString();
        return { ...createSample(i % 2 ? 210 : 20), effective_at: at, seq: request * 1000 + i };
      });
      const { data } = await readJson(await sendRequest(`${API}/observations`, { as: device, json: { samples } }));
      expect(data.results.filter(({ status }: { status: string }) => status === "stored")).toHaveLength(1000);
    }
    const ofPatient = "FROM alert_events e JOIN alerts a ON a.id = e.alert_id WHERE a.patient_id = ? AND a.code = '8867-4'";
    let events = 0;
    // A run of the alarm delivers a part of what waits.
    await expect
      .poll(async () => {
        const before = events;
        await runDurableObjectAlarm(monitor);
        events = await count(`SELECT count(*) AS n ${ofPatient}`, patient.id);
        return events >= MAX_RAISED_PER_HOUR && events === before;
      })
      .toBe(true);
    // Limits, rates and trends of one vital share the count. Two clock hours, if the test runs across one.
    expect(events).toBeLessThanOrEqual(2 * MAX_RAISED_PER_HOUR + 2);
    const limitAlert = (await monitor.snapshot())?.alerts.find(({ rule }) => rule === "limit");
    expect(limitAlert).toMatchObject({ state: "active", priority: "high", why: { value: 210, side: "high" } });
  });
});

describe("conditions of a device", () => {
  const report = async (device: { token: string }, conditions: string[]) => {
    const json = { samples: [createSample(72)], conditions };
    expect((await sendRequest(`${API}/observations`, { as: device, json })).status).toBe(200);
  };

  it("outside of the vocabulary are one alert, whatever their words", async () => {
    const { device, monitor, patient } = await newMonitored();
    for (let i = 0; i < 20; i++) await report(device, ["leads_off", ...Array.from({ length: 16 }, (_, k) => `new_${i}_${k}`)]);
    const snapshot = await monitor.snapshot();
    const texts = snapshot?.alerts.map(({ why }) => why.text) ?? [];
    expect(texts).toHaveLength(2);
    expect(texts).toContain("The device reports: leads_off");
    const other = texts.find((text) => text.includes("other")) ?? "";
    // Each new word is a new condition, so the alert names the latest.
    expect(other).toMatch(/^The device reports: other \(new_19_0, new_19_1/);
    expect(other.length).toBeLessThan(130);
    const { devices } = (
      await readJson(await sendRequest(`${API}/patients/${patient.id}/observations/latest`, { as: world.nurse }))
    ).data;
    expect(devices[0].conditions).toEqual(["leads_off", "other"]);
  });

  it("that change all the time raise a bounded number of alerts, and one stands for the rest of the hour", async () => {
    const { device, monitor, patient } = await newMonitored();
    const origin = { kind: "device", credential: device.credentialId } as const;
    await report(device, []);
    await runInDurableObject(monitor, (instance: PatientMonitor) => {
      for (let i = 0; i < 400; i++) {
        const conditions = i % 2 ? [] : ["leads_off", "low_battery", "artifact", "cuff_leak"];
        instance.record(origin, { items: [], sent_at: null, conditions });
      }
    });
    const texts = (await monitor.snapshot())?.alerts.map(({ why }) => why.text);
    expect(texts).toEqual(["The device reports: changing_conditions"]);
    await runDurableObjectAlarm(monitor);
    const raised = await count("SELECT count(*) AS n FROM alerts WHERE patient_id = ? AND rule = 'technical'", patient.id);
    // Limits, rates and trends of one vital share the count. Two clock hours, if the test runs across one.
    expect(raised).toBeLessThanOrEqual(2 * (MAX_RAISED_PER_HOUR + 5));
  });
});

describe("an import grant", () => {
  const path = () => `${API}/hospitals/${world.hospitalId}/import-grants`;
  const body = (bytes: number) => ({
    bytes,
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    reason: "Reports of 2024",
  });

  it("takes writes beyond the quotas, up to its size, until it is revoked", async () => {
    const created = await sendRequest(path(), { as: world.admin, json: body(60_000) });
    expect(created.status).toBe(201);
    const id: string = (await readJson(created)).data.grant_id;
    const { nurse, patient } = world;
    await setCounter(`quota-day:u:${nurse.id}`, today(), "files", 1e15);
    const send = (grant?: string) =>
      uploadReport(
        nurse,
        newPdf(undefined, 20_000),
        { patient_id: patient.id },
        grant ? { headers: { "Import-Grant": grant } } : {},
      );
    expect((await send()).status).toBe(429);
    const answers = await Promise.all(Array.from({ length: 6 }, () => send(id)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 409, 409, 409, 409]);
    const [listed] = (await readJson(await sendRequest(path(), { as: world.manager }))).data;
    expect(listed).toMatchObject({ grant_id: id, bytes: 60_000, reason: "Reports of 2024", revoked_at: null });
    expect(listed.used_bytes).toBeGreaterThan(40_000);
    expect(listed.used_bytes).toBeLessThanOrEqual(60_000);
    const revoked = await sendRequest(`${path()}/${id}`, { as: world.admin, method: "DELETE" });
    expect(revoked.status).toBe(200);
    expect((await readJson(await send(id))).code).toBe("import_grant_ended");
    expect((await sendRequest(`${path()}/${id}`, { as: world.admin, method: "DELETE" })).status).toBe(409);
    await env.DB.prepare("DELETE FROM counters WHERE scope LIKE 'quota-day:%'").run();
  });

  it("is given by platform administrators only, ends, and counts for its own hospital", async () => {
    expect((await sendRequest(path(), { as: world.manager, json: body(1000) })).status).toBe(403);
    const past = { ...body(1000), expires_at: "2026-01-01T00:00:00Z" };
    expect((await sendRequest(path(), { as: world.admin, json: past })).status).toBe(400);
    const id: string = (await readJson(await sendRequest(path(), { as: world.admin, json: body(1_000_000) }))).data.grant_id;
    const elsewhere = await newWorld();
    const create = (as: { token: string }) =>
      sendRequest(`${API}/patients`, { as, json: { first_name: "Uma" }, headers: { "Import-Grant": id } });
    expect((await readJson(await create(elsewhere.nurse))).code).toBe("import_grant_ended");
    expect((await create(world.nurse)).status).toBe(201);
    await env.DB.prepare("UPDATE import_grants SET expires_at = 1 WHERE id = ?").bind(id).run();
    expect((await readJson(await create(world.nurse))).code).toBe("import_grant_ended");
    const malformed = await sendRequest(`${API}/patients`, { as: world.nurse, headers: { "Import-Grant": "x' OR 1" } });
    expect(malformed.status).toBe(400);
  });
});

describe("the storage of a hospital", () => {
  it("shows use, quotas and their end to its administrators", async () => {
    const { manager, nurse, hospitalId, patient } = await newWorld();
    const pdf = newPdf(undefined, 5_000);
    await uploadReport(nurse, pdf, { patient_id: patient.id });
    const read = (as: { token: string }) => sendRequest(`${API}/hospitals/${hospitalId}/storage`, { as });
    const { data } = await readJson(await read(manager));
    expect(data.files).toEqual({
      today: pdf.length,
      day_quota: STORAGE_LIMITS.hospital.files.day,
      total: pdf.length,
      ceiling: STORAGE_LIMITS.hospital.files.total,
    });
    expect(data.records.today).toBeGreaterThan(1_000);
    expect(data.records.total).toBeGreaterThanOrEqual(data.records.today);
    expect(Date.parse(data.day_ends_at)).toBe((today() + 1) * DAY_MS);
    expect((await read(nurse)).status).toBe(403);
    expect((await read(world.manager)).status).toBe(404);
  });
});
