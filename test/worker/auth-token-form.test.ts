// POST /api/token as in RFC 6749, and the refresh token as a cookie for the portal.
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_SESSIONS } from "../../src/accounts/sessions/sessions.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newHospital,
  newPerson,
  newWorld,
  PASSWORD,
  type Person,
  readAuditEvents,
  readJson,
  sendRequest,
} from "../world.ts";
import { openLiveView } from "./live-client.ts";

let person: Person;
beforeAll(async () => {
  person = await newPerson("nurse", await newHospital());
});

const FORM = "application/x-www-form-urlencoded";
const form = (body: string, type = FORM) => sendRequest("/api/token", { body, headers: { "Content-Type": type } });
const fields = (values: Record<string, string>) => form(new URLSearchParams(values).toString());

async function expectOAuthError(response: Response, status: number, error: string): Promise<void> {
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("www-authenticate")).toBe(status === 401 ? 'Bearer realm="edgecare"' : null);
  const body = await readJson(response);
  expect({ status: response.status, error: body.error }).toEqual({ status, error });
  expect(Object.keys(body)).toEqual(["error", "error_description"]);
}

describe("POST /api/token", () => {
  it("answers exactly access_token and token_type, for an e-mail or a user name", async () => {
    const forms: Record<string, string>[] = [
      { username: person.email },
      { username: person.username, grant_type: "password", scope: "a b" },
    ];
    for (const values of forms) {
      const response = await fields({ ...values, password: PASSWORD });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect([response.headers.get("cache-control"), response.headers.get("pragma")]).toEqual(["no-store", "no-cache"]);
      const body = await readJson(response);
      expect(body).toEqual({ access_token: expect.any(String), token_type: "bearer" });
      const me = await readJson(await sendRequest(`${API}/auth/me`, { as: body.access_token }));
      expect(me.data.user_id).toBe(person.id);
      expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([{ event: "login.success" }]);
    }
  });

  it("refuses in the words of the standard", async () => {
    const password = PASSWORD;
    const username = person.email;
    await expectOAuthError(await fields({ username, password: "wrong password 3" }), 401, "invalid_grant");
    await expectOAuthError(await fields({ username: "nobody@example.org", password }), 401, "invalid_grant");
    await expectOAuthError(await fields({ username, password, grant_type: "client_credentials" }), 400, "unsupported_grant_type");
    await expectOAuthError(await fields({ username, password, grant_type: "" }), 400, "unsupported_grant_type");
    await expectOAuthError(await fields({ username }), 400, "invalid_request");
    await expectOAuthError(await fields({ password }), 400, "invalid_request");
    await expectOAuthError(await form(""), 400, "invalid_request");
    await expectOAuthError(await form(`username=${username}&username=${username}&password=${password}`), 400, "invalid_request");
    await expectOAuthError(await form(`username=${username}&password=x&password=${password}`), 400, "invalid_request");
    await expectOAuthError(await fields({ username, password: "x".repeat(257) }), 400, "invalid_request");
  });

  it("locks with the one counter of all logins", async () => {
    const victim = await newPerson("patient");
    const add = env.DB.prepare(
      "INSERT INTO login_attempts (subject, id, state, expires_at) VALUES (?, ?, 'failed', CAST(? AS INTEGER))",
    );
    await env.DB.batch([1, 2, 3, 4].map((n) => add.bind(victim.id, `a${n}`, Date.now() + 60_000)));
    await expectOAuthError(await fields({ username: victim.email, password: "wrong password 3" }), 401, "invalid_grant");
    const locked = await fields({ username: victim.username, password: PASSWORD });
    expect(Number(locked.headers.get("retry-after"))).toBeGreaterThan(800);
    await expectOAuthError(locked, 423, "invalid_grant");
    const json = { email: victim.email, password: PASSWORD };
    await expectProblem(await sendRequest(`${API}/auth/login`, { json }), 423, "account_locked");
  });

  it("ends the live view of a session that it pushes out, at once", async () => {
    const { nurse, patient } = await newWorld();
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`);
    const login = () => fields({ username: nurse.email, password: PASSWORD });
    for (let i = 1; i < MAX_SESSIONS; i++) expect((await login()).status).toBe(200);
    expect(live.socket.readyState).toBe(WebSocket.OPEN);
    expect((await login()).status).toBe(200);
    expect(await live.closed).toMatchObject({ code: 4401 });
  });

  it("rejects JSON, multipart and bodies over 16 KiB", async () => {
    const json = JSON.stringify({ username: person.email, password: PASSWORD });
    await expectProblem(await form(json, "application/json"), 415, "unsupported_media_type");
    await expectProblem(await form("x", "multipart/form-data; boundary=x"), 415, "unsupported_media_type");
    await expectProblem(await form(`username=${"x".repeat(20_000)}&password=x`), 413, "too_large");
    await expectProblem(await sendRequest("/api/token"), 405, "method_not_allowed");
  });
});

describe("the refresh cookie", () => {
  const ORIGIN = "https://portal.example.org";
  const allowing: Env = { ...env, CORS_ORIGINS: ORIGIN };

  async function cookieLogin(): Promise<string> {
    const json = { email: person.email, password: PASSWORD, transport: "cookie" };
    const response = await sendRequest(`${API}/auth/login`, { json });
    expect(response.status).toBe(200);
    const text = await response.clone().text();
    const { data } = await readJson(response);
    expect(data.refresh_token).toBeNull();
    expect(text).not.toContain("ecr_");
    // The other cookie remembers the browser (auth-lockout.test.ts).
    const cookies = response.headers.getSetCookie();
    expect(cookies).toHaveLength(2);
    return cookies.find((line) => line.startsWith("__Secure-edgecare_refresh=")) ?? "";
  }

  const cookieRefresh = (cookie: string, headers: Record<string, string> = {}, of: Env = env) =>
    sendRequest(`${API}/auth/refresh`, { json: {}, headers: { Cookie: cookie, ...headers }, env: of });

  it("is out of reach of script, of other sites and of other paths", async () => {
    const [pair = "", ...flags] = (await cookieLogin()).split("; ");
    expect(pair).toMatch(/^__Secure-edgecare_refresh=ecr_[\w-]+$/);
    expect(flags.sort()).toEqual(["HttpOnly", `Max-Age=${30 * 86_400}`, "Path=/api/v1/auth", "SameSite=Strict", "Secure"]);
  });

  it("is traded for the next one, and the body never shows it", async () => {
    const [first = ""] = (await cookieLogin()).split("; ");
    const response = await cookieRefresh(first);
    expect(response.status).toBe(200);
    const [second = ""] = (response.headers.get("set-cookie") ?? "").split("; ");
    expect(second).toMatch(/^__Secure-edgecare_refresh=ecr_/);
    expect(second).not.toBe(first);
    const text = await response.text();
    expect(JSON.parse(text).data).toMatchObject({ refresh_token: null, user_id: person.id });
    expect(text).not.toContain("ecr_");
    expect((await cookieRefresh(second)).status).toBe(200);
    await expectProblem(await cookieRefresh(first), 401, "invalid_refresh_token");
    await expectProblem(await cookieRefresh(second), 401, "invalid_refresh_token");
  });

  it("works from our own and the allowed origins only", async () => {
    const [cookie = ""] = (await cookieLogin()).split("; ");
    const foreign = [
      "https://evil.example",
      "null",
      "http://portal.example.org",
      `${ORIGIN}.evil.example`,
      `${ORIGIN}:8443`,
      "https://localhost",
    ];
    for (const Origin of foreign) await expectProblem(await cookieRefresh(cookie, { Origin }, allowing), 403, "origin_forbidden");
    await expectProblem(await cookieRefresh(cookie, { Origin: ORIGIN }), 403, "origin_forbidden");
    const wild: Env = { ...env, CORS_ORIGINS: "*, null, https://*.example" };
    for (const Origin of ["https://evil.example", "null"]) {
      await expectProblem(await cookieRefresh(cookie, { Origin }, wild), 403, "origin_forbidden");
    }
    expect((await cookieRefresh(cookie, { Origin: ORIGIN }, allowing)).status).toBe(200);
    expect((await cookieRefresh(cookie, { Origin: "http://localhost" })).status).toBe(200);
  });

  it("is ignored when the body has a token, and deleted at logout", async () => {
    const [cookie = ""] = (await cookieLogin()).split("; ");
    const other = await newPerson("patient");
    const headers = { Cookie: cookie, Origin: "https://evil.example" };
    const response = await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: other.refresh }, headers });
    expect(response.headers.get("set-cookie")).toBeNull();
    expect((await readJson(response)).data).toMatchObject({ user_id: other.id, refresh_token: expect.stringMatching(/^ecr_/) });
    const { data } = await readJson(await cookieRefresh(cookie));
    const out = await sendRequest(`${API}/auth/logout`, { as: data.access_token, method: "POST" });
    expect(out.headers.get("set-cookie")).toMatch(
      /^__Secure-edgecare_refresh=; Max-Age=0; Path=\/api\/v1\/auth; HttpOnly; Secure; SameSite=Strict$/,
    );
    await expectProblem(await cookieRefresh(cookie), 401, "invalid_refresh_token");
    await expectProblem(await cookieRefresh(""), 401, "invalid_refresh_token");
  });
});
