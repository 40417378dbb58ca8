// A person's own notifications: order and pages of the list, marking as read, the message to their sockets, and how long they are kept.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../../src/notifications/channel.ts";
import { answerContext } from "../../src/notifications/delivery/ledger.ts";
import { DELIVERY_DAYS, MAX_NOTIFICATIONS, NOTIFICATION_DAYS, pruneMessages } from "../../src/notifications/delivery/prune.ts";
import { requeueDue } from "../../src/notifications/delivery/requeue.ts";
import { getKeys } from "../../src/platform/config.ts";
import { unsealValue } from "../../src/platform/crypto.ts";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { firstIdAt } from "../../src/platform/ids.ts";
import { newFailedDelivery, newNotification } from "../notification-rows.ts";
import { interceptStores, withCounters } from "../stores.ts";
import { API, env, newPerson, newWorld, type Person, readJson, sendRequest, uniqueText, type World } from "../world.ts";
import { consumeMessages, createDeliveries, createProvider, MESSAGES, onlyChannel, readDeliveries } from "./deliveries-world.ts";
import { openLiveView } from "./live-client.ts";

const DAY_MS = 86_400_000;
const db = getDb(env.DB);
let world: World;
beforeAll(async () => {
  world = await newWorld();
});

type Listed = { id: string; read_at: string | null };
type Page = { data: Listed[]; meta: { pagination: { has_more: boolean; next_cursor: string | null }; unread_count: number } };

const list = async (as: Person, query = ""): Promise<Page> =>
  (await readJson(await sendRequest(`${API}/notifications${query}`, { as }))) as Page;
const post = (as: Person, path: string, json?: object) =>
  sendRequest(`${API}/notifications/${path}`, { as, method: "POST", ...(json && { json }) });

/** `count` notifications, oldest first. */
async function newNotifications(person: Person, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await newNotification(person));
  return ids;
}

describe("GET /notifications", () => {
  it("lists each of the caller's own once, unread ones first, while new ones arrive between the pages", async () => {
    const person = await newPerson("nurse", world.hospitalId);
    const ids = await newNotifications(person, 11);
    const read = ids.filter((_, i) => i % 2 === 0);
    for (const id of read) expect((await post(person, `${id}/read`)).status).toBe(200);
    const foreign = await newNotification(world.nurse);
    const seen: Listed[] = [];
    for (let cursor: string | null = "", round = 0; cursor !== null; round++) {
      expect(round).toBeLessThan(10);
      const page = await list(person, `?limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      seen.push(...page.data);
      expect(page.meta.pagination.has_more).toBe(page.meta.pagination.next_cursor !== null);
      cursor = page.meta.pagination.next_cursor;
      await newNotification(person);
    }
    const unread = ids.filter((id) => !read.includes(id));
    expect(seen.map(({ id }) => id)).toEqual([...unread.reverse(), ...read.reverse()]);
    expect(seen.map(({ id }) => id)).not.toContain(foreign);
    expect(seen.map(({ read_at }) => read_at === null)).toEqual(ids.map((_, i) => i < unread.length));
  });

  it("does not accept the cursor of somebody else, and marks nobody else's", async () => {
    const [owner, other] = [await newPerson("nurse", world.hospitalId), await newPerson("nurse", world.hospitalId)];
    const [id = ""] = await newNotifications(owner, 2);
    const { meta } = await list(owner, "?limit=1");
    const foreign = await sendRequest(`${API}/notifications?cursor=${encodeURIComponent(meta.pagination.next_cursor ?? "")}`, {
      as: other,
    });
    expect((await readJson(foreign)).code).toBe("invalid_cursor");
    expect((await post(other, `${id}/read`)).status).toBe(404);
    expect((await list(owner)).meta.unread_count).toBe(2);
  });
});

describe("POST /notifications/read-all", () => {
  it("leaves unread what came after the newest that was seen", async () => {
    const person = await newPerson("nurse", world.hospitalId);
    const ids = await newNotifications(person, 5);
    const foreign = await newPerson("nurse", world.hospitalId);
    await newNotification(foreign);
    expect((await readJson(await post(person, "read-all", { up_to: ids[2] }))).data).toEqual({ unread_count: 2 });
    const { data } = await list(person);
    expect(data.filter(({ read_at }) => read_at === null).map(({ id }) => id)).toEqual([ids[4], ids[3]]);
    expect((await readJson(await post(person, "read-all", {}))).data).toEqual({ unread_count: 0 });
    expect((await list(foreign)).meta.unread_count).toBe(1);
  });
});

describe("a live socket", () => {
  it("is told that its person has a new notification, and nobody else is", async () => {
    const colleague = await newPerson("nurse", world.hospitalId);
    const [live, other] = [await openLiveView(world.nurse), await openLiveView(colleague)];
    const event = await newNotification(world.nurse);
    await consumeMessages(MESSAGES, [{ event }], {});
    expect(await live.until(({ type }) => type === "notifications")).toMatchObject({ type: "notifications" });
    // Messages of a feed come in order: one for the other person would have come before their own.
    await consumeMessages(MESSAGES, [{ event: await newNotification(colleague) }], {});
    await other.until(({ type }) => type === "notifications");
    expect(other.frames.filter(({ type }) => type === "notifications")).toHaveLength(1);
    for (const socket of [live, other]) socket.close();
  });
});

const NOW = Date.now();
const ageId = (days: number, i: number) => firstIdAt(NOW - days * DAY_MS).slice(0, -6) + String(i).padStart(6, "0");

describe("the cleanup", () => {
  it("deletes what is too old and a person's oldest above the limit, in bounded statements without a scan", async () => {
    const person = await newPerson("nurse", world.hospitalId);
    const insert = (
      days: number,
      count: number,
    ) => sql`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
      INSERT INTO notifications (user_id, id, kind, priority, refs, created_at)
      SELECT ${person.id}, ${ageId(days, 0).slice(0, -6)} || printf('%06d', i), 'notification.test', 'normal', '{}', 1 FROM n`;
    const insertDeliveries = (
      days: number,
    ) => sql`INSERT INTO deliveries (id, channel, target_id, kind, priority, refs, created_at)
      VALUES (${`${ageId(days, 1)}.sms.x`}, 'sms', 'x', 'notification.test', 'normal', '{}', 1)`;
    await batch(db, [
      db.run(insert(NOTIFICATION_DAYS + 1, 3)),
      db.run(insert(NOTIFICATION_DAYS - 1, 5)),
      db.run(insert(0, MAX_NOTIFICATIONS)),
      db.run(insertDeliveries(DELIVERY_DAYS + 1)),
      db.run(insertDeliveries(DELIVERY_DAYS - 1)),
    ]);
    await batch(db, pruneMessages(db, Date.now()));
    const left = await db.all<{ id: string }>(sql`SELECT id FROM notifications WHERE user_id = ${person.id} ORDER BY id`);
    expect(left).toHaveLength(MAX_NOTIFICATIONS);
    expect(left[0]?.id).toBe(ageId(0, 0));
    const kept = await db.all<{ id: string }>(sql`SELECT id FROM deliveries WHERE target_id = 'x'`);
    expect(kept.map(({ id }) => id)).toEqual([`${ageId(DELIVERY_DAYS - 1, 1)}.sms.x`]);

    // With nothing to delete, a run reads what came lately and no other row. Ids of other tests may be of a later time: each is larger
    // than the one before, and an earlier test may have moved the clock.
    await db.run(sql`DELETE FROM notifications WHERE user_id <> ${person.id}`);
    await db.run(insert(10, 900));
    const [fresh] = await db.all<{ n: number }>(sql`SELECT count(*) AS n FROM notifications`);
    const { env: counted, counts } = withCounters(env);
    const later = Date.now() + 3_600_000;
    await batch(getDb(counted.DB), pruneMessages(getDb(counted.DB), later));
    expect(counts.d1).toBe(1);
    expect(Number(fresh?.n)).toBeGreaterThanOrEqual(1_900);
    expect(counts.rowsRead).toBeLessThan(20);
  });
});

describe("a provider's answer", () => {
  it.each([
    [1_024, 1_024],
    [1_500, 1_024],
  ])("of %i characters is kept sealed, %i of them", async (length, kept) => {
    const answer: Answer = { status: 200, text: `queued for +4915112345678 ${"é".repeat(length)}`.slice(0, length) };
    const { channel } = createProvider(() => "ok", { send: async () => ({ result: "accepted", answer }) });
    const event = await createDeliveries({ hospitalId: world.hospitalId });
    await consumeMessages(MESSAGES, [{ event }], { channels: onlyChannel(channel) });
    const [row] = await db.all<{ id: string; sealed: string }>(
      sql`SELECT id, answer_sealed AS sealed FROM deliveries WHERE id LIKE ${`${event}%`}`,
    );
    expect(row?.sealed).not.toMatch(/queued|4915112345678|é/);
    const text = await unsealValue((await getKeys(env)).fields, answerContext(row?.id ?? ""), row?.sealed ?? "");
    expect(text).toBe(answer.text?.slice(0, kept));
  });
});

describe("a queue that is down", () => {
  it("fails no request, and cron hands the delivery over", async () => {
    const id = await newFailedDelivery(world.hospitalId);
    let failed = 0;
    const down = interceptStores(env, (call, run) => {
      if (call.store !== "QUEUES") return run();
      failed += 1;
      return Promise.reject(new Error("Queue sendBatch failed: Service Unavailable (injected fault)"));
    });
    const path = `${API}/notifications/deliveries/${encodeURIComponent(id)}/resend`;
    const headers = { "Idempotency-Key": uniqueText() };
    expect((await sendRequest(path, { as: world.manager, method: "POST", headers, env: down })).status).toBeLessThan(300);
    expect(failed).toBe(1);
    const [event = ""] = id.split(".");
    expect(await readDeliveries(event)).toMatchObject([{ status: "waiting" }]);
    await expect(requeueDue(down, Date.now())).rejects.toThrow("Service Unavailable");
    let sent = 0;
    // Counts and does not send: this test consumes it with a provider of its own.
    const up = interceptStores(env, (call, run) => {
      if (call.store !== "QUEUES") return run();
      sent += 1;
      return Promise.resolve(undefined as never);
    });
    expect(await requeueDue(up, Date.now())).toBeGreaterThanOrEqual(1);
    expect(sent).toBeGreaterThanOrEqual(1);
    const { channel, accepted } = createProvider();
    for (let i = 0; i < 2; i++) await consumeMessages(MESSAGES, [{ ids: [id] }], { channels: onlyChannel(channel) });
    expect((await accepted()).map(([each]) => each)).toEqual([id]);
  });
});
