// The phone number of a person for text messages: codes, their limits, and who may enter them.
import { env as bindings } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { derivePhoneCode } from "../../src/notifications/sms/phone-numbers.ts";
import {
  MAX_ATTEMPTS,
  MAX_CODES_IN_ALL,
  MAX_CODES_PER_NUMBER,
  MAX_CODES_PER_PERSON,
} from "../../src/notifications/sms/phone-verification.ts";
import { smsChannel } from "../../src/notifications/sms/sms-channel.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { channelCall, dumpTables, readDelivery } from "../deliveries.ts";
import { listNotices } from "../letters.ts";
import { API, env, findEvents, newAddress, newPerson, type Person, readJson, sendRequest, withinOneMinute } from "../world.ts";

const PATH = `${API}/notification-settings/phone`;
let person: Person;
let phone: string;

const newPhone = () => `+9197${String(Math.floor(Math.random() * 1e8)).padStart(8, "0")}`;

beforeEach(async () => {
  person = await newPerson("patient");
  phone = newPhone();
});

const ask = (number = phone, as = person, options = {}) =>
  sendRequest(PATH, { as, method: "PUT", json: { phone: number }, ...options });
const enter = (code: string, as = person) => sendRequest(`${PATH}/verify`, { as, json: { code } });
const read = async () => (await readJson(await sendRequest(PATH, { as: person }))).data;

async function readCode(userId = person.id): Promise<string> {
  const id = await env.DB.prepare("SELECT id FROM phone_codes WHERE user_id = ?").bind(userId).first<string>("id");
  return derivePhoneCode(await getKeys(env), id ?? "");
}

const wrong = (code: string) => code.replace(/.$/, (digit) => String((Number(digit) + 1) % 10));
/** Lets the minute between two codes pass. */
const wait = () => env.DB.prepare("UPDATE phone_codes SET created_at = created_at - 61000").run();

describe("a phone number", () => {
  it("counts once the code that was sent to it is entered", async () => {
    expect(await read()).toEqual({ is_on: true, phone: null, verified_at: null, pending: null });
    expect((await ask(`${phone.slice(0, 3)} ${phone.slice(3, 8)} ${phone.slice(8)}`)).status).toBe(202);
    expect(await read()).toMatchObject({ phone: null, pending: { phone } });
    const delivery = await readDelivery(sql`user_id = ${person.id} AND channel = 'sms'`);
    if (!delivery) throw new Error("no delivery was written");
    expect(delivery).toMatchObject({ kind: "phone.code", priority: "security" });
    await smsChannel.send(await channelCall(), delivery);
    const message = (await bindings.SMS_BOX.arrived(phone)).at(-1);
    const code = /^[0-9]{6}/.exec(message?.Body ?? "")?.[0] ?? "";
    expect(code).toBe(await readCode());
    expect((await readJson(await enter(code))).data).toMatchObject({ phone });
    expect(await read()).toMatchObject({ phone, pending: null, verified_at: expect.any(String) });
    expect((await enter(code)).status).toBe(403);
    expect(await listNotices(person.id)).toEqual(["account.channel_added"]);
    expect(await smsChannel.send(await channelCall(), delivery)).toEqual({ result: "cancelled" });
    const rows = await dumpTables("phone_codes", "notification_settings", "deliveries");
    expect(rows).not.toContain(phone.slice(3));
    expect(rows).not.toContain(code);
    expect(await findEvents({ event: "phone.verify", actor_id: person.id, outcome: "success" })).toHaveLength(1);
  });

  it("is kept while another one waits for its code, and is removed on request", async () => {
    await ask();
    await enter(await readCode());
    await wait();
    await ask(newPhone());
    expect(await read()).toMatchObject({ phone, pending: expect.anything() });
    expect((await sendRequest(PATH, { as: person, method: "DELETE" })).status).toBe(200);
    expect(await read()).toMatchObject({ phone: null, verified_at: null, pending: null });
    expect((await enter(await readCode())).status).toBe(403);
  });

  it.each(["98765 43210", "+91", "+91 98765 43210 ext 5", "+999 1234567", "hello", ""])("is not %j", async (text) => {
    expect((await ask(text)).status).toBe(400);
  });

  it("is refused where text messages are off", async () => {
    const off = { ...env, SMS_ACCOUNT_SID: "", SMS_AUTH_TOKEN: "", SMS_FROM: "" } as Env;
    const response = await ask(phone, person, { env: off });
    expect(response.status).toBe(501);
    expect((await readJson(response)).code).toBe("sms_off");
  });
});

describe("codes", () => {
  it("are sent once a minute and a bounded number of times per person", async () => {
    expect((await ask()).status).toBe(202);
    const soon = await ask();
    expect(soon.status).toBe(429);
    expect(Number(soon.headers.get("Retry-After"))).toBeGreaterThan(0);
    for (let i = 1; i < MAX_CODES_PER_PERSON; i++) {
      await wait();
      expect((await ask(newPhone())).status).toBe(202);
    }
    await wait();
    expect((await ask(newPhone())).status).toBe(429);
    await env.DB.prepare("UPDATE phone_codes SET window_started_at = window_started_at - 86400001").run();
    expect((await ask(newPhone())).status).toBe(202);
  });

  it("are sent a bounded number of times to one number, whoever asks", async () => {
    const people = await Promise.all(Array.from({ length: MAX_CODES_PER_NUMBER + 1 }, () => newPerson("patient")));
    const statuses: number[] = [];
    for (const one of people) statuses.push((await ask(phone, one)).status);
    expect(statuses).toEqual([...Array.from({ length: MAX_CODES_PER_NUMBER }, () => 202), 429]);
  });

  it("are sent a bounded number of times in all: numbers that cost much cannot be called without end", async () => {
    const { id } = await newPerson("patient");
    await getDb(env.DB).run(sql`INSERT INTO phone_codes
      (user_id, id, phone_sealed, phone_index, created_at, expires_at, sent_count, window_started_at)
      VALUES (${id}, ${id}, 'x', 'x', 1, 1, ${MAX_CODES_IN_ALL}, CAST(${Date.now()} AS INTEGER))`);
    const response = await ask();
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
    await env.DB.prepare("UPDATE phone_codes SET window_started_at = window_started_at - 86400001 WHERE user_id = ?")
      .bind(id)
      .run();
    expect((await ask()).status).toBe(202);
  });

  it("count for the number that they were sent to, also after the accounts have turned to another one", async () => {
    const [own, victim] = [newPhone(), newPhone()];
    const people = await Promise.all(Array.from({ length: MAX_CODES_PER_NUMBER + 1 }, () => newPerson("patient")));
    const statuses: number[] = [];
    for (const one of people) {
      statuses.push((await ask(phone, one)).status);
      await wait();
      // A request for another number neither frees the first one nor counts its codes for the other.
      await ask(statuses.length < MAX_CODES_PER_NUMBER ? victim : own, one);
    }
    expect(statuses.at(-1)).toBe(429);
    await wait();
    expect((await ask(victim)).status).toBe(202);
  });

  it("are limited per IP address, to whatever numbers and accounts", async () => {
    const ip = newAddress();
    const other = await newPerson("patient");
    // RATE_TEST admits 100 requests a minute.
    const limited = { ...env, RATE_OWN_IDENTITY: bindings.RATE_TEST };
    const statuses = await withinOneMinute(async () => {
      await Promise.all(Array.from({ length: 99 }, () => bindings.RATE_TEST.limit({ key: `phone-code:${ip}` })));
      await wait();
      const first = await ask(newPhone(), person, { ip, env: limited });
      return [first.status, (await ask(newPhone(), other, { ip, env: limited })).status];
    });
    expect(statuses).toEqual([202, 429]);
  });

  it("are sent once when asked for at the same time", async () => {
    const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await ask()).status));
    expect(statuses.filter((status) => status === 202)).toHaveLength(1);
    expect(statuses.filter((status) => status === 429)).toHaveLength(9);
  });

  it("are invalid after too many wrong ones, also when these come at the same time", async () => {
    await ask();
    const code = await readCode();
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await enter(wrong(code))).status));
    expect(new Set(statuses)).toEqual(new Set([403]));
    const attempts = await env.DB.prepare("SELECT attempts FROM phone_codes WHERE user_id = ?").bind(person.id).first("attempts");
    expect(attempts).toBe(MAX_ATTEMPTS);
    expect((await enter(code)).status).toBe(403);
  });

  it("are used once, also by requests at the same time", async () => {
    await ask();
    const code = await readCode();
    const statuses = await Promise.all(Array.from({ length: MAX_ATTEMPTS }, async () => (await enter(code)).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  });

  it("expire, and are of one person only", async () => {
    await ask();
    const other = await newPerson("patient");
    expect((await enter(await readCode(), other)).status).toBe(403);
    await env.DB.prepare("UPDATE phone_codes SET expires_at = 1 WHERE user_id = ?").bind(person.id).run();
    expect((await enter(await readCode())).status).toBe(403);
  });
});
