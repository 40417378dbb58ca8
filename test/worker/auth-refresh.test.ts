// Refresh tokens: one successor for concurrent requests, a new one after a lost response, and revocation on reuse.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { withRandomDelays } from "../stores.ts";
import { decodeToken, expectProblem } from "../token-forge.ts";
import { API, env, newHospital, newLogin, newPerson, type Person, readAuditEvents, readJson, sendRequest } from "../world.ts";

const DAY_MS = 86_400_000;
let hospitalId: string;
beforeAll(async () => {
  hospitalId = await newHospital();
});
afterEach(() => {
  vi.useRealTimers();
});

type Session = { id: string; generation: number; revoked_at: number | null; revoked_reason: string | null };

const refresh = (token: string, of: Env = env) => sendRequest(`${API}/auth/refresh`, { json: { refresh_token: token }, env: of });
const nurse = () => newPerson("nurse", hospitalId);

async function sessionsOf(person: Person): Promise<Session[]> {
  const { results } = await env.DB.prepare("SELECT id, generation, revoked_at, revoked_reason FROM sessions WHERE user_id = ?")
    .bind(person.id)
    .all<Session>();
  return results;
}

async function next(token: string): Promise<{ access_token: string; refresh_token: string; role: string }> {
  const response = await refresh(token);
  expect(response.status).toBe(200);
  return (await readJson(response)).data;
}

async function refused(token: string): Promise<{ event: string; outcome: string; reason?: unknown }[]> {
  const response = await refresh(token);
  const id = response.headers.get("x-request-id") ?? "";
  await expectProblem(response, 401, "invalid_refresh_token");
  return (await readAuditEvents(id)).map(({ event, outcome, reason }) => ({ event, outcome, reason }));
}

const REUSE = [{ event: "session.token_reuse", outcome: "denied", reason: "token_reuse" }];
const ENDED = [{ event: "session.refresh", outcome: "denied", reason: "session_ended" }];

function freeze(): (ms: number) => void {
  const start = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(start);
  return (ms) => vi.setSystemTime(start + ms);
}

describe("fifty uses of one token at once", () => {
  it("get one successor, one row and one generation, and no session is revoked", async () => {
    const person = await nurse();
    const racing = withRandomDelays(env);
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(person.refresh, racing)));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    const bodies = await Promise.all(answers.map(readJson));
    const successors = new Set(bodies.map((b) => b.data.refresh_token));
    expect(successors.size).toBe(1);
    expect(await sessionsOf(person)).toEqual([{ id: person.sessionId, generation: 2, revoked_at: null, revoked_reason: null }]);
    expect((await sendRequest(`${API}/auth/me`, { as: bodies[49].data.access_token })).status).toBe(200);
    const [successor = ""] = successors;
    expect((await next(successor)).refresh_token).not.toBe(successor);
    const rows = await Promise.all(bodies.map((b) => readAuditEvents(b.request_id)));
    expect(rows.map((r) => r.map(({ event, outcome }) => `${event} ${outcome}`))).toEqual(
      Array(50).fill(["session.refresh success"]),
    );
  });

  it("would get several from a read that is followed by a write (the known-bad twin)", async () => {
    const { DB } = withRandomDelays(env);
    await DB.prepare("CREATE TABLE naive_tokens (token INTEGER PRIMARY KEY, used INTEGER NOT NULL)").run();
    await DB.prepare("INSERT INTO naive_tokens VALUES (1, 0)").run();
    let made = 1;
    async function naiveRefresh(token: number): Promise<number | null> {
      const row = await DB.prepare("SELECT used FROM naive_tokens WHERE token = ?").bind(token).first<{ used: number }>();
      if (row?.used !== 0) return null;
      const successor = ++made;
      await DB.prepare("UPDATE naive_tokens SET used = 1 WHERE token = ?").bind(token).run();
      await DB.prepare("INSERT INTO naive_tokens VALUES (?, 0)").bind(successor).run();
      return successor;
    }
    const successors = await Promise.all(Array.from({ length: 50 }, () => naiveRefresh(1)));
    expect(new Set(successors.filter((s) => s !== null)).size).toBeGreaterThan(1);
  });

  it("after the successor was used revoke the family once, with one audit event", async () => {
    const person = await nurse();
    await next((await next(person.refresh)).refresh_token);
    const racing = withRandomDelays(env);
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(person.refresh, racing)));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(401));
    expect(await sessionsOf(person)).toMatchObject([{ generation: 3, revoked_reason: "token_reuse" }]);
    const rows = (await Promise.all(answers.map((a) => readAuditEvents(a.headers.get("x-request-id") ?? "")))).flat();
    expect(rows.filter((row) => row.event === "session.token_reuse").length).toBeGreaterThan(0);
    expect(rows.filter((row) => row.outcome === "success")).toEqual([]);
  });
});

describe("a reuse", () => {
  it("within ten seconds is a lost reply: the same successor again", async () => {
    const person = await nurse();
    const at = freeze();
    const first = await next(person.refresh);
    at(9_999);
    expect((await next(person.refresh)).refresh_token).toBe(first.refresh_token);
    expect((await next(first.refresh_token)).refresh_token).not.toBe(first.refresh_token);
  });

  it("ten seconds later is a lost response as long as no successor was used: a successor that replaces the first", async () => {
    const person = await nurse();
    const at = freeze();
    const first = await next(person.refresh);
    at(12_000);
    const second = await next(person.refresh);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect((await next(person.refresh)).refresh_token).toBe(second.refresh_token);
    at(3_600_000);
    const third = await next(person.refresh);
    const used = await next(third.refresh_token);
    expect(await sessionsOf(person)).toEqual([{ id: person.sessionId, generation: 5, revoked_at: null, revoked_reason: null }]);
    expect((await sendRequest(`${API}/auth/me`, { as: used.access_token })).status).toBe(200);
  });

  it.each([
    ["the first token", 0],
    ["a replaced successor", 1],
  ])("of %s, after a successor was used, ends the family: the session and all its tokens", async (_, reused) => {
    const person = await nurse();
    const at = freeze();
    const first = await next(person.refresh);
    at(12_000);
    const second = await next(person.refresh);
    const third = await next(second.refresh_token);
    expect(await refused([person.refresh, first.refresh_token][reused] ?? "")).toEqual(REUSE);
    expect(await sessionsOf(person)).toMatchObject([{ revoked_reason: "token_reuse" }]);
    for (const token of [person.token, first.access_token, second.access_token, third.access_token]) {
      await expectProblem(await sendRequest(`${API}/auth/me`, { as: token }), 401, "unauthenticated");
    }
    at(13_000);
    for (const { refresh_token } of [first, second, third]) expect(await refused(refresh_token)).toEqual(ENDED);
    expect(await refused(person.refresh)).toEqual(ENDED);
  });

  it("of a replaced successor that was not lost ends the family", async () => {
    const person = await nurse();
    const at = freeze();
    const delivered = await next(person.refresh);
    at(60_000);
    const stolen = await next(person.refresh);
    expect(await refused(delivered.refresh_token)).toEqual(REUSE);
    at(61_000);
    expect(await refused(stolen.refresh_token)).toEqual(ENDED);
  });

  it("does not prolong the session: seven idle days after its use a token has ended", async () => {
    const person = await nurse();
    const at = freeze();
    await next(person.refresh);
    for (const day of [2, 4, 6]) {
      at(day * DAY_MS);
      await next(person.refresh);
    }
    at(7 * DAY_MS + 60_000);
    expect(await refused(person.refresh)).toEqual(ENDED);
  });

  it("of a stolen token ends the session for thief and owner, but not the owner's other sessions", async () => {
    const person = await nurse();
    const standing = { role: "nurse", hospitalId, doctorScope: "care_team" } as const;
    const other = await newLogin(person.id, standing);
    const third = await next((await next(person.refresh)).refresh_token);
    expect(await refused(person.refresh)).toEqual(REUSE);
    expect(await refused(third.refresh_token)).toEqual(ENDED);
    expect((await sendRequest(`${API}/auth/me`, { as: other.token })).status).toBe(200);
    expect((await refresh(other.refresh)).status).toBe(200);
  });
});

describe("a refresh token", () => {
  it("forged in any part is refused, and the session lives on", async () => {
    const [person, other] = await Promise.all([nurse(), nurse()]);
    const [, user = "", session = "", generation = "", ...tail] = person.refresh.split("_");
    const tag = tail.join("_");
    const last = tag.slice(0, -1) + String.fromCharCode(tag.charCodeAt(tag.length - 1) + 1);
    const forged = [
      ["ecr", user, session, "2", tag],
      ["ecr", user, session, "999999999", tag],
      ["ecr", user, session, "01", tag],
      ["ecr", user, other.sessionId, generation, tag],
      ["ecr", other.id, session, generation, tag],
      ["ecr", session, user, generation, tag],
      ["ecr", user, session, generation, last],
      ["ecr", user, session, generation, `${tag}=`],
      ["ecr", user, session, generation, ""],
      ["ECR", user, session, generation, tag],
      ["ecr", user, session, generation, tag, "x"],
      ["ecr", "' OR 1=1; -- ".padEnd(36, "x"), session, generation, tag],
    ].map((parts) => parts.join("_"));
    for (const token of [...forged, "", "x", "_".repeat(300), ` ${person.refresh}`]) {
      expect(await refused(token)).toEqual([]);
    }
    await expectProblem(await refresh("x".repeat(401)), 400, "invalid_request");
    for (const json of [{}, { refresh_token: null }, { refresh_token: person.refresh, user_id: person.id }]) {
      const { status } = await sendRequest(`${API}/auth/refresh`, { json });
      expect(status).toBe(Object.keys(json).length === 0 ? 401 : 400);
    }
    expect(await sessionsOf(person)).toMatchObject([{ generation: 1, revoked_at: null }]);
    expect((await refresh(person.refresh)).status).toBe(200);
  });

  it("lapses after seven idle days", async () => {
    const [used, idle] = await Promise.all([nurse(), nurse()]);
    const at = freeze();
    at(7 * DAY_MS - 60_000);
    expect((await refresh(used.refresh)).status).toBe(200);
    at(7 * DAY_MS + 60_000);
    expect(await refused(idle.refresh)).toEqual(ENDED);
  });

  it("never outlives thirty days, however often it is used; neither does its access token", async () => {
    const person = await nurse();
    const at = freeze();
    let token = person.refresh;
    let access = person.token;
    for (let day = 6; day < 30; day += 6) {
      at(day * DAY_MS);
      ({ refresh_token: token } = await next(token));
    }
    at(30 * DAY_MS - 60_000);
    ({ refresh_token: token, access_token: access } = await next(token));
    expect((await sendRequest(`${API}/auth/me`, { as: access })).status).toBe(200);
    at(30 * DAY_MS + 60_000);
    expect(await refused(token)).toEqual(ENDED);
    expect(decodeToken(access).claims["exp"]).toBeGreaterThan(Date.now() / 1000);
    await expectProblem(await sendRequest(`${API}/auth/me`, { as: access }), 401, "unauthenticated");
  });

  it.each([
    ["a deactivated account", "UPDATE users SET active = 0 WHERE id = ?1 AND ?2 = ?2"],
    ["an ended membership", "UPDATE memberships SET ended_at = 1 WHERE user_id = ?1 AND hospital_id = ?2"],
    ["a deactivated hospital", "UPDATE hospitals SET active = 0 WHERE id = ?2 AND ?1 = ?1"],
  ])("of %s is refused, also within the ten seconds, and no success is recorded", async (_, change) => {
    const hospital = await newHospital();
    const person = await newPerson("nurse", hospital);
    const first = await next(person.refresh);
    // biome-ignore lint/plugin: one of the three constants above.
    await env.DB.prepare(change).bind(person.id, hospital).run();
    expect(await refused(person.refresh)).toEqual(ENDED);
    expect(await refused(first.refresh_token)).toEqual(ENDED);
  });

  it("returns an access token with the current role", async () => {
    const person = await nurse();
    await env.DB.prepare("UPDATE memberships SET role = 'doctor' WHERE user_id = ?").bind(person.id).run();
    const doctor = await next(person.refresh);
    expect(doctor.role).toBe("doctor");
    expect(decodeToken(doctor.access_token).claims).toMatchObject({ role: "doctor", hid: hospitalId });
    const admin = await newPerson("admin");
    await env.DB.prepare("UPDATE users SET is_admin = 0 WHERE id = ?").bind(admin.id).run();
    expect((await next(admin.refresh)).role).toBe("patient");
  });
});
