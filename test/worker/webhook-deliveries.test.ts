// Deliveries of webhooks to a real receiver: signatures, failures, the schedule of retries, switching off, and resends.
import { Webhook } from "standardwebhooks";
import { beforeAll, describe, expect, it } from "vitest";
import type { Actor } from "../../src/access/actor.ts";
import { drainEvents } from "../../src/notifications/notify.ts";
import { MAX_FAILING_MS } from "../../src/notifications/webhooks/failing.ts";
import { publishEvent } from "../../src/notifications/webhooks/publish.ts";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { DAY_MS, HOUR_MS } from "../../src/platform/time.ts";
import { interceptStores } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import { API, env, findEvents, newDevice, newPdf, newWorld, readJson, sendRequest, uploadReport, type World } from "../world.ts";
import { deliver, getWebhook, newReceiver, newWebhook, publish, readDeliveries, readDelivery } from "./webhook-world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const SCHEDULE = [5_000, 300_000, 1_800_000, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS)];

describe("a delivery", () => {
  it("of an upload arrives with a signature that the public library accepts", async () => {
    const clinic = await newWorld();
    const webhook = await newWebhook(clinic.manager);
    const sent = await readJson(await uploadReport(clinic.nurse, newPdf(), { patient_id: clinic.patient.id }));
    const { id } = await readDelivery(webhook.id);
    await deliver(id.slice(0, 36));
    const [message] = await expect.poll(webhook.received).toHaveLength(1).then(webhook.received);
    const payload = new Webhook(webhook.secret).verify(message?.body ?? "", message?.headers ?? {});
    expect(payload).toMatchObject({
      type: "report.created",
      data: { hospital_id: clinic.hospitalId, report_id: sent.data.report_id, patient_id: clinic.patient.id },
    });
    expect(Object.keys((payload as { data: object }).data)).toHaveLength(3);
    expect(() => new Webhook(webhook.secret).verify(`${message?.body} `, message?.headers ?? {})).toThrow();
    await expect.poll(async () => (await readDelivery(webhook.id)).status).toBe("accepted");
  });

  it("of a quarantined upload names the upload", async () => {
    const clinic = await newWorld();
    const webhook = await newWebhook(clinic.manager, { events: ["upload.quarantined"] });
    const sent = await readJson(await uploadReport(await newDevice(clinic.nurse, null), newPdf()));
    const { id } = await readDelivery(webhook.id);
    await deliver(id.slice(0, 36));
    await expect.poll(webhook.received).toHaveLength(1);
    const [message] = await webhook.received();
    expect(JSON.parse(message?.body ?? "").data).toEqual({ hospital_id: clinic.hospitalId, upload_id: sent.data.upload_id });
  });

  it("is written for no other hospital, no other type and no webhook that is off", async () => {
    const clinic = await newWorld();
    const other = await newWebhook(clinic.manager, { events: ["alert.raised"] });
    const off = await newWebhook(clinic.manager);
    const headers = { "If-Match": "*" };
    await sendRequest(`${API}/webhooks/${off.id}`, { as: clinic.manager, method: "PATCH", json: { is_active: false }, headers });
    const abroad = await newWebhook(world.manager);
    await publish(clinic.hospitalId);
    for (const { id } of [other, off, abroad]) expect(await readDeliveries(id)).toEqual([]);
  });

  it("is handed to the queue only where a webhook gets it", async () => {
    const clinic = await newWorld();
    const db = getDb(env.DB);
    const written = async () => {
      const actor: Actor = { kind: "system", name: "test", via: { requestId: "test-events", ip: null } };
      await batch(db, publishEvent(db, actor, Date.now(), { type: "report.created", hospitalId: clinic.hospitalId, refs: {} }));
      return drainEvents(actor).size;
    };
    expect(await written()).toBe(0);
    await newWebhook(clinic.manager);
    expect(await written()).toBe(1);
  });

  it.each([
    ["a 500", { status: 500, body: "out of order" }, 500],
    ["a 404", { status: 404 }, 404],
    ["a closed connection", { fails: "close" as const }, null],
    ["a redirect", { status: 302, headers: { location: "http://169.254.169.254/" } }, 302],
  ])("that meets %s is tried again in five seconds", async (_, plan, status) => {
    const webhook = await newWebhook(world.manager);
    await webhook.answer(plan);
    const now = Date.now();
    await deliver(await publish(world.hospitalId, now), now);
    const row = await readDelivery(webhook.id);
    expect(row).toMatchObject({ status: "waiting", attempts: 1, answer_status: status });
    expect(row.next_attempt_at).toBeGreaterThanOrEqual(now + 5_000);
    expect(row.next_attempt_at).toBeLessThanOrEqual(now + 6_000);
    await sendRequest(`${API}/webhooks/${webhook.id}`, { as: world.manager, method: "DELETE" });
  });

  it("follows no redirect", async () => {
    const [webhook, target] = [await newWebhook(world.manager), newReceiver()];
    await webhook.answer({ status: 307, headers: { location: target.url } });
    await deliver(await publish(world.hospitalId));
    expect(await webhook.received()).toHaveLength(1);
    expect(await target.received()).toEqual([]);
    await sendRequest(`${API}/webhooks/${webhook.id}`, { as: world.manager, method: "DELETE" });
  });

  it("waits as long as Retry-After says", async () => {
    const webhook = await newWebhook(world.manager);
    await webhook.answer({ status: 429, headers: { "retry-after": "600" } });
    const now = Date.now();
    await deliver(await publish(world.hospitalId, now), now);
    expect((await readDelivery(webhook.id)).next_attempt_at).toBeGreaterThanOrEqual(now + 600_000);
    await sendRequest(`${API}/webhooks/${webhook.id}`, { as: world.manager, method: "DELETE" });
  });

  it("that is not answered is given up after ten seconds, and tried again", async () => {
    const webhook = await newWebhook(world.manager);
    await webhook.answer({ fails: "hang" });
    const now = Date.now();
    // The failure is stored behind the deadline, and the invocation may end with the last that it waits for.
    const slowWrites = interceptStores(env, async ({ store, op }, run) => {
      if (store === "DB" && op !== "batch") await scheduler.wait(300);
      return run();
    });
    await deliver(await publish(world.hospitalId, now), now, slowWrites);
    const row = await env.DB.prepare("SELECT failing_since FROM webhooks WHERE id = ?").bind(webhook.id).first();
    expect(row).toEqual({ failing_since: now });
    expect(await readDelivery(webhook.id)).toMatchObject({ status: "waiting", attempts: 1, answer_status: null });
    await sendRequest(`${API}/webhooks/${webhook.id}`, { as: world.manager, method: "DELETE" });
  });

  it("keeps the first kilobyte of an answer, sealed", async () => {
    const webhook = await newWebhook(world.manager);
    await webhook.answer({ status: 400, body: `canary${"x".repeat(5_000_000)}` });
    await deliver(await publish(world.hospitalId));
    const row = await readDelivery(webhook.id);
    expect(JSON.stringify(row)).not.toContain("canary");
    const path = `${API}/webhooks/${webhook.id}/deliveries`;
    const [listed] = (await readJson(await sendRequest(path, { as: world.manager }))).data;
    expect(listed).toMatchObject({ status: "waiting", attempts: 1, answer_status: 400, type: "report.created" });
    expect(listed.answer_text).toMatch(/^canaryx+$/);
    expect(listed.answer_text.length).toBeLessThanOrEqual(1024);
    await sendRequest(`${API}/webhooks/${webhook.id}`, { as: world.manager, method: "DELETE" });
  });
});

describe("the schedule", () => {
  it("is 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, then the delivery has failed", async () => {
    const clinic = await newWorld();
    const webhook = await newWebhook(clinic.manager);
    await webhook.answer({ status: 500 });
    let now = Date.now();
    const eventId = await publish(clinic.hospitalId, now);
    for (const delay of SCHEDULE) {
      await deliver(eventId, now);
      const { status, next_attempt_at } = await readDelivery(webhook.id);
      expect(status).toBe("waiting");
      expect(next_attempt_at).toBeGreaterThanOrEqual(now + delay);
      expect(next_attempt_at).toBeLessThanOrEqual(now + delay * 1.2 + 1);
      await deliver(eventId, (next_attempt_at ?? 0) - 1);
      now = next_attempt_at ?? 0;
    }
    await deliver(eventId, now);
    expect(await readDelivery(webhook.id)).toMatchObject({ status: "failed", attempts: 10, next_attempt_at: null });
    const messages = await webhook.received();
    expect(messages).toHaveLength(10);
    expect(new Set(messages.map(({ body }) => body)).size).toBe(1);
    expect(new Set(messages.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(messages.map(({ headers }) => headers["webhook-signature"])).size).toBe(10);
  });
});

describe("a webhook", () => {
  it("is switched off after five days of failures, and its administrators are told once", async () => {
    const clinic = await newWorld();
    const webhook = await newWebhook(clinic.manager);
    await webhook.answer({ status: 500 });
    const start = Date.now();
    await deliver(await publish(clinic.hospitalId, start), start);
    await deliver(await publish(clinic.hospitalId, start), start + MAX_FAILING_MS - 1);
    expect(await getWebhook(clinic.manager, webhook.id)).toMatchObject({
      is_active: true,
      failing_since: new Date(start).toISOString(),
    });
    for (let i = 0; i < 2; i++) await deliver(await publish(clinic.hospitalId, start), start + MAX_FAILING_MS + i);
    expect(await getWebhook(clinic.manager, webhook.id)).toMatchObject({ is_active: false, disabled_reason: "failures" });
    const told = await env.DB.prepare(
      "SELECT user_id, refs FROM notifications WHERE kind = 'webhook.disabled' AND hospital_id = ?",
    )
      .bind(clinic.hospitalId)
      .all();
    expect(told.results).toEqual([
      { user_id: clinic.manager.id, refs: JSON.stringify({ webhook_id: webhook.id, reason: "failures" }) },
    ]);
    const on = await sendRequest(`${API}/webhooks/${webhook.id}/enable`, { as: clinic.manager, method: "POST" });
    expect((await readJson(on)).data).toMatchObject({ is_active: true, failing_since: null, disabled_reason: null });
  });

  it("stays on after a success in between", async () => {
    const clinic = await newWorld();
    const webhook = await newWebhook(clinic.manager);
    const start = Date.now();
    for (const [day, status] of [500, 500, 204, 500, 500, 500].entries()) {
      await webhook.answer({ status });
      await deliver(await publish(clinic.hospitalId, start), start + day * 1.3 * DAY_MS);
    }
    const { is_active, failing_since } = await getWebhook(clinic.manager, webhook.id);
    expect([is_active, Date.parse(failing_since)]).toEqual([true, start + 3 * 1.3 * DAY_MS]);
  });

  it("is switched off at once by 410, which ends the delivery", async () => {
    const clinic = await newWorld();
    const webhook = await newWebhook(clinic.manager);
    await webhook.answer({ status: 410 });
    const queued: unknown[] = [];
    const MESSAGE_QUEUE = { sendBatch: async (batch: { body: unknown }[]) => void queued.push(...batch.map(({ body }) => body)) };
    await deliver(await publish(clinic.hospitalId), Date.now(), { ...env, MESSAGE_QUEUE } as unknown as Env);
    const notice = await env.DB.prepare("SELECT id FROM notifications WHERE kind = 'webhook.disabled' AND hospital_id = ?")
      .bind(clinic.hospitalId)
      .first<{ id: string }>();
    expect(queued).toEqual([{ event: notice?.id }]);
    expect(await readDelivery(webhook.id)).toMatchObject({ status: "failed", answer_status: 410 });
    expect(await getWebhook(clinic.manager, webhook.id)).toMatchObject({ is_active: false, disabled_reason: "gone" });
    expect(await findEvents({ event: "webhook.disable", hospital_id: clinic.hospitalId })).toHaveLength(1);
    const test = await sendRequest(`${API}/webhooks/${webhook.id}/test`, { as: clinic.manager, method: "POST" });
    await expectProblem(test, 409, "conflict");
  });

  it("whose name or address is no longer public gets nothing", async () => {
    const webhook = await newWebhook(world.manager);
    await deliver(await publish(world.hospitalId), Date.now(), { ...env, WEBHOOK_TEST_ORIGINS: "" });
    expect(await webhook.received()).toEqual([]);
    expect(await readDelivery(webhook.id)).toMatchObject({ status: "waiting", attempts: 1, answer_status: null });
    await sendRequest(`${API}/webhooks/${webhook.id}`, { as: world.manager, method: "DELETE" });
  });

  it("signs with the new and the replaced secret for a day", async () => {
    const clinic = await newWorld();
    const webhook = await newWebhook(clinic.manager);
    const rotate = `${API}/webhooks/${webhook.id}/rotate-secret`;
    const { data } = await readJson(await sendRequest(rotate, { as: clinic.manager, method: "POST" }));
    expect(data.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    await deliver(await publish(clinic.hospitalId));
    const [during] = await webhook.received();
    for (const secret of [webhook.secret, data.secret]) new Webhook(secret).verify(during?.body ?? "", during?.headers ?? {});
    const later = Date.now() + DAY_MS + HOUR_MS;
    await deliver(await publish(clinic.hospitalId), later);
    const [, after] = await webhook.received();
    expect(after?.headers["webhook-signature"]?.split(" ")).toHaveLength(1);
    const at = new Date(Number(after?.headers["webhook-timestamp"]) * 1000);
    const signed = new Webhook(data.secret).sign(after?.headers["webhook-id"] ?? "", at, after?.body ?? "");
    expect(after?.headers["webhook-signature"]).toBe(signed);
  });

  it("sends a delivery again with the same bytes, also after its data have changed", async () => {
    const clinic = await newWorld();
    const webhook = await newWebhook(clinic.manager, { include_data: true });
    const about = { patient_id: clinic.patient.id, metrics: '{"heart_rate":71}' };
    const report = await readJson(await uploadReport(clinic.nurse, newPdf(), about));
    const { id } = await readDelivery(webhook.id);
    await deliver(id.slice(0, 36));
    await expect.poll(webhook.received).toHaveLength(1);
    await expect.poll(async () => (await readDelivery(webhook.id)).status).toBe("accepted");
    await env.DB.prepare("UPDATE reports SET heart_rate = 99 WHERE id = ?").bind(report.data.report_id).run();
    const resend = `${API}/webhooks/${webhook.id}/deliveries/${id.slice(0, 36)}/resend`;
    expect((await sendRequest(resend, { as: clinic.manager, method: "POST" })).status).toBe(202);
    await deliver(id.slice(0, 36));
    await expect.poll(webhook.received).toHaveLength(2);
    const [first, second] = await webhook.received();
    expect(JSON.parse(first?.body ?? "").data.details).toMatchObject({ kind: expect.any(String), heart_rate: 71 });
    expect(second?.body).toBe(first?.body);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    const released = await findEvents({ event: "webhook.deliver", hospital_id: clinic.hospitalId });
    expect(released).toHaveLength(2);
  });
});
