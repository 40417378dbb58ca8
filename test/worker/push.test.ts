// Web Push: subscriptions, and the channel against a push service that decrypts with an independent implementation.
import { afterEach, describe, expect, it } from "vitest";
import type { Delivery, Outcome } from "../../src/notifications/channel.ts";
import { readChoices } from "../../src/notifications/delivery/choices.ts";
import { encryptPayload } from "../../src/notifications/push/encrypt-payload.ts";
import { isPushEndpoint } from "../../src/notifications/push/endpoints.ts";
import { pushChannel } from "../../src/notifications/push/push-channel.ts";
import { fromBase64Url, toBase64Url } from "../../src/platform/base64.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import { API, env, newHospital, newPerson, type Person, readJson, sendRequest } from "../world.ts";
import { newBrowser, startPushService, verifyVapid } from "./push-service.ts";

let service: ReturnType<typeof startPushService> | undefined;
afterEach(() => service?.stop());

const register = (person: Person, json: unknown) => sendRequest(`${API}/push/subscriptions`, { as: person, json });
const list = async (person: Person) =>
  (await readJson(await sendRequest(`${API}/push/subscriptions`, { as: person }))).data.subscriptions;

async function newSubscriber() {
  const person = await newPerson("nurse", await newHospital());
  const browser = newBrowser();
  const response = await register(person, { ...browser.subscription, browser: "Chrome on Linux" });
  expect(response.status).toBe(201);
  const { data } = await readJson(response);
  return { person, browser, id: String(data.subscription_id) };
}

const newDelivery = (userId: string, targetId: string, more: Partial<Delivery> = {}): Delivery => {
  const eventId = uuidv7();
  return {
    id: `${eventId}.push.${targetId}`,
    eventId,
    userId,
    hospitalId: null,
    channel: "push",
    targetId,
    kind: "alert.raised",
    priority: "alarm",
    refs: { alert_id: "a1" },
    attempts: 0,
    bodySealed: null,
    bodyHasDetails: 0,
    createdAt: Date.now(),
    ...more,
  };
};

async function send(delivery: Delivery, more: { env?: Env; now?: number; signal?: AbortSignal } = {}): Promise<Outcome> {
  const call = {
    env,
    db: getDb(env.DB),
    keys: await getKeys(more.env ?? env),
    now: Date.now(),
    signal: AbortSignal.timeout(4_000),
  };
  return pushChannel.send({ ...call, ...more }, delivery);
}

describe("encryption", () => {
  it("equals the example of RFC 8291, appendix A", async () => {
    const x = "_jP0qw3qcZFNtVgj9zztUlI9B2pG1AIwzN9sTGXzYYs";
    const publicKey = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
    const point = fromBase64Url(publicKey) ?? new Uint8Array();
    expect(x).not.toBe("");
    const jwk = { kty: "EC", crv: "P-256", x: toBase64Url(point.slice(1, 33)), y: toBase64Url(point.slice(33)) };
    const p256 = { name: "ECDH", namedCurve: "P-256" };
    const d = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    const keyPair = {
      publicKey: await crypto.subtle.importKey("jwk", jwk, p256, true, []),
      privateKey: await crypto.subtle.importKey("jwk", { ...jwk, d }, p256, false, ["deriveBits"]),
    };
    const keys = {
      p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
      auth: "BTBZMqHH6r4Tts7J_aSIgg",
    };
    const salt = new Uint8Array(fromBase64Url("DGv6ra1nlYgDCS1FRnbzlw") ?? []);
    const body = await encryptPayload(keys, "When I grow up, I want to be a watermelon", { keyPair, salt, isPadded: false });
    expect(toBase64Url(body)).toBe(
      "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    );
  });

  it("gives bodies of one length, which another key does not open", async () => {
    const [browser, other] = [newBrowser(), newBrowser()];
    const short = await encryptPayload(browser.subscription.keys, '{"a":1}');
    const long = await encryptPayload(browser.subscription.keys, JSON.stringify({ a: "x".repeat(300) }));
    expect(short.length).toBe(long.length);
    expect(browser.decrypt(short)).toEqual({ a: 1 });
    expect(() => other.decrypt(short)).toThrow();
    const largest = JSON.stringify("y".repeat(3_991));
    expect((await encryptPayload(browser.subscription.keys, largest)).length).toBe(4_096);
    await expect(encryptPayload(browser.subscription.keys, `${largest} `)).rejects.toThrow("too long");
  });
});

describe("the channel", () => {
  it("delivers kind, words and link, signed for the push service", async () => {
    const { person, browser, id } = await newSubscriber();
    service = startPushService(() => new Response(null, { status: 201 }));
    const delivery = newDelivery(person.id, id);
    expect(await send(delivery)).toMatchObject({ result: "accepted", answer: { status: 201 } });
    const [received] = service.received;
    if (!received) throw new Error("nothing was received");
    expect(received.endpoint).toBe(browser.endpoint);
    expect(browser.decrypt(received.body)).toEqual({
      event_id: delivery.eventId,
      kind: "alert.raised",
      priority: "alarm",
      lang: "en",
      title: "High priority: New alarm",
      body: expect.stringContaining("EdgeCare"),
      path: "/alarms/a1",
    });
    const { headers } = received;
    expect(headers.get("Urgency")).toBe("high");
    expect(headers.get("Topic")).toBe(delivery.eventId.replaceAll("-", ""));
    expect(Number(headers.get("TTL"))).toBeGreaterThan(3_000);
    const { payload, key } = await verifyVapid(headers.get("Authorization") ?? "", "https://push.example.com");
    expect(payload).toMatchObject({ sub: "https://edgecare.test", aud: "https://push.example.com" });
    expect(Number(payload.exp) * 1000 - Date.now()).toBeLessThan(24 * 3_600_000);
    const shown = await readJson(await sendRequest(`${API}/push/key`, { as: person }));
    expect(shown.data).toEqual({ is_on: true, public_key: key });
    await expect(verifyVapid(headers.get("Authorization") ?? "", "https://elsewhere.example.com")).rejects.toThrow();
  });

  it("writes in the person's language", async () => {
    const { person, browser, id } = await newSubscriber();
    const headers = { "If-Match": '"1"' };
    const change = { as: person, method: "PATCH", json: { language: "hi" }, headers };
    expect((await sendRequest(`${API}/notification-settings`, change)).status).toBe(200);
    service = startPushService(() => undefined);
    await send(newDelivery(person.id, id));
    expect(browser.decrypt(service.received[0]?.body ?? new Uint8Array())).toMatchObject({
      lang: "hi",
      title: "उच्च प्राथमिकता: नया अलार्म",
    });
  });

  it.each([404, 410])("removes the subscription on %i", async (status) => {
    const { person, id } = await newSubscriber();
    service = startPushService(() => new Response("gone", { status }));
    expect(await send(newDelivery(person.id, id))).toEqual({ result: "refused", answer: { status, text: "gone" } });
    expect(await list(person)).toEqual([]);
    expect(await send(newDelivery(person.id, id))).toEqual({ result: "cancelled" });
    expect(service.received).toHaveLength(1);
  });

  it.each([
    [429, { "Retry-After": "17" }, { result: "failed", retryAfterMs: 17_000 }],
    [503, { "Retry-After": "999999999" }, { result: "failed", retryAfterMs: 3_600_000 }],
    [503, { "Retry-After": "soon" }, { result: "failed" }],
    [500, {}, { result: "failed" }],
    [403, {}, { result: "refused" }],
    [302, { Location: "https://elsewhere.example.com/" }, { result: "refused" }],
  ])("answers %i %o", async (status, headers, outcome) => {
    const { person, id } = await newSubscriber();
    service = startPushService(() => new Response("x".repeat(5_000), { status, headers }));
    expect(await send(newDelivery(person.id, id))).toEqual({ ...outcome, answer: { status, text: "x".repeat(200) } });
    expect(await list(person)).toHaveLength(1);
    expect(service.received).toHaveLength(1);
  });

  it("does not know what became of a request without an answer", async () => {
    const { person, id } = await newSubscriber();
    service = startPushService(() => Promise.reject(new TypeError("Network connection lost.")));
    expect(await send(newDelivery(person.id, id))).toEqual({ result: "unknown", answer: { status: null, text: "TypeError" } });
  });

  it("sends nothing to an inactive account or another person's browser", async () => {
    const { person, browser, id } = await newSubscriber();
    service = startPushService(() => undefined);
    const other = await newPerson("nurse", await newHospital());
    expect(await send(newDelivery(other.id, id))).toEqual({ result: "cancelled" });
    expect(await send(newDelivery(person.id, id))).toMatchObject({ result: "accepted" });
    const moved = await register(other, browser.subscription);
    expect(moved.status).toBe(201);
    expect(await list(person)).toEqual([]);
    expect(await send(newDelivery(person.id, id))).toEqual({ result: "cancelled" });
    const { data } = await readJson(moved);
    await env.DB.prepare("UPDATE users SET active = 0 WHERE id = ?").bind(other.id).run();
    expect(await send(newDelivery(other.id, data.subscription_id))).toEqual({ result: "cancelled" });
    expect(service.received).toHaveLength(1);
  });

  it("holds back what is neither alarm nor security in quiet hours", async () => {
    const { person, id } = await newSubscriber();
    const json = { time_zone: "Asia/Kolkata", quiet_hours: { from: "22:00", until: "06:00" } };
    const headers = { "If-Match": '"1"' };
    await sendRequest(`${API}/notification-settings`, { as: person, method: "PATCH", json, headers });
    service = startPushService(() => undefined);
    const now = Date.parse("2026-11-30T20:00:00Z");
    const normal = newDelivery(person.id, id, { kind: "webhook.disabled", priority: "normal", createdAt: now });
    const others = [{ ...normal, id: "security", priority: "security" as const }, newDelivery(person.id, id, { createdAt: now })];
    const end = Date.parse("2026-12-01T00:30:00Z");
    const db = getDb(env.DB);
    expect((await readChoices(db, [normal, ...others], now)).heldUntil).toEqual(new Map([[normal.id, end]]));
    expect((await readChoices(db, [normal], end)).heldUntil).toEqual(new Map());
    expect(service.received).toHaveLength(0);
  });

  it("is off without a key", async () => {
    const { person, browser, id } = await newSubscriber();
    service = startPushService(() => undefined);
    const off: Env = { ...env, VAPID_KEYS: "" };
    expect(await send(newDelivery(person.id, id), { env: off })).toEqual({ result: "cancelled" });
    const shown = await readJson(await sendRequest(`${API}/push/key`, { as: person, env: off }));
    expect(shown.data).toEqual({ is_on: false, public_key: null });
    const options = { as: person, json: browser.subscription, env: off };
    expect((await sendRequest(`${API}/push/subscriptions`, options)).status).toBe(501);
    expect(service.received).toHaveLength(0);
  });
});

describe("subscriptions", () => {
  it("are renewed by the same browser and removed by their person alone", async () => {
    const { person, browser, id } = await newSubscriber();
    const again = await readJson(await register(person, browser.subscription));
    expect(again.data.subscription_id).toBe(id);
    expect(await list(person)).toHaveLength(1);
    const other = await newPerson("nurse", await newHospital());
    const path = `${API}/push/subscriptions/${id}`;
    expect((await sendRequest(path, { as: other, method: "DELETE" })).status).toBe(404);
    expect((await sendRequest(path, { as: person, method: "DELETE" })).status).toBe(200);
    expect((await sendRequest(path, { as: person, method: "DELETE" })).status).toBe(404);
    expect(await list(person)).toEqual([]);
  });

  it("are at most ten, also when they come at once: the one renewed longest ago goes", async () => {
    const { person, id } = await newSubscriber();
    const sent = await Promise.all(Array.from({ length: 12 }, () => register(person, newBrowser().subscription)));
    expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([201]));
    const kept = await list(person);
    expect(kept).toHaveLength(10);
    expect(kept.map((one: { subscription_id: string }) => one.subscription_id)).not.toContain(id);
  });

  it("of one endpoint that comes at once are one row", async () => {
    const people = await Promise.all(Array.from({ length: 5 }, async () => newPerson("nurse", await newHospital())));
    const { subscription } = newBrowser();
    await Promise.all([...people, ...people].map((person) => register(person, subscription)));
    const lists = await Promise.all(people.map(list));
    expect(lists.flat()).toHaveLength(1);
  });

  it("are stored sealed", async () => {
    const { person, browser } = await newSubscriber();
    const row = await env.DB.prepare("SELECT * FROM push_subscriptions WHERE user_id = ?").bind(person.id).first();
    const stored = JSON.stringify(row);
    for (const secret of [browser.endpoint, "push.example.com", browser.subscription.keys.auth, "Chrome on Linux"])
      expect(stored).not.toContain(secret);
    expect(JSON.stringify(await list(person))).not.toContain(browser.endpoint.split("/").at(-1));
  });

  it.each([
    "http://push.example.com/a",
    "https://localhost/a",
    "https://127.0.0.1/a",
    "https://0x7f.1/a",
    "https://2130706433/a",
    "https://[::1]/a",
    "https://10.0.0.1/a",
    "https://push.internal/a",
    "https://printer.local/a",
    "https://push.example.com:8443/a",
    "https://user:secret@push.example.com/a",
    "https://push.example.com/a#b",
    "https://metadata/a",
    "wss://push.example.com/a",
    "push.example.com",
    `https://push.example.com/${"a".repeat(2_048)}`,
  ])("are refused at %s", async (endpoint) => {
    const { person } = await newSubscriber();
    const response = await register(person, { ...newBrowser().subscription, endpoint });
    expect(response.status).toBe(400);
    expect((await readJson(response)).errors[0].path).toBe("endpoint");
  });

  it("need keys on the curve", async () => {
    const { person } = await newSubscriber();
    const { subscription } = newBrowser();
    const p256dh = toBase64Url(new Uint8Array([4, ...new Uint8Array(64).fill(9)]));
    const response = await register(person, { ...subscription, keys: { ...subscription.keys, p256dh } });
    expect(response.status).toBe(400);
  });

  it("go to a local service only outside of production", () => {
    const local = { ...env, PUSH_TEST_ORIGINS: "http://127.0.0.1:9999" };
    expect(isPushEndpoint(local, "http://127.0.0.1:9999/a")).toBe(true);
    expect(isPushEndpoint(local, "http://127.0.0.1:9998/a")).toBe(false);
    expect(() => isPushEndpoint({ ...local, ENVIRONMENT: "production" }, "http://127.0.0.1:9999/a")).toThrow();
  });
});
