// What somebody with a stolen password, session, mailbox or many accounts tries: guesses without end, floods, and messages elsewhere.
import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MAX_CHANGES_PER_ADDRESS } from "../../src/accounts/email/email-links.ts";
import { pushChannel } from "../../src/notifications/push/push-channel.ts";
import { channelCall, readDelivery } from "../deliveries.ts";
import { ageSession, askForTicket, codeOf, enrolTotp, finish, logIn, post, registerPasskey } from "../factor-steps.ts";
import { listLetters, listNotices, readToken, setVerified } from "../letters.ts";
import { oneTimePassword } from "../one-time-password.ts";
import { API, env, newPerson, newWorld, PASSWORD, type Person, readJson, sendRequest, uniqueText } from "../world.ts";
import { newBrowser } from "./push-service.ts";
import { newWebhook } from "./webhook-world.ts";

const HOUR_MS = 3_600_000;
afterEach(() => vi.restoreAllMocks());

async function guess(person: Person, times: number, password: string, secret: string): Promise<void> {
  const code = oneTimePassword(secret, Date.now() + HOUR_MS);
  for (let i = 0; i < times; i++) expect((await logIn(person, { mfa_code: code }, password)).status).toBe(401);
}

const newAddress = () => `${uniqueText()}@example.org`;
const changeAddress = (as: Person, email: string) => post("/auth/email/change", as, { email, password: PASSWORD });

describe("guesses of codes", () => {
  it("are not forgotten when somebody with a session repeats the password", async () => {
    const { nurse } = await newWorld();
    const { secret } = await enrolTotp(nurse);
    await guess(nurse, 4, PASSWORD, secret);
    expect((await changeAddress(nurse, newAddress())).status).toBe(200);
    await guess(nurse, 1, PASSWORD, secret);
    expect((await logIn(nurse)).status).toBe(423);
  });

  it("are forgotten by one reset of the password an hour, not by each", async () => {
    const { nurse } = await newWorld();
    await setVerified(nurse.id);
    const { secret } = await enrolTotp(nurse);
    const reset = async (new_password: string) => {
      await post("/auth/password/forgot", null, { email: nurse.email });
      const token = await readToken(nurse.id, "letter.password_reset");
      expect((await post("/auth/password/reset", null, { token, new_password })).status).toBe(200);
    };
    await guess(nurse, 5, PASSWORD, secret);
    const [first, second] = ["lanterns over seven hills", "harbours under nine moons"];
    await reset(first);
    await guess(nurse, 5, first, secret);
    await reset(second);
    expect((await logIn(nurse, {}, second)).status).toBe(423);
    await env.DB.prepare("UPDATE password_resets SET used_at = used_at - ? WHERE user_id = ?").bind(HOUR_MS, nurse.id).run();
    const third = "meadows beside three rivers";
    await reset(third);
    expect(await codeOf(await logIn(nurse, {}, third))).toBe("second_step_required");
  });

  it("end with a ticket that was issued before", async () => {
    const { nurse } = await newWorld();
    const { secret } = await enrolTotp(nurse);
    const { ticket } = await askForTicket(nurse);
    await guess(nurse, 5, PASSWORD, secret);
    expect((await finish({ ticket, code: oneTimePassword(secret) })).status).toBe(423);
  });
});

describe("a session without the second step that is required", () => {
  it("reads no notification and leads none elsewhere", async () => {
    const { hospitalId, manager, doctor } = await newWorld();
    const json = { required_from: { nurse: null, doctor: new Date(Date.now() - 60_000).toISOString(), hospital_admin: null } };
    await sendRequest(`${API}/hospitals/${hospitalId}/factor-policy`, { as: manager, method: "PUT", json });
    const requests: [string, string, object?][] = [
      ["GET", "/notifications"],
      ["GET", "/notifications/unread-count"],
      ["POST", "/notifications/read-all", {}],
      ["GET", "/push/subscriptions"],
      ["POST", "/push/subscriptions", newBrowser().subscription],
      ["GET", "/notification-settings"],
      ["GET", "/notification-settings/phone"],
      ["PUT", "/notification-settings/phone", { phone: "+919876543210" }],
      ["POST", "/notification-settings/test", { channel: "email" }],
      ["PUT", "/notification-preferences", { choices: [] }],
    ];
    for (const [method, path, body] of requests) {
      const response = await sendRequest(API + path, { as: doctor, method, ...(body && { json: body }) });
      expect([path, await codeOf(response)]).toEqual([path, "enrolment_required"]);
    }
    await enrolTotp(doctor);
    expect((await sendRequest(`${API}/notifications`, { as: doctor })).status).toBe(200);
  });
});

describe("a session that began before its person enrolled a factor", () => {
  it("changes no factor, however recent, until it has shown one", async () => {
    const { nurse } = await newWorld();
    const { secret } = await enrolTotp(nurse);
    await env.DB.prepare("UPDATE sessions SET amr = 'pwd' WHERE id = ?").bind(nurse.sessionId).run();
    const remove = (as: { token: string }) => sendRequest(`${API}/auth/mfa/totp`, { as, method: "DELETE" });
    expect(await codeOf(await remove(nurse))).toBe("step_up_required");
    for (const path of ["/auth/passkeys/options", "/auth/mfa/recovery-codes"])
      expect(await codeOf(await post(path, nurse, undefined))).toBe("step_up_required");
    expect((await post("/auth/step-up", nurse, { code: oneTimePassword(secret) })).status).toBe(200);
    expect((await remove(nurse)).status).toBe(200);
  });

  it("is no recent sign-in, until it has shown the factor", async () => {
    const { manager } = await newWorld();
    const other = { token: String((await readJson(await logIn(manager))).data.access_token) };
    const newKey = () => post("/api-keys", other, { name: uniqueText(), scopes: ["patient:read"] });
    expect((await newKey()).status).toBe(201);
    const { secret } = await enrolTotp(manager);
    expect(await codeOf(await newKey())).toBe("step_up_required");
    expect(await codeOf(await post("/auth/step-up", other, { password: PASSWORD }))).toBe("second_step_required");
    expect((await post("/auth/step-up", other, { code: oneTimePassword(secret) })).status).toBe(200);
    expect((await newKey()).status).toBe(201);
  });
});

describe("a browser or number that somebody adds", () => {
  it("is told to the person once, and a reset of the password removes browsers", async () => {
    const { nurse } = await newWorld();
    await setVerified(nurse.id);
    const { subscription } = newBrowser();
    for (let i = 0; i < 2; i++) expect((await post("/push/subscriptions", nurse, subscription)).status).toBe(201);
    expect(await listNotices(nurse.id)).toEqual(["account.channel_added"]);
    const mails = sql`user_id = ${nurse.id} AND kind = 'account.channel_added' AND channel = 'email'`;
    expect(await readDelivery(mails)).toMatchObject({ priority: "security" });
    const browsers = async () =>
      (await readJson(await sendRequest(`${API}/push/subscriptions`, { as: nurse }))).data.subscriptions;
    expect(await browsers()).toHaveLength(1);
    await post("/auth/password/forgot", null, { email: nurse.email });
    const token = await readToken(nurse.id, "letter.password_reset");
    const new_password = "lanterns over seven hills";
    expect((await post("/auth/password/reset", null, { token, new_password })).status).toBe(200);
    const { n } =
      (await env.DB.prepare("SELECT count(*) AS n FROM push_subscriptions WHERE user_id = ?").bind(nurse.id).first()) ?? {};
    expect(n).toBe(0);
  });
});

describe("an address", () => {
  it("gets few mails of changes a day, from however many accounts, with the same answer", async () => {
    const victim = newAddress();
    const people = await Promise.all(Array.from({ length: MAX_CHANGES_PER_ADDRESS + 2 }, () => newPerson("patient")));
    const answers: number[] = [];
    for (const person of people) answers.push((await changeAddress(person, victim)).status);
    expect(new Set(answers)).toEqual(new Set([200]));
    const letters = await Promise.all(people.map(({ id }) => listLetters(id, "letter.email_change")));
    expect(letters.flat()).toHaveLength(MAX_CHANGES_PER_ADDRESS);
  });
});

describe("the endpoint of a push service", () => {
  /** What DNS over HTTPS answers for every name. @returns the hosts that were asked, and the names that were looked up */
  function stubNames(addresses: { current: string }) {
    const real = globalThis.fetch;
    const asked: string[] = [];
    const names: (string | null)[] = [];
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
      const url = new URL(input instanceof Request ? input.url : String(input));
      asked.push(url.hostname);
      if (url.hostname !== "cloudflare-dns.com") return real(input, init);
      names.push(url.searchParams.get("name"));
      const isIpv4 = url.searchParams.get("type") === "A";
      return Promise.resolve(Response.json({ Status: 0, Answer: isIpv4 ? [{ type: 1, data: addresses.current }] : [] }));
    });
    return { asked, names };
  }

  it("has public addresses when it is registered, and again before each message", async () => {
    const { nurse } = await newWorld();
    const addresses = { current: "10.0.0.1" };
    const { asked, names } = stubNames(addresses);
    const { subscription } = newBrowser("https://push.attacker.dev");
    const register = () => sendRequest(`${API}/push/subscriptions`, { as: nurse, json: subscription });
    expect((await register()).status).toBe(400);
    addresses.current = "93.184.215.14";
    expect((await register()).status).toBe(201);
    addresses.current = "169.254.169.254";
    await post("/notification-settings/test", nurse, { channel: "push" });
    const delivery = await readDelivery(sql`user_id = ${nurse.id} AND channel = 'push'`);
    if (!delivery) throw new Error("no delivery was written");
    expect(await pushChannel.send(await channelCall(), delivery)).toMatchObject({ result: "refused" });
    expect(asked).not.toContain("push.attacker.dev");
    expect(names).toContain("push.attacker.dev");
  });

  it("of another person's browser is not taken over without its keys", async () => {
    const { nurse, doctor } = await newWorld();
    const { subscription } = newBrowser();
    const register = (as: Person, json: object) => sendRequest(`${API}/push/subscriptions`, { as, json });
    const count = async (as: Person) =>
      (await readJson(await sendRequest(`${API}/push/subscriptions`, { as }))).data.subscriptions.length;
    expect((await register(nurse, subscription)).status).toBe(201);
    expect((await register(doctor, { ...newBrowser().subscription, endpoint: subscription.endpoint })).status).toBe(400);
    expect([await count(nurse), await count(doctor)]).toEqual([1, 0]);
    // The same browser, after somebody else has signed in.
    expect((await register(doctor, subscription)).status).toBe(201);
    expect([await count(nurse), await count(doctor)]).toEqual([0, 1]);
  });

  it("of a browser's own service is not looked up", async () => {
    const { nurse } = await newWorld();
    const { names } = stubNames({ current: "10.0.0.1" });
    const { subscription } = newBrowser("https://fcm.googleapis.com");
    expect((await sendRequest(`${API}/push/subscriptions`, { as: nurse, json: subscription })).status).toBe(201);
    expect(names).not.toContain("fcm.googleapis.com");
  });
});

describe("a reset of factors by an administrator", () => {
  it("is told by every channel, whatever was chosen", async () => {
    const { manager, nurse } = await newWorld();
    await enrolTotp(nurse);
    await setVerified(nurse.id);
    await sendRequest(`${API}/push/subscriptions`, { as: nurse, json: newBrowser().subscription });
    await env.DB.prepare(
      "INSERT INTO notification_settings (user_id, phone_sealed, phone_verified_at, updated_at) VALUES (?, 'x', 1, 1)",
    )
      .bind(nurse.id)
      .run();
    await registerPasskey(manager);
    expect((await post(`/users/${nurse.id}/factors/reset`, manager, undefined)).status).toBe(200);
    const rows = await env.DB.prepare(
      "SELECT channel FROM deliveries WHERE user_id = ? AND kind = 'account.factors_reset' ORDER BY channel",
    )
      .bind(nurse.id)
      .all();
    expect(rows.results.map(({ channel }) => channel)).toEqual(["email", "push", "sms"]);
  });
});

describe("a webhook with clinical data", () => {
  it("needs a recent sign-in for a new secret, further events and to be switched on", async () => {
    const { manager } = await newWorld();
    const [webhook, plain] = [await newWebhook(manager, { include_data: true }), await newWebhook(manager)];
    const call = (method: string, path: string, json?: object) =>
      sendRequest(`${API}/webhooks/${path}`, { as: manager, method, headers: { "If-Match": "*" }, ...(json && { json }) });
    expect((await call("PATCH", webhook.id, { is_active: false })).status).toBe(200);
    await ageSession(manager.sessionId, 11 * 60_000);
    expect(await codeOf(await call("POST", `${webhook.id}/rotate-secret`))).toBe("step_up_required");
    expect(await codeOf(await call("POST", `${webhook.id}/enable`))).toBe("step_up_required");
    expect(await codeOf(await call("PATCH", webhook.id, { is_active: true }))).toBe("step_up_required");
    expect(await codeOf(await call("PATCH", webhook.id, { events: ["alert.raised"] }))).toBe("step_up_required");
    expect((await call("POST", `${plain.id}/rotate-secret`)).ok).toBe(true);
    const { data } = await readJson(await call("PATCH", webhook.id, { description: "laboratory" }));
    expect(data).toMatchObject({ is_active: false, events: ["report.created"] });
  });
});
