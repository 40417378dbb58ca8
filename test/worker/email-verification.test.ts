// Verification of e-mail addresses: who gets a link, what it does, and its limits.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listLetters, readToken, setVerified } from "../letters.ts";
import { withRandomDelays } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newHospital,
  newPerson,
  PASSWORD,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
} from "../world.ts";

const PHRASE = "lanterns over seven hills";
const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
let person: Person;
beforeEach(async () => {
  person = await newPerson("patient");
});
afterEach(() => {
  vi.useRealTimers();
});

const KIND = "letter.email_verification";
const resend = (as: { token: string }, options: RequestOptions = {}) =>
  sendRequest(`${API}/auth/email/verification`, { as, method: "POST", ...options });
const verify = (token: string, options: RequestOptions = {}) =>
  sendRequest(`${API}/auth/email/verify`, { json: { token }, ...options });
const isVerified = async (as: { token: string }): Promise<boolean> =>
  (await readJson(await sendRequest(`${API}/auth/me`, { as }))).data.email_verified;
const later = (ms: number) => vi.useFakeTimers({ now: Date.now() + ms, toFake: ["Date"] });
const eventsOf = async (response: Response) => readAuditEvents(response.headers.get("x-request-id") ?? "");

describe("a new account", () => {
  it("that registered gets a link, which verifies its address once", async () => {
    const email = `${uniqueText()}@example.org`;
    const json = { email, password: PHRASE, full_name: "Meera Iyer" };
    const { data } = await readJson(await sendRequest(`${API}/auth/register`, { json }));
    const session = { token: data.access_token };
    expect(await isVerified(session)).toBe(false);
    const token = await readToken(data.user_id, KIND);
    const done = await verify(token);
    expect(await eventsOf(done)).toMatchObject([{ event: "user.email_verify", outcome: "success", entity_id: data.user_id }]);
    expect(await isVerified(session)).toBe(true);
    await expectProblem(await verify(token), 403, "link_invalid");
    const stored = (await env.DB.prepare("SELECT * FROM email_links WHERE user_id = ?").bind(data.user_id).all()).results;
    for (const secret of [token, email]) expect(JSON.stringify(stored)).not.toContain(secret);
  });

  it("that was invited or created by a manager gets a link: the inviter has seen the invitation", async () => {
    const manager = await newPerson("hospital_admin", await newHospital());
    const invited = await readJson(
      await sendRequest(`${API}/users/invite`, { as: manager, json: { email: `${uniqueText()}@example.org`, role: "nurse" } }),
    );
    const letters = env.DB.prepare("SELECT kind FROM deliveries WHERE target_id = ?").bind(invited.data.invitation_id);
    expect((await letters.all()).results).toEqual([{ kind: "letter.invitation" }]);
    const accept = { token: invited.data.token, password: PHRASE, full_name: "Nila Rao" };
    const { data } = await readJson(await sendRequest(`${API}/auth/invitations/accept`, { json: accept }));
    expect(await isVerified({ token: data.access_token })).toBe(false);
    const json = { email: `${uniqueText()}@example.org`, full_name: "Nila Rao", role: "nurse", password: PASSWORD };
    const created = await readJson(await sendRequest(`${API}/users`, { as: manager, json }));
    for (const id of [data.user_id, created.data.user_id]) expect(await listLetters(id, KIND)).toHaveLength(1);
  });
});

describe("a link to verify an address", () => {
  it("can be asked for again, once a minute and five times a day", async () => {
    vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] });
    const sent = await resend(person);
    expect(await eventsOf(sent)).toMatchObject([{ event: "user.email_verification", actor_id: person.id }]);
    const soon = await resend(person);
    expect(Number(soon.headers.get("retry-after"))).toBeGreaterThan(50);
    expect(Number(soon.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    await expectProblem(soon, 429, "rate_limited");
    for (let i = 0; i < 4; i++) {
      later(MINUTE_MS);
      expect((await resend(person)).status).toBe(200);
    }
    later(MINUTE_MS);
    const beyond = await resend(person);
    expect(Number(beyond.headers.get("retry-after"))).toBeGreaterThan(80_000);
    await expectProblem(beyond, 429, "rate_limited");
    expect(await listLetters(person.id, KIND)).toHaveLength(5);
  });

  it("is sent once of twenty requests at once", async () => {
    const of = withRandomDelays(env);
    const answers = await Promise.all(Array.from({ length: 20 }, () => resend(person, { env: of })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await listLetters(person.id, KIND)).toHaveLength(1);
  });

  it("is not sent for a verified address", async () => {
    await setVerified(person.id);
    await expectProblem(await resend(person), 409, "conflict");
    expect(await listLetters(person.id, KIND)).toEqual([]);
  });

  const ENDS: [string, () => unknown][] = [
    ["a day later", () => later(DAY_MS)],
    ["for another address since", () => run("UPDATE users SET email_index = ? WHERE id = ?", uniqueText(), person.id)],
    ["of a disabled account", () => run("UPDATE users SET active = 0 WHERE id = ?", person.id)],
    ["of another purpose", () => run("UPDATE email_links SET purpose = 'change' WHERE user_id = ?", person.id)],
    ["that is used", () => run("UPDATE email_links SET used_at = 1 WHERE user_id = ?", person.id)],
  ];
  it.each(ENDS)("%s is refused like one that never was", async (_, end) => {
    await resend(person);
    const token = await readToken(person.id, KIND);
    await end();
    const seen = new Set<string>();
    for (const tried of [token, `${token.slice(0, -1)}x`, "ecv_nonsense", "ece_nonsense", "'; DROP TABLE users; --", "\u202e"]) {
      const response = await verify(tried);
      expect(response.status).toBe(403);
      seen.add((await response.text()).replace(/"(error_id|request_id)":"[^"]{36}"/g, ""));
    }
    expect([...seen]).toEqual([expect.stringContaining('"link_invalid"')]);
    expect(await env.DB.prepare("SELECT email_verified_at AS at FROM users WHERE id = ?").bind(person.id).first("at")).toBeNull();
  });

  it("verifies once of fifty uses at once", async () => {
    await resend(person);
    const token = await readToken(person.id, KIND);
    const of = withRandomDelays(env);
    const answers = await Promise.all(Array.from({ length: 50 }, () => verify(token, { env: of })));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(await isVerified(person)).toBe(true);
    const events = env.DB.prepare("SELECT count(*) AS n FROM email_links WHERE user_id = ? AND used_at IS NOT NULL");
    expect(await events.bind(person.id).first("n")).toBe(1);
  });
});

const run = (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  env.DB.prepare(query)
    .bind(...values)
    .run();
