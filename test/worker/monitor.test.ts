// The patient's object over time: assignments, late samples, hours, clock corrections, the archive, device sockets.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadFacts } from "../../src/monitoring/patient-object/context/facts.ts";
import { deliverToD1 } from "../../src/monitoring/patient-object/delivery/d1-delivery.ts";
import type { ReceivedCounts } from "../../src/monitoring/patient-object/delivery/payloads.ts";
import { OUTBOX_DOCUMENTS } from "../../src/monitoring/patient-object/memory/documents.ts";
import type { PatientMonitor } from "../../src/monitoring/patient-object/patient-monitor.ts";
import { unpackHour } from "../../src/monitoring/patient-object/samples/rollup.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { eventually } from "../eventually.ts";
import { API, env, listLoggedEvents, newDevice, newPatient, newWorld, readJson, sendRequest, type World } from "../world.ts";

const HOUR = 3_600_000;
let world: World;
let device: Awaited<ReturnType<typeof newDevice>>;
beforeEach(async () => {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id, "wearable");
});

const iso = (time: number) => new Date(time).toISOString();
const sample = (value: number, time: number, extra: { seq?: number; code?: string } = {}) => ({
  code: "8867-4",
  value,
  unit: "/min",
  effective_at: iso(time),
  ...extra,
});
const bring = async (samples: object[], more: object = {}, as: { token: string } = device) =>
  (await readJson(await sendRequest(`${API}/observations`, { as, json: { samples, ...more } }))).data;
const monitor = (patientId = world.patient.id) => env.PATIENT_MONITOR.getByName(patientId);
const statuses = (data: { results: { status: string; reason?: string }[] }) => data.results.map(({ status }) => status);
const boundSince = (time: number) =>
  env.DB.prepare("UPDATE device_assignments SET started_at = ? WHERE device_id = ? AND ended_at IS NULL")
    .bind(time, device.id)
    .run();
const configure = async (patientId = world.patient.id) => {
  const { getKeys: keysOf } = await import("../../src/platform/config.ts");
  const facts = await loadFacts({ db: getDb(env.DB), keys: await keysOf(env) }, patientId, Date.now());
  if (facts) await monitor(patientId).configure(facts);
};
const everything = { codes: null, from: 0, to: Date.now() + HOUR, limit: 1000, after: null };
const values = async (patientId = world.patient.id) =>
  (await monitor(patientId).history(everything)).samples.map(({ value }) => value);

describe("a device that moves to another bed", () => {
  it("assigns samples to the patient it was assigned to when it measured them", async () => {
    const other = await newPatient(world.hospitalId, world.nurse);
    await boundSince(Date.now() - 2 * HOUR);
    await configure();
    await bring([sample(60, Date.now() - HOUR)], { sent_at: iso(Date.now()) });
    const moved = await sendRequest(`${API}/devices/${device.id}/assignments`, {
      as: world.nurse,
      json: { patient_id: other.id },
    });
    expect(moved.status).toBe(201);
    const now = Date.now();
    const data = await bring([sample(61, now - 30 * 60_000), sample(80, now + 1)], { sent_at: iso(now) });
    expect(statuses(data)).toEqual(["stored", "stored"]);
    expect(await values()).toEqual([61, 60]);
    expect(await values(other.id)).toEqual([80]);
  });

  it("quarantines late samples of a device whose clock is unknown", async () => {
    const other = await newPatient(world.hospitalId, world.nurse);
    await boundSince(Date.now() - 2 * HOUR);
    await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id: other.id } });
    const data = await bring([sample(61, Date.now() - HOUR)]);
    expect(data.results).toMatchObject([{ status: "quarantined" }]);
    expect(await values()).toEqual([]);
  });
});

describe("a device's clock", () => {
  it("three hours ahead is detected, reported and corrected; small errors are ignored", async () => {
    const ahead = 3 * HOUR;
    await boundSince(Date.now() - HOUR);
    await configure();
    const now = Date.now();
    const first = await bring([sample(70, now + ahead)], { sent_at: iso(now + ahead) });
    expect(first).toMatchObject({ results: [{ status: "stored", note: "clock_unconfirmed" }], clock: { confirmed: false } });
    const [kept] = (await monitor().history(everything)).samples;
    expect(Math.abs(Date.parse(kept?.effective_at ?? "") - now)).toBeLessThan(2_000);
    // The same batch, retried a moment later, is a duplicate and confirms nothing.
    expect(statuses(await bring([sample(70, now + ahead)], { sent_at: iso(now + ahead + 50) }))).toEqual(["duplicate"]);
    expect((await monitor().snapshot())?.latest).toEqual([]);
    const data = await bring([sample(71, now + ahead + 1)], { sent_at: iso(now + ahead + 100) });
    expect(data.clock).toMatchObject({ confirmed: true });
    expect(data.clock.corrected_ms).toBeGreaterThan(ahead - 5_000);
    await runDurableObjectAlarm(monitor());
    const skew = await env.DB.prepare("SELECT clock_skew_ms FROM devices WHERE id = ?")
      .bind(device.id)
      .first<number>("clock_skew_ms");
    expect(Math.abs((skew ?? 0) - ahead)).toBeLessThan(5_000);
  });

  it("that is unknown quarantines samples from the future", async () => {
    expect((await bring([sample(70, Date.now() + HOUR)])).results).toMatchObject([
      { status: "quarantined", reason: "in_the_future" },
    ]);
  });
});

describe("hours", () => {
  const stats = async () => {
    const { results } = await env.DB.prepare("SELECT hour, stats, version FROM vital_hours WHERE patient_id = ? ORDER BY hour")
      .bind(world.patient.id)
      .all<{ hour: number; stats: string; version: number }>();
    return results.map(({ hour, stats, version }) => ({
      hour,
      version,
      ...Object.fromEntries(unpackHour(hour, stats))["8867-4"],
    }));
  };

  it("that are over are delivered once; a late sample corrects its own hour", async () => {
    await boundSince(Date.now() - 10 * HOUR);
    await configure();
    const hour = Math.floor(Date.now() / HOUR) - 3;
    const start = hour * HOUR;
    await bring([sample(60, start + 1000), sample(70, start + 2000), sample(80, start + 3000)]);
    await runDurableObjectAlarm(monitor());
    const [first] = await stats();
    expect(first).toMatchObject({ hour, count: 3, min: 60, max: 80, sum: 210, last: 80 });
    await bring([sample(10, start + 1500)]);
    await runDurableObjectAlarm(monitor());
    const all = await stats();
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({ hour, count: 4, min: 10, max: 80, sum: 220 });
    expect(all[0]?.version).toBeGreaterThan(first?.version ?? 0);
  });
});

describe("the audit event of a device's uploads", () => {
  const DAY = 24 * HOUR;
  const told = async () => {
    const events = (await listLoggedEvents()).filter(
      ({ event, subjects }) => event === "observation.ingest" && subjects.includes(world.patient.id),
    );
    return events.map(({ detail, actor_id: actor, entity_id: entity }) => ({ actor, entity, ...JSON.parse(detail ?? "{}") }));
  };
  const alarm = () => runInDurableObject(monitor(), (instance: PatientMonitor) => instance.alarm());
  const day = () => iso(Date.now()).slice(0, 10);
  afterEach(() => void vi.useRealTimers());
  const at = (time: number) => vi.useFakeTimers({ now: time, toFake: ["Date"] });
  const bringThree = async () => {
    const now = Date.now();
    await bring([sample(70, now - 3, { seq: 4 }), sample(71, now - 2, { seq: 5 })]);
    await bring([sample(72, now - 1, { seq: 9 })]);
  };

  it("is one event of the device and the day, when the day is over", async () => {
    await boundSince(Date.now() - DAY);
    await configure();
    const today = day();
    const hourOfDay = Math.floor(Date.now() / HOUR) % 24;
    const inHour = (hour: number, n: number) => new Array(24).fill(0).fill(n, hour, hour + 1);
    await bringThree();
    const tomorrow = (Math.floor(Date.now() / DAY) + 1) * DAY;
    at(tomorrow + 10 * 60_000);
    await alarm();
    expect(await told()).toEqual([]);
    at(tomorrow + 21 * 60_000);
    await alarm();
    await alarm();
    const one = { actor: device.id, entity: device.id, day: today, samples: 3, first_seq: 4, last_seq: 9 };
    expect(await told()).toEqual([{ ...one, samples_by_hour: inHour(hourOfDay, 3) }]);
    await bringThree();
    at(tomorrow + 5.5 * HOUR);
    await bring([sample(73, Date.now() - 1, { seq: 12 })]);
    at(Date.now() + DAY);
    await alarm();
    const samples_by_hour = [3, 0, 0, 0, 0, 1, ...new Array(18).fill(0)];
    const two = { ...one, day: iso(tomorrow).slice(0, 10), samples: 4, last_seq: 12, samples_by_hour };
    expect(await told()).toEqual([{ ...one, samples_by_hour: inHour(hourOfDay, 3) }, two]);
  });

  it("is written once, however often and late it is delivered", async () => {
    const now = Date.now();
    const counts = {
      by: device.id,
      day: Math.floor(now / DAY),
      count: 3,
      hours: [3, ...new Array<number>(23).fill(0)],
      firstSeq: 4,
      lastSeq: 9,
      version: 7,
      queuedAt: now,
    } satisfies ReceivedCounts;
    const rows = (version: number) => [
      { id: 1, kind: "received", body: OUTBOX_DOCUMENTS.received.write({ ...counts, version }) },
    ];
    const home = { patient: world.patient.id, hospital: world.hospitalId };
    for (const later of [0, 1, 30 * DAY]) await deliverToD1(env, getDb(env.DB), home, rows(7), now + later);
    expect(await told()).toHaveLength(1);
    // The sequence number distinguishes another one.
    await deliverToD1(env, getDb(env.DB), home, rows(8), now);
    expect(await told()).toHaveLength(2);
  });

  it("does not wait for the day's end when the device is unbound", async () => {
    await boundSince(Date.now() - DAY);
    await configure();
    await bringThree();
    await sendRequest(`${API}/devices/${device.id}/assignments/current`, { as: world.nurse, method: "DELETE" });
    await configure();
    await runDurableObjectAlarm(monitor());
    expect(await told()).toMatchObject([{ actor: device.id, day: day(), samples: 3 }]);
    const own = await sendRequest(`${API}/audit-events?event=observation.ingest`, { as: world.self });
    expect((await readJson(own)).data).toMatchObject([{ actor: { id: device.id }, purpose: "TREAT", detail: { samples: 3 } }]);
  });
});

describe("what the object knows", () => {
  it("survives its eviction: samples, dedupe and alarms", async () => {
    await boundSince(Date.now() - HOUR);
    await configure();
    const first = Date.now();
    await bring([sample(70, first, { seq: 5 })]);
    await evictDurableObject(monitor());
    expect(statuses(await bring([sample(70, first, { seq: 5 })]))).toEqual(["duplicate"]);
    expect(await values()).toEqual([70]);
  });

  it("older than thirty days lies in the archive, sealed, and is read as before", async () => {
    await boundSince(Date.now() - 40 * 24 * HOUR);
    await configure();
    for (let i = 0; i < 5; i++) await bring([sample(60 + i, Date.now() - (i + 2) * HOUR)]);
    const before = await values();
    vi.setSystemTime(Date.now() + 45 * 24 * HOUR);
    await runInDurableObject(monitor(), (instance: PatientMonitor) => instance.alarm());
    const left = await runInDurableObject(
      monitor(),
      (_, state) => state.storage.sql.exec("SELECT count(*) AS n FROM late").one()["n"],
    );
    vi.useRealTimers();
    expect(left).toBe(0);
    expect(await values()).toEqual(before);
    const { objects } = await env.FILES.list();
    const [file] = objects.filter(({ key }) => key.includes("/vitals/"));
    expect(file).toBeDefined();
  });
});

describe("a device that starts again", () => {
  it("counts from one, and loses nothing: only what is not newer repeats", async () => {
    const now = Date.now();
    await bring([sample(70, now + 1, { seq: 1 }), sample(71, now + 2, { seq: 2 })]);
    expect(statuses(await bring([sample(80, now + 3, { seq: 1 }), sample(71, now + 2, { seq: 2 })]))).toEqual([
      "stored",
      "duplicate",
    ]);
  });
});

describe("a device's socket", () => {
  it("receives frames, acknowledges stored samples, and closes when the device is unassigned", async () => {
    const upgrade = await sendRequest(`${API}/observations/stream`, { as: device, headers: { Upgrade: "websocket" } });
    expect(upgrade.status).toBe(101);
    const socket = upgrade.webSocket;
    if (!socket) throw new Error("no socket");
    const heard: { type: string; upto?: number }[] = [];
    const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
    socket.addEventListener("message", ({ data }) => heard.push(JSON.parse(String(data))));
    socket.accept();
    const now = Date.now();
    socket.send(JSON.stringify({ type: "samples", samples: [sample(71, now, { seq: 1 }), sample(72, now + 1, { seq: 2 })] }));
    expect(heard.map(({ type }) => type)).not.toContain("ack");
    socket.send(JSON.stringify({ type: "flush" }));
    await eventually(() => expect(heard.map(({ type }) => type)).toContain("ack"));
    expect(heard.find(({ type }) => type === "ack")).toEqual({ type: "ack", upto: 2 });
    await evictDurableObject(monitor());
    expect(await values()).toEqual([72, 71]);
    const unbind = await sendRequest(`${API}/devices/${device.id}/assignments/current`, { as: world.nurse, method: "DELETE" });
    expect(unbind.status).toBe(200);
    expect(await closed).toBe(4403);
  });
});
