// The delivery engine against a real HTTP provider: outcomes, retries, leases, the dead provider, and the queues of the platform.
import { createMessageBatch } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { expect, test, vi } from "vitest";
import type { Channel } from "../../src/notifications/channel.ts";
import { CHANNELS } from "../../src/notifications/channels.ts";
import { consume } from "../../src/notifications/delivery/consume.ts";
import { requeueDue } from "../../src/notifications/delivery/requeue.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import { interceptStores } from "../stores.ts";
import { API, env, newPerson, sendRequest } from "../world.ts";
import {
  ALARMS,
  consumeMessages,
  createDeliveries,
  createProvider,
  MESSAGES,
  onlyChannel,
  readDeliveries,
} from "./deliveries-world.ts";

const HOUR_MS = 3_600_000;
const idsOf = (accepted: readonly [string, number][]) => accepted.map(([id]) => id);

/** Sends the event once at this time. */
const sendAt = (event: string, channel: Channel, at = Date.now(), queue = MESSAGES) =>
  consumeMessages(queue, [{ event }], { channels: onlyChannel(channel), clock: () => at });

test("a delivery is sent once, however often its event is handed over", async () => {
  const { channel, accepted } = createProvider();
  const event = await createDeliveries({ count: 7 });
  for (let i = 0; i < 3; i++) await consumeMessages(MESSAGES, [{ event }, { event }], { channels: onlyChannel(channel) });
  expect(new Set(idsOf(await accepted())).size).toBe(7);
  expect(await accepted()).toHaveLength(7);
  const rows = await readDeliveries(event);
  expect(rows.every((row) => row.status === "accepted" && row.attempts === 1 && row.next_attempt_at === null)).toBe(true);
});

test("a provider that answers 500 is tried again after each delay, then the delivery has failed", async () => {
  const { channel, accepted } = createProvider(() => "500");
  const event = await createDeliveries();
  let at = Date.now();
  for (const [attempts, delay] of channel.retryDelays.entries()) {
    await sendAt(event, channel, at);
    const [row] = await readDeliveries(event);
    expect(row).toMatchObject({ status: "waiting", attempts: attempts + 1, answer_status: 500 });
    const wait = Number(row?.next_attempt_at) - at;
    expect(wait).toBeGreaterThanOrEqual(delay);
    expect(wait).toBeLessThanOrEqual(delay * 1.2 + 1);
    await sendAt(event, channel, at + delay - 1);
    expect((await readDeliveries(event))[0]?.attempts).toBe(attempts + 1);
    at += wait;
  }
  await sendAt(event, channel, at);
  expect(await readDeliveries(event)).toMatchObject([{ status: "failed", attempts: 5, next_attempt_at: null }]);
  expect(await accepted()).toEqual([]);
});

test("Retry-After is kept, and bounded to a day", async () => {
  const { channel, accepted } = createProvider(({ attempts }) => (attempts === 0 ? "429" : "ok"));
  const event = await createDeliveries();
  const now = Date.now();
  await sendAt(event, channel, now);
  const [row] = await readDeliveries(event);
  expect(Number(row?.next_attempt_at) - now).toBeGreaterThanOrEqual(120_000);
  await sendAt(event, channel, Number(row?.next_attempt_at));
  expect(await accepted()).toHaveLength(1);
  const answer = { status: 429, text: null };
  const greedy = createProvider(() => "ok", { send: async () => ({ result: "failed", answer, retryAfterMs: 1e12 }) });
  const other = await createDeliveries();
  await sendAt(other, greedy.channel, now);
  expect(Number((await readDeliveries(other))[0]?.next_attempt_at) - now).toBeLessThanOrEqual(24 * HOUR_MS * 1.2);
});

test("an address that is no longer valid ends the delivery", async () => {
  const { channel } = createProvider(() => "410");
  const event = await createDeliveries();
  await sendAt(event, channel);
  expect(await readDeliveries(event)).toMatchObject([
    { status: "failed", attempts: 1, answer_status: 410, next_attempt_at: null },
  ]);
});

test.each(["lost", "hang"] as const)(
  "without an answer (%s) a normal message is parked, an alarm is sent again",
  async (behaviour) => {
    const { channel } = createProvider(() => behaviour, { deadlineMs: 200 });
    const normal = await createDeliveries();
    await sendAt(normal, channel);
    expect(await readDeliveries(normal)).toMatchObject([{ status: "unknown", attempts: 1, next_attempt_at: null }]);
    const second = createProvider(({ attempts }) => (attempts === 0 ? behaviour : "ok"), { deadlineMs: 200 });
    const alarm = await createDeliveries({ priority: "alarm" });
    await sendAt(alarm, second.channel, Date.now(), ALARMS);
    const [row] = await readDeliveries(alarm);
    expect(row).toMatchObject({ status: "waiting", attempts: 1 });
    await sendAt(alarm, second.channel, Number(row?.next_attempt_at), ALARMS);
    expect(await readDeliveries(alarm)).toMatchObject([{ status: "accepted", attempts: 2 }]);
  },
);

test("where the receiver drops repeats, a message without an answer is sent again", async () => {
  const { channel, accepted } = createProvider(({ attempts }) => (attempts === 0 ? "lost" : "ok"), { isIdempotent: true });
  const event = await createDeliveries();
  await sendAt(event, channel);
  await sendAt(event, channel, Number((await readDeliveries(event))[0]?.next_attempt_at));
  expect(await readDeliveries(event)).toMatchObject([{ status: "accepted", attempts: 2 }]);
  expect(new Set(idsOf(await accepted())).size).toBe(1);
});

test("a channel that throws, and one that is not there", async () => {
  const broken = createProvider(() => "ok", { send: () => Promise.reject(new Error("broken")) });
  const event = await createDeliveries();
  await sendAt(event, broken.channel);
  expect(await readDeliveries(event)).toMatchObject([{ status: "waiting", attempts: 1 }]);
  const missing = await createDeliveries({ channel: "push" });
  await sendAt(missing, broken.channel);
  expect(await readDeliveries(missing)).toMatchObject([{ status: "waiting", attempts: 0 }]);
});

test("what is not tried does not count as an attempt", async () => {
  const until = Date.now() + HOUR_MS;
  const quiet = createProvider(() => "ok", { send: async () => ({ result: "postponed", until }) });
  const event = await createDeliveries();
  await sendAt(event, quiet.channel);
  expect(await readDeliveries(event)).toMatchObject([{ status: "waiting", attempts: 0, next_attempt_at: until }]);
  const nobody = createProvider(() => "ok", { send: async () => ({ result: "cancelled" }) });
  await sendAt(event, nobody.channel, until);
  expect(await readDeliveries(event)).toMatchObject([{ status: "cancelled", attempts: 0, next_attempt_at: null }]);
});

test("a dead provider holds up nobody else, and is left alone after two timeouts", async () => {
  let attempts = 0;
  const dead = createProvider(() => "hang", { deadlineMs: 800 });
  const live = createProvider();
  const event = await createDeliveries({ count: 40, priority: "alarm" });
  const isDead = (id: string) => Number(id.split("-").at(-1)) % 2 === 0;
  const channel: Channel = {
    ...live.channel,
    deadlineMs: 800,
    destination: ({ id }) => (isDead(id) ? dead.url : live.url),
    send: (call, delivery) => {
      if (!isDead(delivery.id)) return live.channel.send(call, delivery);
      attempts += 1;
      return dead.channel.send(call, delivery);
    },
  };
  const started = Date.now();
  await sendAt(event, channel, started, ALARMS);
  expect(Date.now() - started).toBeLessThan(5_000);
  // Both of its lanes, and one that may begin before both have ended.
  expect(attempts).toBeLessThanOrEqual(3);
  const accepted = await live.accepted();
  expect(accepted).toHaveLength(20);
  // Before the deadline of the dead one.
  expect(Math.max(...accepted.map(([, at]) => at)) - started).toBeLessThan(800);
  const rows = await readDeliveries(event);
  expect(rows.filter((row) => row.status === "waiting")).toHaveLength(20);
  const reopened = Math.max(...rows.map((row) => row.next_attempt_at ?? 0));
  await sendAt(event, live.channel, reopened, ALARMS);
  expect((await readDeliveries(event)).every((row) => row.status === "accepted")).toBe(true);
});

test("a provider that is only slow takes every alarm within five seconds", async () => {
  const slow = createProvider();
  const channel: Channel = {
    ...slow.channel,
    deadlineMs: 3_000,
    async send(call, delivery) {
      await scheduler.wait(1_300);
      return slow.channel.send(call, delivery);
    },
  };
  const first = await createDeliveries({ count: 2, priority: "alarm" });
  const sending = sendAt(first, channel, Date.now(), ALARMS);
  await scheduler.wait(1_150);
  const late = await createDeliveries({ count: 1, priority: "alarm" });
  await Promise.all([sending, sendAt(late, channel, Date.now(), ALARMS)]);
  expect((await readDeliveries(first)).every(({ status }) => status === "accepted")).toBe(true);
  const [row] = await readDeliveries(late);
  if (row?.status === "accepted") return;
  // Put off while the first two had no answer: due so soon that it leaves within its five seconds.
  expect(row).toMatchObject({ status: "waiting", attempts: 0 });
  expect(Number(row?.next_attempt_at) - Date.now()).toBeLessThanOrEqual(2_000);
  await sendAt(late, channel, Number(row?.next_attempt_at), ALARMS);
  expect(await readDeliveries(late)).toMatchObject([{ status: "accepted", attempts: 1 }]);
});

test("while D1 is down a message makes no further one: the queue repeats it", async () => {
  const event = await createDeliveries();
  const { channel } = createProvider();
  let sent = 0;
  const down = interceptStores(env, (call, run) => {
    if (call.store === "QUEUES") sent += 1;
    return call.store === "DB" ? Promise.reject(new Error("D1_ERROR: injected fault")) : run();
  });
  const batch = createMessageBatch(MESSAGES, [{ id: "one", timestamp: new Date(), attempts: 1, body: { event } }]);
  await expect(consume(down, batch, { channels: onlyChannel(channel) })).rejects.toThrow("injected fault");
  expect(sent).toBe(0);
});

test("a channel that its person has switched off since is cancelled, and the others are sent", async () => {
  const person = await newPerson("patient");
  const [off, on] = [createProvider(), createProvider()];
  const eventId = uuidv7();
  await getDb(
    env.DB,
  ).run(sql`INSERT INTO deliveries (id, user_id, channel, target_id, kind, priority, refs, next_attempt_at, created_at)
    SELECT ${eventId} || '.' || value || '.x', ${person.id}, value, 'x', 'webhook.disabled', 'normal', '{}', 1, 1
    FROM json_each('["email", "push", "sms"]')`);
  const choices = ["email", "sms"].map((channel) => ({ kind: "webhook.disabled", channel, is_on: false }));
  await sendRequest(`${API}/notification-preferences`, { as: person, method: "PUT", json: { choices } });
  const channels = { email: off.channel, sms: off.channel, push: on.channel };
  await consumeMessages(MESSAGES, [{ event: eventId }], { channels });
  const rows = await readDeliveries(eventId);
  expect(rows.map(({ status }) => status)).toEqual(["cancelled", "accepted", "cancelled"]);
  expect(await off.accepted()).toEqual([]);
  expect(await on.accepted()).toHaveLength(1);
});

test("an alarm's invocation ends in time, and what is left is sent by the next", async () => {
  const slow = createProvider(() => "ok", {
    send: async () => {
      await scheduler.wait(150);
      return { result: "accepted", answer: { status: 200, text: null } };
    },
  });
  const event = await createDeliveries({ count: 60, priority: "alarm" });
  const started = Date.now();
  await sendAt(event, slow.channel, started, ALARMS);
  expect(Date.now() - started).toBeLessThan(5_000);
  const left = (await readDeliveries(event)).filter((row) => row.status === "waiting");
  expect(left.length).toBeGreaterThan(0);
  expect(left.every((row) => row.attempts === 0)).toBe(true);
  const { channel } = createProvider();
  await sendAt(event, channel, Date.now() + 1, ALARMS);
  expect((await readDeliveries(event)).every((row) => row.status === "accepted")).toBe(true);
});

/** The platform's own queues call the Worker's `queue`, with the channels of this deployment. */
test("the platform's queue delivers, and cron finds what a queue lost", async () => {
  const { channel, accepted } = createProvider();
  const before = CHANNELS.sms;
  CHANNELS.sms = channel;
  try {
    const queued = await createDeliveries({ count: 3 });
    await env.MESSAGE_QUEUE.send({ event: queued });
    await vi.waitFor(async () => expect(await accepted()).toHaveLength(3), { timeout: 20_000, interval: 50 });
    const alarm = await createDeliveries({ count: 2, priority: "alarm" });
    const started = Date.now();
    await env.ALARM_QUEUE.send({ event: alarm });
    await vi.waitFor(async () => expect(await accepted()).toHaveLength(5), { timeout: 20_000, interval: 20 });
    expect(Date.now() - started).toBeLessThan(5_000);
    const lost = await createDeliveries({ count: 4 });
    expect(await requeueDue(env, Date.now(), CHANNELS)).toBeGreaterThanOrEqual(4);
    await vi.waitFor(async () => expect((await readDeliveries(lost)).every((row) => row.status === "accepted")).toBe(true), {
      timeout: 20_000,
      interval: 50,
    });
    expect(idsOf(await accepted()).filter((id) => id.startsWith(lost))).toHaveLength(4);
  } finally {
    if (before) CHANNELS.sms = before;
    else delete CHANNELS.sms;
  }
});

test("a message of an unknown form is dropped, a dead letter is acknowledged", async () => {
  const { channel } = createProvider();
  const options = { channels: onlyChannel(channel) };
  await consumeMessages(MESSAGES, [{ event: "no id" } as never, { surprise: 1 } as never], options);
  await consumeMessages("edgecare-undelivered", [{ event: "0193a5b0-0000-7000-8000-000000000001" }], options);
});
