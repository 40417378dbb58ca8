// Five wrong passwords lock a name for 15 minutes: exactly five, however many run concurrently, and never permanently.
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import crypto from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import worker from "../../src/index.ts";
import { interceptStores, withRandomDelays } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newAddress,
  newHospital,
  newPerson,
  PASSWORD,
  type Person,
  readAuditEvents,
  sendRequest,
  uniqueText,
  withinOneMinute,
} from "../world.ts";

const WRONG = "wrong password 9";
const LOCK_MS = 15 * 60_000;
let hospitalId: string;
let manager: Person;
beforeAll(async () => {
  hospitalId = await newHospital();
  manager = await newPerson("hospital_admin", hospitalId);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const login = (email: string, password: string, of: Env = env) =>
  sendRequest(`${API}/auth/login`, { json: { email, password }, env: of });
const someone = () => newPerson("nurse", hospitalId);

/** Attempts that have failed, or are still running, `before` milliseconds ago. */
async function attempts(person: Person, n: number, state: "failed" | "pending", expiresAt: number): Promise<void> {
  const add = env.DB.prepare("INSERT INTO login_attempts (subject, id, state, expires_at) VALUES (?, ?, ?, CAST(? AS INTEGER))");
  await env.DB.batch(Array.from({ length: n }, () => add.bind(person.id, uniqueText(), state, expiresAt)));
}

async function attemptsOf(subject: string, state: string): Promise<number> {
  const row = await env.DB.prepare("SELECT count(*) AS n FROM login_attempts WHERE subject = ? AND state = ?")
    .bind(subject, state)
    .first<{ n: number }>();
  return row?.n ?? Number.NaN;
}

function tally(statuses: number[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe("many attempts at once", () => {
  it("cost exactly five hashes when all are wrong; the rest are refused", async () => {
    const person = await someone();
    const hashes = vi.spyOn(crypto, "scrypt");
    const racing = withRandomDelays(env);
    const all = await Promise.all(Array.from({ length: 50 }, () => login(person.email, WRONG, racing)));
    expect(hashes).toHaveBeenCalledTimes(5);
    const counts = tally(all.map(({ status }) => status));
    expect(counts[401]).toBe(5);
    expect((counts[423] ?? 0) + (counts[429] ?? 0)).toBe(45);
    for (const { status, headers } of all) if (status !== 401) expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect([await attemptsOf(person.id, "failed"), await attemptsOf(person.id, "pending")]).toEqual([5, 0]);
    await expectProblem(await login(person.email, PASSWORD), 423, "account_locked");
  });

  it("would all be hashed by a counter that is read first and written later (the known-bad twin)", async () => {
    const { DB } = withRandomDelays(env);
    await DB.prepare("CREATE TABLE naive_lock (name TEXT PRIMARY KEY, failures INTEGER NOT NULL)").run();
    await DB.prepare("INSERT INTO naive_lock VALUES ('a', 0)").run();
    let hashed = 0;
    async function naiveLogin(): Promise<number> {
      const row = await DB.prepare("SELECT failures FROM naive_lock").first<{ failures: number }>();
      const failures = row?.failures ?? 0;
      if (failures >= 5) return 423;
      hashed++;
      await DB.prepare("UPDATE naive_lock SET failures = ?")
        .bind(failures + 1)
        .run();
      return 401;
    }
    await Promise.all(Array.from({ length: 50 }, naiveLogin));
    expect(hashed).toBeGreaterThan(5);
  });

  it("meet no lock when all are right", async () => {
    const person = await someone();
    const racing = withRandomDelays(env);
    const all = await Promise.all(Array.from({ length: 50 }, () => login(person.email, PASSWORD, racing)));
    const counts = tally(all.map(({ status }) => status));
    expect(Object.keys(counts).filter((status) => status !== "200" && status !== "429")).toEqual([]);
    expect(counts[200]).toBeGreaterThanOrEqual(5);
    expect([await attemptsOf(person.id, "failed"), await attemptsOf(person.id, "pending")]).toEqual([0, 0]);
    expect((await login(person.email, PASSWORD)).status).toBe(200);
  });

  it("one right and one wrong after four failures end in one of two states", async () => {
    const racing = withRandomDelays(env);
    for (let run = 0; run < 3; run++) {
      const person = await someone();
      await attempts(person, 4, "failed", Date.now() + LOCK_MS);
      const [right, wrong] = await Promise.all([login(person.email, PASSWORD, racing), login(person.email, WRONG, racing)]);
      const failures = await attemptsOf(person.id, "failed");
      expect(wrong.status).toBe(401);
      expect([
        { right: 200, failures: 1 },
        { right: 423, failures: 5 },
      ]).toContainEqual({ right: right.status, failures });
      expect(await attemptsOf(person.id, "pending")).toBe(0);
    }
  });

  it("wait for a slot, then give up without a hash and without a lock", async () => {
    const person = await someone();
    await attempts(person, 5, "pending", Date.now() + 30_000);
    const hashes = vi.spyOn(crypto, "scrypt");
    // Three seconds in total, even if each check of the slots is slow (thirty checks of half a second would take fifteen).
    const slow = interceptStores(env, async (_, run) => {
      await scheduler.wait(500);
      return run();
    });
    const started = Date.now();
    const answer = await login(person.email, PASSWORD, slow);
    expect(Date.now() - started).toBeLessThan(8_000);
    expect(answer.headers.get("retry-after")).toBe("5");
    await expectProblem(answer, 429, "rate_limited");
    expect(hashes).not.toHaveBeenCalled();
    // Their Workers were terminated: the reservations expire.
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 30_001);
    expect((await login(person.email, PASSWORD)).status).toBe(200);
  });
});

describe("a lock", () => {
  it("is the same for an unknown name, costs no hash, and is recorded", async () => {
    const known = await someone();
    await attempts(known, 5, "failed", Date.now() + LOCK_MS);
    const unknown = `${uniqueText()}@example.org`;
    for (let i = 0; i < 5; i++) await expectProblem(await login(unknown, WRONG), 401, "invalid_credentials");
    const hashes = vi.spyOn(crypto, "scrypt");
    const told = [];
    for (const email of [known.email, unknown]) {
      const answer = await login(email, PASSWORD);
      const rows = await readAuditEvents(answer.headers.get("x-request-id") ?? "");
      expect(rows).toMatchObject([{ event: "login.locked", outcome: "denied", reason: "account_locked" }]);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(800);
      const headers = [...answer.headers].filter(([name]) => name !== "x-request-id" && name !== "retry-after");
      told.push([answer.status, headers, (await answer.text()).replace(/"(error_id|request_id)":"[^"]+"/g, "")]);
    }
    expect(told[0]).toEqual(told[1]);
    expect(told[0]?.[0]).toBe(423);
    expect(hashes).not.toHaveBeenCalled();
  });

  it("lasts 15 minutes from the last failure, not longer for tries in between, and not shorter for a clock set back", async () => {
    const person = await someone();
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"] });
    await attempts(person, 4, "failed", start + 60_000);
    vi.setSystemTime(start);
    await expectProblem(await login(person.email, WRONG), 401, "invalid_credentials");
    for (const at of [-86_400_000, 0, 59_000, 61_000, LOCK_MS - 1]) {
      vi.setSystemTime(start + at);
      const answer = await login(person.email, PASSWORD);
      expect(Number(answer.headers.get("retry-after"))).toBe(Math.ceil((LOCK_MS - at) / 1000));
      await expectProblem(answer, 423, "account_locked");
    }
    vi.setSystemTime(start + LOCK_MS);
    expect((await login(person.email, PASSWORD)).status).toBe(200);
    expect(await attemptsOf(person.id, "failed")).toBe(0);
  });

  it("leaves the person's live sessions and their refresh alone", async () => {
    const person = await someone();
    await attempts(person, 5, "failed", Date.now() + LOCK_MS);
    await expectProblem(await login(person.email, PASSWORD), 423, "account_locked");
    expect((await sendRequest(`${API}/auth/me`, { as: person })).status).toBe(200);
    expect((await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: person.refresh } })).status).toBe(200);
  });

  it("is removed only by the hospital's administrator or a platform administrator", async () => {
    const [person, nurse, admin] = await Promise.all([someone(), someone(), newPerson("admin")]);
    const stranger = await newPerson("hospital_admin", await newHospital());
    const unlock = (as: Person | null, id = person.id) => sendRequest(`${API}/users/${id}/unlock`, { as, method: "POST" });
    for (const lifter of [manager, admin]) {
      await attempts(person, 5, "failed", Date.now() + LOCK_MS);
      await expectProblem(await unlock(null), 401, "unauthenticated");
      await expectProblem(await unlock(nurse), 403, "forbidden");
      await expectProblem(await unlock(person), 403, "forbidden");
      await expectProblem(await unlock(stranger), 404, "not_found");
      await expectProblem(await unlock(lifter, "0193a5b0-0000-7000-8000-000000000003"), 404, "not_found");
      await expectProblem(await login(person.email, PASSWORD), 423, "account_locked");
      const lifted = await unlock(lifter);
      expect(lifted.status).toBe(200);
      expect(await readAuditEvents(lifted.headers.get("x-request-id") ?? "")).toMatchObject([
        { event: "user.unlock", entity_id: person.id },
      ]);
      expect((await login(person.email, PASSWORD)).status).toBe(200);
    }
  });

  it("leaves nothing behind: the cron job clears lapsed attempts and keeps live ones", async () => {
    const [lapsed, live] = await Promise.all([someone(), someone()]);
    await attempts(lapsed, 3, "failed", Date.now() - 1000);
    await attempts(live, 3, "failed", Date.now() + LOCK_MS);
    const ctx = createExecutionContext();
    worker.scheduled(createScheduledController(), env, ctx);
    await waitOnExecutionContext(ctx);
    expect([await attemptsOf(lapsed.id, "failed"), await attemptsOf(live.id, "failed")]).toEqual([0, 3]);
  });
});

describe("a browser in which the account has logged in", () => {
  const browserLogin = (email: string, password: string, cookie = "", of: Env = env, ip?: string) =>
    sendRequest(`${API}/auth/login`, {
      json: { email, password, transport: "cookie" },
      headers: { ...(cookie && { Cookie: cookie }) },
      env: of,
      ...(ip !== undefined && { ip }),
    });
  const browserCookie = (response: Response) =>
    response.headers
      .getSetCookie()
      .find((line) => line.startsWith("__Secure-edgecare_browser="))
      ?.split(";")[0] ?? "";

  it("is remembered by a cookie without a name or an id of the account, after the right password only", async () => {
    const person = await someone();
    const refused = await browserLogin(person.email, WRONG);
    expect(refused.headers.getSetCookie()).toEqual([]);
    expect((await login(person.email, PASSWORD)).headers.getSetCookie()).toEqual([]);
    const response = await browserLogin(person.email, PASSWORD);
    const line = response.headers.getSetCookie().find((text) => text.includes("edgecare_browser")) ?? "";
    expect(line).toMatch(/^__Secure-edgecare_browser=[0-9a-f-]{36}(?:\.[\w-]{22}){2}; /);
    for (const part of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/api/v1/auth", "Max-Age=15552000"])
      expect(line).toContain(part);
    for (const secret of [person.id, person.email, person.username]) expect(line).not.toContain(secret);
  });

  it("is not kept out by attempts from elsewhere, however often they lock the name", async () => {
    const person = await someone();
    const cookie = browserCookie(await browserLogin(person.email, PASSWORD));
    for (let round = 0; round < 3; round++) {
      for (let i = attemptsLeft(await attemptsOf(person.id, "failed")); i > 0; i--) await login(person.email, WRONG);
      await expectProblem(await login(person.email, PASSWORD), 423, "account_locked");
      expect((await browserLogin(person.email, PASSWORD, cookie)).status).toBe(200);
      // The owner's success gives the guesser no new attempts.
      expect(await attemptsOf(person.id, "failed")).toBe(5);
    }
  });

  it("has five attempts of its own: exactly five, and a lock that the administrator lifts", async () => {
    const person = await someone();
    const cookie = browserCookie(await browserLogin(person.email, PASSWORD));
    const racing = withRandomDelays(env);
    const all = await Promise.all(Array.from({ length: 30 }, () => browserLogin(person.email, WRONG, cookie, racing)));
    const counts = tally(all.map(({ status }) => status));
    expect(counts[401]).toBe(5);
    await expectProblem(await browserLogin(person.email, PASSWORD, cookie), 423, "account_locked");
    expect(await attemptsOf(person.id, "failed")).toBe(0);
    const unlocked = await sendRequest(`${API}/users/${person.id}/unlock`, { as: manager, method: "POST" });
    expect(unlocked.status).toBe(200);
    expect((await browserLogin(person.email, PASSWORD, cookie)).status).toBe(200);
  });

  it("is known only for the names that logged in there, and only with an intact cookie", async () => {
    const [owner, victim] = await Promise.all([someone(), someone()]);
    const cookie = browserCookie(await browserLogin(owner.email, PASSWORD));
    const own = browserCookie(await browserLogin(victim.email, PASSWORD));
    const [name = "", value = ""] = own.split("=");
    const forged = [
      cookie,
      `${name}=${value.replace(/^./, (ch) => (ch === "0" ? "1" : "0"))}`,
      // Each name, and the account, has a tag of its own.
      `${name}=${value.replaceAll(".", ".A")}`,
      `${name}=${"x".repeat(3000)}`,
    ];
    for (const [i, header] of forged.entries()) {
      await expectProblem(await browserLogin(victim.email, WRONG, header), 401, "invalid_credentials");
      expect(await attemptsOf(victim.id, "failed")).toBe(i + 1);
    }
    // A computer of a ward knows everybody who has logged in there.
    const shared = browserCookie(await browserLogin(victim.email, PASSWORD, cookie));
    await attempts(owner, 5, "failed", Date.now() + LOCK_MS);
    await attempts(victim, 5, "failed", Date.now() + LOCK_MS);
    for (const person of [owner, victim]) expect((await browserLogin(person.email, PASSWORD, shared)).status).toBe(200);
  });

  it("logs in while others spray from the same address", async () => {
    const of: Env = { ...env, RATE_ADDRESS: bindings.RATE_TEST };
    const person = await someone();
    const cookie = browserCookie(await browserLogin(person.email, PASSWORD));
    const { sprayed, stranger, owner } = await withinOneMinute(async () => {
      const ip = newAddress();
      const spray = (email: string) => sendRequest(`${API}/auth/login`, { json: { email, password: WRONG }, env: of, ip });
      const sprayed: Response[] = [];
      for (let i = 0; i < 105; i++) sprayed.push(await spray(`${uniqueText()}@example.org`));
      const stranger = await browserLogin(person.email, PASSWORD, "", of, ip);
      return { sprayed, stranger, owner: await browserLogin(person.email, PASSWORD, cookie, of, ip) };
    });
    expect(tally(sprayed.map(({ status }) => status))).toEqual({ 401: 100, 429: 5 });
    await expectProblem(stranger, 429, "rate_limited");
    expect(owner.status).toBe(200);
    expect(owner.headers.get("ratelimit-policy")).toBe('"login";q=30;w=60');
  });
});

const attemptsLeft = (failed: number) => 5 - failed;

describe("logins from one address", () => {
  const spoof = (i: number) => ({
    "X-Forwarded-For": `198.51.100.${i}`,
    "True-Client-IP": `198.51.100.${i}`,
    Forwarded: `for=198.51.100.${i}`,
  });

  it("that spray many names meet 429 before any hash, whatever the forwarding headers claim", async () => {
    const of: Env = { ...env, RATE_ADDRESS: bindings.RATE_TEST };
    const hashes = vi.spyOn(crypto, "scrypt");
    const attempt = (email: string, ip: string, i = 1) =>
      sendRequest(`${API}/auth/login`, { json: { email, password: PASSWORD }, env: of, ip, headers: spoof(i) });
    const { statuses, known, unknown } = await withinOneMinute(async () => {
      hashes.mockClear();
      const ip = newAddress();
      const statuses: number[] = [];
      for (let i = 0; i < 110; i++) statuses.push((await attempt(`${uniqueText()}@example.org`, ip, i)).status);
      return { statuses, known: await attempt(manager.email, ip), unknown: await attempt(`${uniqueText()}@example.org`, ip) };
    });
    expect(tally(statuses)).toEqual({ 401: 100, 429: 10 });
    expect(hashes).toHaveBeenCalledTimes(100);
    // The limit does not tell which of the names exist.
    for (const answer of [known, unknown]) await expectProblem(answer, 429, "rate_limited");
    expect((await attempt(manager.email, newAddress())).status).toBe(200);
  });

  it("on one name use up neither the address nor, from elsewhere, the name", async () => {
    const of: Env = { ...env, RATE_ADDRESS: bindings.RATE_TEST, RATE_LOGIN: bindings.RATE_TEST_TEN };
    const [victim, colleague] = await Promise.all([someone(), someone()]);
    const attempt = (email: string, password: string, ip: string) =>
      sendRequest(`${API}/auth/login`, { json: { email, password }, env: of, ip });
    const { statuses, others, elsewhere } = await withinOneMinute(async () => {
      await env.DB.prepare("DELETE FROM login_attempts").run();
      const ip = newAddress();
      const statuses: Response[] = [];
      for (let i = 0; i < 130; i++) statuses.push(await attempt(victim.email, WRONG, ip));
      const others: number[] = [];
      for (let i = 0; i < 9; i++) others.push((await attempt(colleague.email, PASSWORD, ip)).status);
      return { statuses, others, elsewhere: await attempt(victim.email, PASSWORD, newAddress()) };
    });
    expect(tally(statuses.map(({ status }) => status))).toEqual({ 401: 5, 423: 5, 429: 120 });
    expect(statuses.at(-1)?.headers.get("ratelimit-policy")).toBe('"login";q=30;w=60');
    expect(new Set(others)).toEqual(new Set([200]));
    // Locked, not limited: five failures lock the name for whoever is not known.
    await expectProblem(elsewhere, 423, "account_locked");
  });
});
