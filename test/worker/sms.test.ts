// Text messages: what arrives, and what becomes of each answer and callback of the provider.
import { env as bindings } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { Delivery } from "../../src/notifications/channel.ts";
import { answerContext } from "../../src/notifications/delivery/ledger.ts";
import { computePhoneIndex, sealPhone } from "../../src/notifications/sms/phone-numbers.ts";
import { smsChannel } from "../../src/notifications/sms/sms-channel.ts";
import { MAX_CALLBACK_AGE_MS } from "../../src/notifications/sms/status-callback.ts";
import { textOf } from "../../src/notifications/text.ts";
import { getKeys } from "../../src/platform/config.ts";
import { sealValue, unsealValue } from "../../src/platform/crypto.ts";
import { channelCall, dumpTables, newNotice, setLanguage } from "../deliveries.ts";
import { env, newPerson, type Person, sendRequest } from "../world.ts";

const ALERT = "01970000-0000-7000-8000-000000000001";
let person: Person;
let phone: string;
let delivery: Delivery;

beforeEach(async () => {
  person = await newPerson("patient");
  phone = `+9198${String(Math.floor(Math.random() * 1e8)).padStart(8, "0")}`;
  await setLanguage(person.id, "en");
  const sealed = await sealPhone(await getKeys(env), { table: "notification_settings", id: person.id }, phone);
  await env.DB.prepare("UPDATE notification_settings SET phone_sealed = ?2, phone_verified_at = 1 WHERE user_id = ?1")
    .bind(person.id, sealed)
    .run();
  await env.DB.prepare("INSERT INTO notification_choices VALUES (?, 'alert.raised', 'sms', 1)").bind(person.id).run();
  const written = await newNotice("sms", { kind: "alert.raised", userId: person.id, refs: { alert_id: ALERT } });
  if (!written) throw new Error("no delivery was written");
  delivery = written;
});

const send = async (change = {}) => smsChannel.send(await channelCall(change), delivery);

describe("a text message", () => {
  it("says what happened and where to look, in the person's language", async () => {
    expect(await send()).toMatchObject({
      result: "accepted",
      answer: { status: 201, text: expect.stringMatching(/^SM\w+ queued$/) },
    });
    await setLanguage(person.id, "hi");
    await send();
    const [english, hindi] = await bindings.SMS_BOX.arrived(phone);
    expect(english?.Body).toBe(`EdgeCare: ${textOf("alert.raised", "en", "alarm").title}. https://edgecare.test/alarms/${ALERT}`);
    expect(hindi?.Body).toContain(textOf("alert.raised", "hi", "alarm").title);
    expect(english?.ValidityPeriod).toBe("600");
  });

  it("goes to a verified number of an active account only", async () => {
    await env.DB.prepare("UPDATE users SET active = 0 WHERE id = ?").bind(person.id).run();
    expect(await send()).toEqual({ result: "cancelled" });
    await env.DB.prepare("UPDATE users SET active = 1 WHERE id = ?").bind(person.id).run();
    await env.DB.prepare("UPDATE notification_settings SET phone_verified_at = NULL WHERE user_id = ?").bind(person.id).run();
    expect(await send()).toEqual({ result: "cancelled" });
    expect(await bindings.SMS_BOX.arrived(phone)).toHaveLength(0);
  });

  it("is not sent where text messages are off", async () => {
    const off = { ...env, SMS_ACCOUNT_SID: "", SMS_AUTH_TOKEN: "", SMS_FROM: "" } as Env;
    expect(await send({ env: off })).toEqual({ result: "cancelled" });
  });

  it.each([
    ["429", { result: "failed", retryAfterMs: 7_000 }],
    ["503", { result: "failed", retryAfterMs: 30_000 }],
    ["500", { result: "unknown" }],
    ["garbled", { result: "unknown" }],
    ["failed", { result: "refused" }],
    ["21610", { result: "refused" }],
    ["21614", { result: "refused" }],
    ["21606", { result: "failed" }],
  ])("that the provider answers with %s becomes %j", async (behaviour, outcome) => {
    await bindings.SMS_BOX.behave(phone, [behaviour]);
    expect(await send()).toMatchObject(outcome);
  });

  it("whose answer does not come in time is unknown", async () => {
    await bindings.SMS_BOX.behave(phone, ["hang"]);
    expect(await send({ signal: AbortSignal.timeout(300) })).toMatchObject({ result: "unknown" });
  });

  it("fails while the account is not accepted", async () => {
    const other = { ...env, SMS_AUTH_TOKEN: "x".repeat(32) } as Env;
    expect(await send({ env: other })).toMatchObject({ result: "failed", answer: { status: 401, text: "20003: Authenticate" } });
  });

  it("leaves no number in the clear", async () => {
    await send();
    const rows = await dumpTables("notification_settings", "deliveries", "notifications");
    expect(rows).toContain(person.id);
    expect(rows).not.toContain(phone.slice(3));
    expect(await computePhoneIndex(await getKeys(env), phone)).not.toContain(phone.slice(3));
  });
});

describe("a status callback", () => {
  let sid: string;

  beforeEach(async () => {
    await send();
    sid = (await bindings.SMS_BOX.arrived(phone))[0]?.sid ?? "";
    await setDelivery("accepted", `${sid} queued`);
  });

  async function setDelivery(status: string, answer: string | null) {
    const keys = await getKeys(env);
    const sealed = answer && (await sealValue(keys.fields, answerContext(delivery.id), answer));
    await env.DB.prepare("UPDATE deliveries SET status = ?2, answer_sealed = ?3 WHERE id = ?1")
      .bind(delivery.id, status, sealed)
      .run();
  }

  async function readDelivery() {
    const row = await env.DB.prepare("SELECT status, answer_sealed FROM deliveries WHERE id = ?")
      .bind(delivery.id)
      .first<{ status: string; answer_sealed: string }>();
    const answer = row && (await unsealValue((await getKeys(env)).fields, answerContext(delivery.id), row.answer_sealed));
    return `${row?.status}: ${String(answer).replace(sid, "SM")}`;
  }

  type Change = { url?: string; body?: string; signature?: string };
  async function post(status: string, errorCode?: string, change: Change = {}) {
    const { url, body, signature } = { ...(await bindings.SMS_BOX.callback(sid, status, errorCode)), ...change };
    const headers = { "Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature };
    const { pathname, search } = new URL(url);
    return (await sendRequest(pathname + search, { method: "POST", body, headers })).status;
  }

  it("tells that the message was delivered, or was not", async () => {
    expect(await post("sent")).toBe(204);
    expect(await readDelivery()).toBe("accepted: SM sent");
    expect(await post("undelivered", "30003")).toBe(204);
    expect(await readDelivery()).toBe("failed: SM undelivered 30003");
  });

  it("settles a message of which nothing was known", async () => {
    await setDelivery("unknown", null);
    expect(await post("delivered")).toBe(204);
    expect(await readDelivery()).toBe("accepted: SM delivered");
  });

  it.each(["failed", "undelivered"])("settles as %s a message whose sending ended with an error", async (status) => {
    for (const text of ["no answer in time", `${sid.slice(0, 33)} queued`, "30001: sent"]) {
      await setDelivery("unknown", text);
      expect(await post(status, "30003"), text).toBe(204);
      expect(await readDelivery()).toBe(`failed: SM ${status} 30003`);
    }
  });

  it("of a failure does not end an alarm that is to be sent again; one of a delivery does", async () => {
    await setDelivery("waiting", "no answer in time");
    expect(await post("failed", "30003")).toBe(409);
    expect(await readDelivery()).toBe("waiting: no answer in time");
    expect(await post("delivered")).toBe(204);
    expect(await readDelivery()).toBe("accepted: SM delivered");
  });

  it("is refused without a valid signature", async () => {
    const { url, body } = await bindings.SMS_BOX.callback(sid, "failed");
    expect(await post("failed", undefined, { signature: "" })).toBe(403);
    expect(await post("failed", undefined, { signature: btoa("x".repeat(20)) })).toBe(403);
    expect(await post("delivered", undefined, { body })).toBe(403);
    expect(await post("failed", undefined, { url: url.replace(/sent=\d+/, `sent=${Date.now() + 1}`) })).toBe(403);
    expect(await readDelivery()).toBe("accepted: SM queued");
  });

  it("is refused when it comes again, or behind a later one", async () => {
    const first = await bindings.SMS_BOX.callback(sid, "sent");
    expect(await post("sent", undefined, first)).toBe(204);
    expect(await post("sent", undefined, first)).toBe(409);
    expect(await post("delivered")).toBe(204);
    expect(await post("failed")).toBe(409);
    expect(await post("sent", undefined, first)).toBe(409);
    expect(await readDelivery()).toBe("accepted: SM delivered");
  });

  it("is refused when it is stale", async () => {
    const now = Date.now() - MAX_CALLBACK_AGE_MS - 1_000;
    await smsChannel.send(await channelCall({ now }), delivery);
    sid = (await bindings.SMS_BOX.arrived(phone))[1]?.sid ?? "";
    expect(await post("delivered")).toBe(409);
  });

  it("is refused for a delivery that is nowhere, and to be repeated while the message is being sent", async () => {
    await setDelivery("sending", null);
    expect(await post("sent")).toBe(503);
    await env.DB.prepare("DELETE FROM deliveries WHERE id = ?").bind(delivery.id).run();
    expect(await post("sent")).toBe(404);
  });
});
