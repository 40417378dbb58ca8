// Messages of alarms: who is notified, once, by the object's queue and by the rows in D1, and by the escalation settings in force.
import { createMessageBatch, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Alert, Transition } from "../../src/monitoring/alarm-rules/model.ts";
import { deliverToD1 } from "../../src/monitoring/patient-object/delivery/d1-delivery.ts";
import { memoryDocument, OUTBOX_DOCUMENTS } from "../../src/monitoring/patient-object/memory/documents.ts";
import { toAlertId } from "../../src/monitoring/patient-object/samples/ids.ts";
import { type Alarm, alarmStatements, newAlarmActor, toAlarmEventId } from "../../src/notifications/alarms.ts";
import { consume } from "../../src/notifications/delivery/consume.ts";
import { notify } from "../../src/notifications/notify.ts";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import {
  API,
  env,
  newDevice,
  newPatient,
  newPerson,
  newWard,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";
import { newAlert } from "./alert-fixture.ts";
import { createSample } from "./monitored-patient.ts";

const MINUTE = 60_000;
const db = getDb(env.DB);
let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => void vi.useRealTimers());

/** A monitored patient, of a ward or of none. */
async function newMonitored(ward_id: string | null = null, team: Person[] = []): Promise<string> {
  const { id } = await newPatient(world.hospitalId, world.nurse, team);
  const json = { monitoring: "home", ward_id };
  const headers = { "If-Match": '"1"' };
  expect((await sendRequest(`${API}/patients/${id}`, { as: world.nurse, method: "PATCH", json, headers })).status).toBe(200);
  return id;
}

type Notified = { user_id: string; id: string; kind: string; priority: string };
const notificationsOf = (patient: string): Promise<Notified[]> =>
  db.all<Notified>(
    sql`SELECT user_id, id, kind, priority FROM notifications WHERE refs->>'patient_id' = ${patient} ORDER BY id, user_id`,
  );
const deliveriesOf = (patient: string) =>
  db.all<{ id: string; user_id: string; status: string }>(
    sql`SELECT id, user_id, status FROM deliveries WHERE refs->>'patient_id' = ${patient} ORDER BY id`,
  );

const newAlarm = (patient: string, change: Partial<Alarm> = {}): Alarm => ({
  kind: "alert.raised",
  patient,
  hospital: world.hospitalId,
  alert: toAlertId(patient, 1),
  n: 1,
  priority: "high",
  tier: 0,
  at: Date.now(),
  ...change,
});
const tell = (alarm: Alarm) => batch(db, alarmStatements(db, newAlarmActor(alarm.patient), [alarm]));
const sendAlarm = (alarm: Alarm) =>
  consume(env, createMessageBatch("edgecare-alarms", [{ id: "m", timestamp: new Date(), attempts: 1, body: { alarm } }]));

async function recipientsOf(patient: string, change: Partial<Alarm> = {}): Promise<string[]> {
  const alarm = newAlarm(patient, { ...change, n: Math.floor(Math.random() * 1e9) });
  await tell(alarm);
  return (await notificationsOf(patient)).filter(({ id }) => id === toAlarmEventId(alarm)).map(({ user_id }) => user_id);
}

const ids = (...people: Person[]) => people.map(({ id }) => id).sort();
const setStaff = (ward: string, people: Person[], version: number) =>
  sendRequest(`${API}/wards/${ward}/staff`, {
    as: world.manager,
    method: "PUT",
    json: { user_ids: people.map(({ id }) => id) },
    headers: { "If-Match": `"${version}"` },
  });
const putEscalation = (scope: string, json: object, version?: number) =>
  sendRequest(`${API}/${scope}/escalation`, {
    as: world.manager,
    method: "PUT",
    json,
    ...(version && { headers: { "If-Match": `"${version}"` } }),
  });

describe("an alarm of high priority", () => {
  it("reaches the nurse of a device's patient, with a delivery, once by both ways", async () => {
    await env.DB.prepare("UPDATE users SET email_verified_at = 1 WHERE id = ?").bind(world.nurse.id).run();
    const patient = await newMonitored();
    const device = await newDevice(world.nurse, patient, "wearable");
    const sent = await sendRequest(`${API}/observations`, { as: device, json: createSample(0) });
    expect((await readJson(sent)).data.refused).toBe(0);
    await vi.waitFor(async () => expect((await notificationsOf(patient)).length).toBeGreaterThan(0), { timeout: 5_000 });
    await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(patient));
    await vi.waitFor(
      async () => expect(await db.all(sql`SELECT 1 FROM alert_events WHERE alert_id = ${toAlertId(patient, 1)}`)).toHaveLength(1),
      { timeout: 5_000 },
    );
    const received = await notificationsOf(patient);
    expect(received).toMatchObject([{ user_id: world.nurse.id, kind: "alert.raised", priority: "alarm" }]);
    expect((await deliveriesOf(patient)).map(({ id }) => id)).toEqual([`${received[0]?.id}.email.${world.nurse.id}`]);
  });

  it("is sent by its queue alone, before its rows in D1", async () => {
    const patient = await newMonitored();
    await sendAlarm(newAlarm(patient));
    expect(await notificationsOf(patient)).toMatchObject([{ user_id: world.nurse.id }]);
  });

  it("is sent by its rows in D1 alone, when the queue is lost", async () => {
    const patient = await newMonitored();
    await deliverToD1(env, db, { patient, hospital: world.hospitalId }, [outboxRow({})], Date.now());
    expect(await notificationsOf(patient)).toMatchObject([{ user_id: world.nurse.id, kind: "alert.raised" }]);
  });

  it("has one message per person when both ways tell it at once", async () => {
    const patient = await newMonitored();
    const row = outboxRow({});
    const alarm = newAlarm(patient, { n: 7, at: NOW });
    await Promise.all([
      sendAlarm(alarm),
      deliverToD1(env, db, { patient, hospital: world.hospitalId }, [row], Date.now()),
      sendAlarm(alarm),
    ]);
    expect((await notificationsOf(patient)).map(({ id }) => id)).toEqual([toAlarmEventId(alarm)]);
    expect(new Set((await deliveriesOf(patient)).map(({ id }) => id)).size).toBe((await deliveriesOf(patient)).length);
  });

  it("has two with a random id, which this test notices", async () => {
    const patient = await newMonitored();
    const recipients = sql`SELECT ${world.nurse.id}`;
    const refs = { patient_id: patient };
    const random = () =>
      notify(db, newAlarmActor(patient), NOW, {
        kind: "alert.raised",
        hospitalId: world.hospitalId,
        refs,
        recipients,
        eventId: uuidv7(),
      });
    await batch(db, [...random(), ...random()]);
    expect(await notificationsOf(patient)).toHaveLength(2);
  });

  it("drops a message of another form", async () => {
    const patient = await newMonitored();
    await sendAlarm({ ...newAlarm(patient), tier: 9 });
    expect(await notificationsOf(patient)).toEqual([]);
  });

  it("is not sent to who has left the hospital, before or after its rows were written", async () => {
    const left = await newPerson("nurse", world.hospitalId);
    await env.DB.prepare("UPDATE users SET email_verified_at = 1 WHERE id = ?").bind(left.id).run();
    const patient = await newMonitored();
    const alarm = newAlarm(patient);
    await tell(alarm);
    await env.DB.prepare("UPDATE memberships SET ended_at = 1 WHERE user_id = ?").bind(left.id).run();
    await sendAlarm(alarm);
    expect((await deliveriesOf(patient)).find(({ user_id }) => user_id === left.id)?.status).toBe("cancelled");
    expect(await recipientsOf(patient)).toEqual(ids(world.nurse));
  });
});

const NOW = Date.now();
const ALERT = newAlert(NOW);
function outboxRow(change: Partial<Alert>, transition: Partial<Transition> = {}, version = 7) {
  const alert = { ...ALERT, ...change };
  const body = { version, ward: null, transition: { what: "raised" as const, at: NOW, by: null, ...transition, alert } };
  return { id: version, kind: "alert", body: OUTBOX_DOCUMENTS.alert.write(body) };
}

describe("changes of an alert", () => {
  it.each([
    ["a medium one, with normal priority", { priority: "medium" }, {}, [["alert.raised", "normal"]]],
    ["a higher priority", {}, { what: "raised_priority" }, [["alert.raised", "alarm"]]],
    ["the begin of sound", {}, { what: "raised_sound" }, [["alert.raised", "alarm"]]],
    ["an escalation", { tier: 1 }, { what: "escalated" }, [["alert.escalated", "alarm"]]],
    ["a repeat of a high one that nobody acknowledged", {}, { what: "repeated" }, [["alert.repeated", "alarm"]]],
    ["no repeat of an acknowledged one", { state: "acknowledged" }, { what: "repeated" }, []],
    ["no repeat of a medium one", { priority: "medium" }, { what: "repeated" }, []],
    ["no low one", { priority: "low" }, {}, []],
    ["no silent one", { sounds: false }, {}, []],
    ["no acknowledgement", { state: "acknowledged" }, { what: "acknowledged" }, []],
    ["no flapping", {}, { isFlapping: true }, []],
  ] as const)("tell people of %s", async (_, alert, transition, expected) => {
    const patient = await newMonitored();
    await deliverToD1(env, db, { patient, hospital: world.hospitalId }, [outboxRow(alert, transition)], Date.now());
    const received = (await notificationsOf(patient)).filter(({ user_id }) => user_id === world.nurse.id);
    expect(received.map(({ kind, priority }) => [kind, priority])).toEqual(expected);
  });
});

describe("the webhooks of a hospital", () => {
  const eventsOf = (patient: string) =>
    db.all<{ id: string; kind: string; refs: string }>(
      sql`SELECT id, kind, refs FROM deliveries WHERE channel = 'webhook' AND refs->>'patient_id' = ${patient} ORDER BY id`,
    );
  beforeAll(async () => {
    const columns = "(id, hospital_id, url_sealed, events, secrets_sealed, created_by, created_at, updated_at)";
    // biome-ignore lint/plugin: constants of this file.
    const insert = env.DB.prepare(
      `INSERT INTO webhooks ${columns} VALUES (?, ?, 'x', 'alert.raised alert.cleared', 'x', 'test', 1, 1)`,
    );
    await insert.bind(uuidv7(), world.hospitalId).run();
  });

  it("are sent by ids that an alert was raised and cleared, each once", async () => {
    const patient = await newMonitored();
    const rows = [outboxRow({}), outboxRow({ state: "cleared" }, { what: "cleared", at: NOW + 1 }, 8)];
    for (let i = 0; i < 2; i++) await deliverToD1(env, db, { patient, hospital: world.hospitalId }, rows, Date.now());
    const events = await eventsOf(patient);
    expect(events.map(({ kind }) => kind)).toEqual(["alert.raised", "alert.cleared"]);
    expect(JSON.parse(events[0]?.refs ?? "")).toEqual({
      hospital_id: world.hospitalId,
      patient_id: patient,
      alert_id: toAlertId(patient, 1),
      priority: "high",
    });
  });

  it("are not sent for escalation and repeats", async () => {
    const patient = await newMonitored();
    const rows = [outboxRow({ tier: 1 }, { what: "escalated" }, 2), outboxRow({}, { what: "repeated" }, 3)];
    await deliverToD1(env, db, { patient, hospital: world.hospitalId }, rows, Date.now());
    expect(await eventsOf(patient)).toEqual([]);
  });
});

describe("who has the patient", () => {
  it("is the care team, or all nurses where it is nobody, of a patient without a ward", async () => {
    expect(await recipientsOf(await newMonitored(null, [world.doctor]))).toEqual(ids(world.doctor));
    expect(await recipientsOf(await newMonitored())).toEqual(ids(world.nurse));
  });

  it("is the staff of the ward with the care team, or all nurses while none of the staff is active", async () => {
    const ward = await newWard(world.manager);
    const own = await newPerson("nurse", world.hospitalId);
    const patient = await newMonitored(ward, [world.doctor]);
    expect(await recipientsOf(patient)).toEqual(ids(world.doctor, world.nurse, own));
    expect((await setStaff(ward, [own], 1)).status).toBe(200);
    expect(await recipientsOf(patient)).toEqual(ids(world.doctor, own));
    await env.DB.prepare("UPDATE memberships SET suspended_at = 1 WHERE user_id = ?").bind(own.id).run();
    expect(await recipientsOf(patient)).toEqual(ids(world.doctor, world.nurse));
    await env.DB.prepare("UPDATE memberships SET ended_at = 1 WHERE user_id = ?").bind(own.id).run();
  });

  it("is all nurses while the staff of the ward may not see the patient, in each tier", async () => {
    const ward = await newWard(world.manager);
    const patient = await newMonitored(ward);
    // Doctors of this hospital see their care teams alone.
    expect((await setStaff(ward, [world.doctor], 1)).status).toBe(200);
    expect(await recipientsOf(patient)).toEqual(ids(world.nurse));
    expect(await recipientsOf(patient, { kind: "alert.escalated", tier: 1 })).toEqual(ids(world.nurse));
  });

  it("is sent again in each tier, with the people of the tier who may see the patient", async () => {
    const ward = await newWard(world.manager);
    const patient = await newMonitored(ward);
    const tiers = [[{ user_id: world.manager.id }, { user_id: world.doctor.id }], [{ role: "hospital_admin" }]];
    expect((await putEscalation(`wards/${ward}`, { tiers })).status).toBe(200);
    expect(await recipientsOf(patient)).toEqual(ids(world.nurse));
    // The doctor is named and does not see the patient: doctors of this hospital see their care teams alone.
    expect(await recipientsOf(patient, { kind: "alert.escalated", tier: 1 })).toEqual(ids(world.manager, world.nurse));
    expect(await recipientsOf(patient, { kind: "alert.escalated", tier: 2 })).toEqual(ids(world.manager, world.nurse));
    expect(await recipientsOf(patient, { kind: "alert.escalated", tier: 3 })).toEqual(ids(world.nurse));
    const team = await newMonitored(ward, [world.doctor]);
    expect(await recipientsOf(team, { kind: "alert.escalated", tier: 1 })).toEqual(ids(world.doctor, world.manager, world.nurse));
  });

  it("is nobody of another hospital", async () => {
    const other = await newWorld();
    const patient = await newMonitored();
    expect(await recipientsOf(patient, { hospital: other.hospitalId })).toEqual([]);
  });
});

describe("the minutes of an open alert", () => {
  const escalationOf = (patient: string) =>
    runInDurableObject(env.PATIENT_MONITOR.getByName(patient), (_, state) => {
      const [row] = state.storage.sql.exec<{ memory: string }>("SELECT memory FROM open").toArray();
      const [alert] = memoryDocument.read(row?.memory ?? "").alarm.alerts;
      return { after: ((alert?.escalate_at ?? 0) - (alert?.raised_at ?? 0)) / MINUTE, tier: alert?.tier };
    });

  it("follow the settings within five seconds, and tell the tier when they have passed", async () => {
    const ward = await newWard(world.manager);
    const patient = await newMonitored(ward);
    await sendRequest(`${API}/observations`, { as: world.nurse, json: { patient_id: patient, ...createSample(0) } });
    expect(await escalationOf(patient)).toEqual({ after: 3, tier: 0 });
    const minutes = (high: number[]) => ({
      escalation_minutes: { high, medium: [], low: [] },
      tiers: [[{ user_id: world.manager.id }]],
    });
    expect((await putEscalation(`wards/${ward}`, minutes([7, 9]))).status).toBe(200);
    await vi.waitFor(async () => expect(await escalationOf(patient)).toEqual({ after: 7, tier: 0 }), { timeout: 5_000 });

    vi.useFakeTimers({ now: Date.now() + 5 * MINUTE, toFake: ["Date"] });
    expect((await putEscalation(`wards/${ward}`, minutes([2, 60]), 1)).status).toBe(200);
    await vi.waitFor(async () => expect(await escalationOf(patient)).toEqual({ after: 60, tier: 1 }), { timeout: 5_000 });
    await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(patient));
    await vi.waitFor(
      async () =>
        expect(
          (await notificationsOf(patient)).filter(({ kind }) => kind === "alert.escalated").map(({ user_id }) => user_id),
        ).toEqual(ids(world.manager, world.nurse)),
      { timeout: 5_000 },
    );
  });
});
