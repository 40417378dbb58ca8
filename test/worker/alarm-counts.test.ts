// What a batch of many alarms costs, in counts: round trips to D1, connections that a dead provider holds, and who waits for it.
import { createMessageBatch } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Alert } from "../../src/monitoring/alarm-rules/model.ts";
import { deliverToD1 } from "../../src/monitoring/patient-object/delivery/d1-delivery.ts";
import { OUTBOX_DOCUMENTS } from "../../src/monitoring/patient-object/memory/documents.ts";
import { toAlertId } from "../../src/monitoring/patient-object/samples/ids.ts";
import type { Alarm } from "../../src/notifications/alarms.ts";
import type { Channel, ChannelCall, Delivery } from "../../src/notifications/channel.ts";
import { CHANNELS } from "../../src/notifications/channels.ts";
import { type ConsumeOptions, consume } from "../../src/notifications/delivery/consume.ts";
import { TIME_LIMITS } from "../../src/notifications/delivery/sending-run.ts";
import { emailChannel } from "../../src/notifications/email/email-channel.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import { eventually } from "../eventually.ts";
import { withCounters } from "../stores.ts";
import { env, newPatient, newWorld, type World } from "../world.ts";
import { newAlert } from "./alert-fixture.ts";
import { ALARMS } from "./deliveries-world.ts";

const db = getDb(env.DB);
/** All batches of alarms have at most this many messages (wrangler.toml). */
const BATCH = 100;

let world: World;
let patientId: string;
beforeAll(async () => {
  world = await newWorld();
  await env.DB.prepare("UPDATE users SET email_verified_at = 1 WHERE id = ?").bind(world.nurse.id).run();
  // Nobody in particular has the patient: all nurses do.
  patientId = (await newPatient(world.hospitalId, world.nurse)).id;
  const subscription = uuidv7();
  await env.DB.prepare(
    "INSERT INTO push_subscriptions (id, user_id, endpoint_index, subscription_sealed, created_at, renewed_at) VALUES (?, ?, ?, 'x', 1, 1)",
  )
    .bind(subscription, world.nurse.id, subscription)
    .run();
});

/** A destination that keeps connections open until the attempt's deadline, with the most attempts that were open at once. */
class DeadProvider {
  open = 0;
  most = 0;
  /** Alerts of the attempts, in their order. */
  readonly begun: unknown[] = [];
  readonly ended: unknown[] = [];
  readonly channel: Channel;

  constructor(name: string) {
    const send = ({ signal }: ChannelCall, { refs }: Delivery) => {
      this.begun.push(refs["alert_id"]);
      this.open += 1;
      this.most = Math.max(this.most, this.open);
      return new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => {
          this.open -= 1;
          this.ended.push(refs["alert_id"]);
          reject(signal.reason);
        }),
      );
    };
    this.channel = { send, destination: () => name, retryDelays: [60_000, 60_000], deadlineMs: 10_000 };
  }
}

let dead: DeadProvider;
beforeEach(() => {
  dead = new DeadProvider(uuidv7());
});

/** Retries of one test's alarms must not meet the providers of the next. */
afterEach(async () => {
  await env.DB.prepare("UPDATE deliveries SET status = 'cancelled', next_attempt_at = NULL, leased_until = NULL").run();
});

let number = 0;
const newAlarms = (count: number, patient = patientId): Alarm[] =>
  Array.from({ length: count }, () => ({
    kind: "alert.raised",
    patient,
    hospital: world.hospitalId,
    alert: toAlertId(patient, ++number),
    n: number,
    priority: "high",
    tier: 0,
    at: Date.now(),
  }));
const sendAlarms = (alarms: readonly Alarm[], options: ConsumeOptions, on: Env = env) => {
  const messages = alarms.map((alarm) => ({ id: uuidv7(), timestamp: new Date(), attempts: 1, body: { alarm } }));
  return consume(on, createMessageBatch(ALARMS, messages), options);
};
const statusesOf = async (alarms: readonly Alarm[], channel: string) => {
  const alerts = JSON.stringify(alarms.map(({ alert }) => alert));
  const rows = await db.all<{ status: string; n: number }>(sql`SELECT status, count(*) AS n FROM deliveries
    WHERE channel = ${channel} AND refs->>'alert_id' IN (SELECT value FROM json_each(${alerts})) GROUP BY status`);
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
};

/** Round trips that depend on neither alarms nor recipients: write, announce, lease twice, and what each of two channels reads. */
const FIXED = 6;
/** The ledger writes once per gap while the invocation lasts. */
const { startMs, attemptMs, gapMs } = TIME_LIMITS.alarm;
const MAX_LEDGER_WRITES = (startMs + attemptMs) / gapMs;

it(`writes, leases, sends and settles ${BATCH} alarms in a number of round trips that does not depend on their number`, async () => {
  const { env: counted, counts } = withCounters(env);
  const alarms = newAlarms(BATCH);
  await sendAlarms(alarms, { channels: { email: emailChannel, push: dead.channel } }, counted);
  const sent = await statusesOf(alarms, "email");
  expect(counts.d1).toBeLessThanOrEqual(FIXED + MAX_LEDGER_WRITES);
  expect(counts.d1).toBeLessThan(BATCH / 2);
  // A slow machine may leave some to the next message; none is lost, and none is left as being sent.
  expect((sent["accepted"] ?? 0) + (sent["waiting"] ?? 0)).toBe(BATCH);
  expect(sent["accepted"]).toBeGreaterThan(BATCH / 10);
  expect(await statusesOf(alarms, "push")).toEqual({ waiting: BATCH });
});

it("lets a dead provider hold two of six connections, and lets the queue go on meanwhile", async () => {
  const background: Promise<unknown>[] = [];
  let [open, most] = [0, 0];
  const live: Channel = {
    ...dead.channel,
    destination: () => "live",
    send: async () => {
      open += 1;
      most = Math.max(most, open);
      await scheduler.wait(5);
      open -= 1;
      return { result: "accepted", answer: { status: 200, text: null } };
    },
  };
  const alarms = newAlarms(BATCH);
  await sendAlarms(alarms, {
    channels: { email: live, push: dead.channel },
    waitUntil: (work) => void background.push(work),
  });
  // The attempts at the dead provider have not ended when the queue may send the next batch.
  expect(dead).toMatchObject({ open: 2, ended: [] });
  await Promise.all(background);
  expect(dead).toMatchObject({ most: 2, open: 0 });
  expect(most).toBeGreaterThan(2);
  expect(most).toBeLessThanOrEqual(4);
  // Both attempts, and one that may begin before both have ended; the others were left alone.
  expect(dead.ended.length).toBeLessThanOrEqual(3);
  // A slow machine leaves some of them to the next message, with the channels of this deployment.
  await eventually(async () => expect((await statusesOf(alarms, "email"))["accepted"]).toBe(BATCH));
});

/** A compatibility flag of wrangler.toml: without it the platform waits for what goes on behind the consumer. */
it("hands the next alarm over by the platform's queue while attempts at a dead provider are open", async () => {
  const before = { ...CHANNELS };
  const mailed: unknown[] = [];
  const email: Channel = {
    ...dead.channel,
    destination: () => "live mail",
    send: async (_, { refs }) => {
      mailed.push(refs["alert_id"]);
      return { result: "accepted", answer: { status: 200, text: null } };
    },
  };
  // A destination per alert: retries of the other tests' alarms have no share in this one.
  const push: Channel = { ...dead.channel, destination: ({ id }) => `dead ${id}` };
  Object.assign(CHANNELS, { email, push });
  try {
    const [first, second] = newAlarms(2) as [Alarm, Alarm];
    await env.ALARM_QUEUE.send({ alarm: first });
    await eventually(() => expect(dead.begun).toContain(first.alert));
    await env.ALARM_QUEUE.send({ alarm: second });
    await eventually(() => expect(mailed).toEqual(expect.arrayContaining([first.alert, second.alert])));
    expect(dead.ended).not.toContain(first.alert);
    await eventually(() => expect(dead.ended).toEqual(expect.arrayContaining([first.alert, second.alert])));
  } finally {
    Object.assign(CHANNELS, before);
  }
});

const NOW = Date.now();
const alertOf = (n: number): Alert => newAlert(NOW, { number: n });

/** D1 admits 100 parameters per statement. Source: https://developers.cloudflare.com/d1/platform/limits/ */
const MAX_PARAMETERS = 100;
it("writes a backlog of 50 raised alerts in one batch within D1's limits, with a statement per alert for webhooks alone", async () => {
  const patient = await newPatient(world.hospitalId, world.nurse);
  const rows = Array.from({ length: 50 }, (_, i) => {
    const transition = { what: "raised" as const, at: NOW + i, by: null, alert: alertOf(i + 1) };
    return { id: i, kind: "alert", body: OUTBOX_DOCUMENTS.alert.write({ version: i + 1, ward: null, transition }) };
  });
  const batches: number[] = [];
  let parameters = 0;
  const watched = {
    ...env,
    DB: new Proxy(env.DB, {
      get(target, name) {
        if (name === "batch") {
          return (statements: D1PreparedStatement[]) => {
            batches.push(statements.length);
            return target.batch(statements);
          };
        }
        if (name === "prepare") {
          return (query: string) => {
            parameters = Math.max(parameters, query.split("?").length - 1);
            // biome-ignore lint/plugin: passes on statements of the code under test.
            return target.prepare(query);
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
  };
  await deliverToD1(watched, getDb(watched.DB), { patient: patient.id, hospital: world.hospitalId }, rows, NOW);
  expect(batches).toEqual([4 + rows.length]);
  expect(parameters).toBeLessThanOrEqual(MAX_PARAMETERS);
  const [told] = await db.all<{ n: number }>(
    sql`SELECT count(*) AS n FROM notifications WHERE refs->>'patient_id' = ${patient.id}`,
  );
  expect(told?.n).toBe(rows.length);
});
