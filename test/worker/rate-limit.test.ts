// One hundred requests per minute and person, whatever their headers; devices and apps are counted separately. What has no valid
// token counts for its address alone, and a token of an ended session for that session alone.
import { env as bindings } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/http/rate-limit.ts";
import config from "../../wrangler.toml?raw";
import { interceptStores } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newAddress,
  newDevice,
  newLogin,
  newPerson,
  newWorld,
  PASSWORD,
  type Person,
  readJson,
  sendRequest,
  withinOneMinute,
} from "../world.ts";

function limited() {
  const puts: unknown[] = [];
  const counted = interceptStores({ ...env, RATE_PERSON: bindings.RATE_TEST }, (call, run) => {
    if (call.store === "KV" && call.op === "put") puts.push(call.k);
    return run();
  });
  return { env: counted, puts };
}

describe("the limit of a person", () => {
  it("is 100 a minute; the next is 429 with Retry-After, whatever address it claims; the verdict is written once", async () => {
    const { statuses, refused, puts, person } = await withinOneMinute(async () => {
      const person = await newPerson("patient");
      const { env: limitedEnv, puts } = limited();
      const statuses: number[] = [];
      for (let i = 0; i < 100; i++) statuses.push((await sendRequest(`${API}/reports`, { as: person, env: limitedEnv })).status);
      const refused: Response[] = [];
      for (let i = 0; i < 6; i++) {
        const headers = {
          "X-Forwarded-For": `198.51.100.${i}`,
          Forwarded: `for=198.51.100.${i}`,
          "True-Client-IP": "198.51.100.9",
        };
        refused.push(await sendRequest(`${API}/reports`, { as: person, env: limitedEnv, headers, ip: `192.0.2.${i}` }));
      }
      return { statuses, refused, puts, person };
    });
    expect(new Set(statuses)).toEqual(new Set([200]));
    for (const response of refused) {
      expect(response.status).toBe(429);
      const wait = Number(response.headers.get("retry-after"));
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(60);
      expect(response.headers.get("ratelimit-policy")).toBe('"person";q=100;w=60');
      expect(await readJson(response)).toMatchObject({ code: "rate_limited", status: 429, errors: [] });
    }
    expect(puts).toHaveLength(1);
    const { keys } = await env.KV.list();
    expect(keys.length).toBeGreaterThan(0);
    for (const { name } of keys) expect(name).toMatch(/^blocked:[0-9a-f]{32}$/);
    expect(keys.map(({ name }) => name).join()).not.toContain(person.id);

    // Other users are not limited, and the verdict holds where the rate limit binding has no count.
    const other = await newPerson("patient");
    expect((await sendRequest(`${API}/reports`, { as: other, env: limited().env })).status).toBe(200);
    expect((await sendRequest(`${API}/reports`, { as: person })).status).toBe(429);
  });

  it("does not count machines", async () => {
    const world = await newWorld();
    const device = await newDevice(world.nurse, world.patient.id);
    const { env: limitedEnv } = limited();
    const path = `${API}/reports/${world.patient.id}`;
    const statuses = new Set<number>();
    for (let i = 0; i < 105; i++) {
      const response = await sendRequest(path, { as: device, env: limitedEnv });
      statuses.add(response.status);
      expect(response.headers.get("ratelimit-policy")).toBe('"machine";q=6000;w=60');
    }
    expect(statuses).toEqual(new Set([404]));
  });

  it("counts callers without a token by their address, IPv6 by its network", async () => {
    const from = (ip: string) => sendRequest(`${API}/patients`, { env: { ...env, RATE_ADDRESS: bindings.RATE_TEST }, ip });
    const statuses = await withinOneMinute(async () => {
      const network = `2001:db8:${Math.floor(Math.random() * 65_535).toString(16)}:7`;
      const statuses: number[] = [];
      for (let i = 1; i <= 101; i++) statuses.push((await from(`${network}::${i.toString(16)}`)).status);
      statuses.push((await from(`${network.slice(0, -1)}8::1`)).status);
      return statuses;
    });
    expect(new Set(statuses.slice(0, 100))).toEqual(new Set([401]));
    expect(statuses.slice(100)).toEqual([429, 401]);
  });
});

const PATIENT_ROLE = { role: "patient", hospitalId: null, doctorScope: "care_team" } as const;

function tally(responses: { status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of responses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe("requests without a valid token", () => {
  const of: Env = { ...env, RATE_ADDRESS: bindings.RATE_TEST, RATE_PERSON: bindings.RATE_TEST };

  it("use up their own share of the address: logins, refreshes and sessions from there go on", async () => {
    const { junk, good } = await withinOneMinute(async () => {
      const person = await newPerson("patient");
      const ip = newAddress();
      const junk: Response[] = [];
      for (let i = 0; i < 120; i += 4) {
        junk.push(await sendRequest(`${API}/patients`, { as: `junk-${i}`, env: of, ip }));
        junk.push(await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: `ecr_${i}` }, env: of, ip }));
        junk.push(await sendRequest(`${API}/auth/login`, { json: {}, env: of, ip }));
        junk.push(await sendRequest("/api/token", { body: "{", method: "POST", env: of, ip }));
      }
      const json = { email: person.email, password: PASSWORD };
      const form = new URLSearchParams({ username: person.email, password: PASSWORD });
      const good = [
        await sendRequest(`${API}/auth/login`, { json, env: of, ip }),
        await sendRequest("/api/token", { body: form, env: of, ip }),
        await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: person.refresh }, env: of, ip }),
        await sendRequest(`${API}/auth/me`, { as: person, env: of, ip }),
        await sendRequest("/openapi.json", { env: of, ip }),
      ];
      return { junk, good };
    });
    expect(tally(junk)).toEqual({ 401: 50, 400: 25, 415: 25, 429: 20 });
    expect(good.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const [refused] = junk.slice(-1);
    expect(refused?.headers.get("ratelimit-policy")).toBe('"address";q=300;w=60');
    expect(refused?.headers.get("www-authenticate")).toBeNull();
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(good.map((response) => response.headers.get("ratelimit-policy"))).toEqual([
      '"login";q=30;w=60, "address";q=300;w=60',
      '"login";q=30;w=60, "address";q=300;w=60',
      '"session";q=100;w=60',
      '"person";q=100;w=60',
      '"address";q=300;w=60',
    ]);
  });

  it("would stop them if an address had one count (the known-bad twin)", async () => {
    const count = (ip: string) => bindings.RATE_TEST.limit({ key: `naive:${ip}` });
    const login = await withinOneMinute(async () => {
      const ip = newAddress();
      for (let i = 0; i < 120; i++) await count(ip);
      return count(ip);
    });
    expect(login.success).toBe(false);
  });

  it("a refresh token with a valid signature counts for its session, wherever it is used", async () => {
    const { statuses, other } = await withinOneMinute(async () => {
      const person = await newPerson("patient");
      const other = await newPerson("patient");
      await env.DB.prepare("UPDATE sessions SET revoked_at = 1 WHERE id = ?").bind(person.sessionId).run();
      const refresh = (refresh_token: string) =>
        sendRequest(`${API}/auth/refresh`, { json: { refresh_token }, env: of, ip: "192.0.2.40" });
      const statuses: Response[] = [];
      for (let i = 0; i < 105; i++) statuses.push(await refresh(person.refresh));
      return { statuses, other: await refresh(other.refresh) };
    });
    expect(tally(statuses)).toEqual({ 401: 100, 429: 5 });
    expect(other.status).toBe(200);
  });
});

describe("a token of a session that has ended", () => {
  const of: Env = { ...env, RATE_PERSON: bindings.RATE_TEST };
  const read = (as: { token: string }) => sendRequest(`${API}/reports`, { as, env: of });

  it.each([
    ["was never used here", async () => undefined],
    ["was just used and is logged out", async (ended: { token: string }) => void (await read(ended))],
  ])("spends nothing of the person's quota when it %s", async (_, use) => {
    const { refused, after } = await withinOneMinute(async () => {
      const person = await newPerson("patient");
      const ended = await newLogin(person.id, PATIENT_ROLE);
      await use(ended);
      expect((await sendRequest(`${API}/auth/logout`, { as: ended, method: "POST" })).status).toBe(200);
      const refused = await Promise.all(Array.from({ length: 130 }, () => read(ended)));
      const after: Response[] = [];
      for (let i = 0; i < 95; i++) after.push(await read(person));
      return { refused, after };
    });
    const counts = tally(refused);
    expect(Object.keys(counts)).toEqual(["401", "429"]);
    expect(counts[401]).toBeLessThanOrEqual(100);
    expect(tally(after)).toEqual({ 200: 95 });
  });

  it("counts for the person in no more than the requests under way when the session ends elsewhere", async () => {
    const { first, after } = await withinOneMinute(async () => {
      const person = await newPerson("patient");
      const ended = await newLogin(person.id, PATIENT_ROLE);
      await read(ended);
      // Another isolate ends it: this one learns of it by the first refusal.
      await env.DB.prepare("UPDATE sessions SET revoked_at = 1 WHERE id = ?").bind(ended.sessionId).run();
      const first: Response[] = [];
      for (let i = 0; i < 120; i++) first.push(await read(ended));
      const after: Response[] = [];
      for (let i = 0; i < 95; i++) after.push(await read(person));
      return { first, after };
    });
    expect(tally(first)[401]).toBeGreaterThanOrEqual(99);
    expect(tally(after)).toEqual({ 200: 95 });
  });

  it("would spend the whole quota if the signature alone decided (the known-bad twin)", async () => {
    const count = (userId: string) => bindings.RATE_TEST.limit({ key: `naive:${userId}` });
    const after = await withinOneMinute(async () => {
      const { id } = await newPerson("patient");
      await Promise.all(Array.from({ length: 130 }, () => count(id)));
      return count(id);
    });
    expect(after.success).toBe(false);
  });

  it("many sessions of a person share the person's quota once they are known", async () => {
    const statuses = await withinOneMinute(async () => {
      const person = await newPerson("patient");
      const sessions = [person, await newLogin(person.id, PATIENT_ROLE), await newLogin(person.id, PATIENT_ROLE)];
      const statuses: Response[] = [];
      for (let i = 0; i < 120; i++) statuses.push(await read(sessions[i % 3] ?? person));
      return statuses;
    });
    expect(tally(statuses)).toEqual({ 200: 100, 429: 20 });
  });
});

describe("a session that is not known yet", () => {
  const of: Env = { ...env, RATE_PERSON: bindings.RATE_TEST_TEN };

  it("is blocked with its person, and its refused writes count for the person", async () => {
    const { refused, fresh, other } = await withinOneMinute(async () => {
      const { nurse, hospitalId } = await newWorld();
      const standing = { role: "nurse", hospitalId, doctorScope: "care_team" } as const;
      const sessions = [nurse, await newLogin(nurse.id, standing), await newLogin(nurse.id, standing)];
      const write = (as: { token: string }) =>
        sendRequest(`${API}/live/tickets`, { as, json: { patient_id: crypto.randomUUID() }, env: of });
      const refused: Response[] = [];
      for (let i = 0; i < 18; i++) refused.push(await write(sessions[i % 3] ?? nurse));
      const fresh = await newLogin(nurse.id, standing);
      const other = await newPerson("nurse", hospitalId);
      return { refused, fresh: await write(fresh), other: await write(other) };
    });
    expect(tally(refused)).toEqual({ 404: 10, 429: 8 });
    await expectProblem(fresh, 429, "rate_limited");
    expect(other.status).toBe(404);
  });
});

describe("changes of the own password", () => {
  it("have a small quota per account, which a session that has ended does not spend", async () => {
    const of: Env = { ...env, RATE_OWN_IDENTITY: bindings.RATE_TEST_TEN };
    const change = (as: { token: string }) =>
      sendRequest(`${API}/auth/password/change`, {
        as,
        json: { current_password: "wrong password 9", new_password: "lanterns over seven hills" },
        env: of,
      });
    const { ended, own } = await withinOneMinute(async () => {
      const person = await newPerson("patient");
      const session = await newLogin(person.id, PATIENT_ROLE);
      await env.DB.prepare("UPDATE sessions SET revoked_at = 1 WHERE id = ?").bind(session.sessionId).run();
      const ended = await Promise.all(Array.from({ length: 12 }, () => change(session)));
      const own: Response[] = [];
      for (let i = 0; i < 12; i++) own.push(await change(person));
      return { ended, own };
    });
    expect(tally(ended)).toEqual({ 401: 12 });
    expect(own.slice(10).map(({ status }) => status)).toEqual([429, 429]);
    expect(tally(own)[429]).toBe(2);
    expect(own.at(-1)?.headers.get("ratelimit-policy")).toBe('"password";q=5;w=60');
  });
});

describe("the portal's reads", () => {
  const POLICY = '"portal-session";q=600;w=60, "portal-person";q=1200;w=60';

  async function portalToken(person: Person): Promise<string> {
    const json = { email: person.email, password: PASSWORD, transport: "cookie" };
    const login = await sendRequest(`${API}/auth/login`, { json });
    const cookie = login.headers.getSetCookie().map((line) => line.split(";")[0]);
    const renewed = await sendRequest(`${API}/auth/refresh`, { json: {}, headers: { Cookie: cookie.join("; ") } });
    return (await readJson(renewed)).data.access_token;
  }

  it("have a quota of their own, and leave the person's to everything else", async () => {
    const of: Env = { ...env, RATE_PERSON: bindings.RATE_TEST_TEN };
    const { reads, writes, first, second } = await withinOneMinute(async () => {
      const person = await newPerson("patient");
      const as = await portalToken(person);
      const reads: Response[] = [];
      for (let i = 0; i < 30; i++) reads.push(await sendRequest(`${API}/reports`, { as, env: of }));
      const writes: Response[] = [];
      for (let i = 0; i < 12; i++)
        writes.push(await sendRequest(`${API}/auth/switch-hospital`, { as, json: { hospital_id: null }, env: of }));
      // Another session, not known yet: the person is blocked in it too.
      const first = await sendRequest(`${API}/reports`, { as: person, env: of });
      return { reads, writes, first, second: await sendRequest(`${API}/reports`, { as: person, env: of }) };
    });
    expect(tally(reads)).toEqual({ 200: 30 });
    expect(new Set(reads.map((response) => response.headers.get("ratelimit-policy")))).toEqual(new Set([POLICY]));
    expect(tally(writes)).toEqual({ 200: 10, 429: 2 });
    expect([first.status, second.status]).toEqual([429, 429]);
    // A token after a change of hospital is the portal's too.
    const switched = (await readJson(writes[0] ?? first)).data.access_token;
    const again = await sendRequest(`${API}/reports`, { as: switched, env: of });
    expect([again.status, again.headers.get("ratelimit-policy")]).toEqual([200, POLICY]);
  });

  it("are limited per session, and over all sessions of a person", async () => {
    const perSession: Env = { ...env, RATE_PORTAL_SESSION: bindings.RATE_TEST_TEN };
    const perPerson: Env = { ...env, RATE_PORTAL_PERSON: bindings.RATE_TEST_TEN };
    const { one, other, both } = await withinOneMinute(async () => {
      const person = await newPerson("patient");
      const [first, second] = [await portalToken(person), await portalToken(person)];
      const read = (as: string, of: Env) => sendRequest(`${API}/reports`, { as, env: of });
      const one: Response[] = [];
      for (let i = 0; i < 12; i++) one.push(await read(first, perSession));
      const other = await read(second, perSession);
      const both: Response[] = [];
      for (let i = 0; i < 12; i++) both.push(await read(i % 2 ? first : second, perPerson));
      return { one, other, both };
    });
    expect(tally(one)).toEqual({ 200: 10, 429: 2 });
    expect(one.at(-1)?.headers.get("ratelimit-policy")).toBe('"portal-session";q=600;w=60');
    expect(other.status).toBe(200);
    expect(tally(both)).toEqual({ 200: 10, 429: 2 });
    expect(both.at(-1)?.headers.get("ratelimit-policy")).toBe('"portal-person";q=1200;w=60');
    await expectProblem(both.at(-1) ?? other, 429, "rate_limited");
  });
});

describe("the quotas", () => {
  it("are those of the bindings", () => {
    const declared = [
      ...config.matchAll(/name = "(RATE_\w+)"\nnamespace_id = "\d+"\nsimple = \{ limit = (\d+), period = 60 \}/g),
    ];
    const bound = Object.fromEntries(declared.map(([, name, limit]) => [name, Number(limit)]));
    expect(Object.keys(bound).sort()).toEqual([...new Set(Object.values(LIMITS).map(({ binding }) => binding))].sort());
    for (const { binding, quota } of Object.values(LIMITS)) expect([binding, bound[binding]]).toEqual([binding, quota]);
  });
});
