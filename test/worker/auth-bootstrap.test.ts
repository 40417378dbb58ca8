// The first administrator: only with the token, only once, however many requests run concurrently.
import crypto from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withRandomDelays } from "../stores.ts";
import { captureLogs, expectProblem } from "../token-forge.ts";
import { API, env, newPerson, PASSWORD, readAuditEvents, readJson, sendRequest, uniqueText } from "../world.ts";

beforeEach(async () => {
  await env.DB.prepare("UPDATE users SET is_admin = 0").run();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const bootstrap = (change: Record<string, unknown> = {}, of: Env = env) =>
  sendRequest(`${API}/auth/bootstrap`, {
    json: {
      token: env.BOOTSTRAP_TOKEN,
      email: `${uniqueText()}@example.org`,
      full_name: "Ira Menon",
      password: PASSWORD,
      ...change,
    },
    env: of,
  });

async function admins(): Promise<number> {
  const row = await env.DB.prepare("SELECT count(*) AS n FROM users WHERE is_admin = 1").first<{ n: number }>();
  return row?.n ?? Number.NaN;
}

async function users(): Promise<{ n: number; counted: number }> {
  const row = await env.DB.prepare(
    "SELECT (SELECT count(*) FROM users) AS n, (SELECT coalesce(sum(n), 0) FROM counters WHERE scope = 'all' AND name = 'users') AS counted",
  ).first<{ n: number; counted: number }>();
  return row ?? { n: Number.NaN, counted: Number.NaN };
}

describe("bootstrap", () => {
  it("creates an administrator who can log in and act, and is audited", async () => {
    const [email, username] = [`${uniqueText()}@example.org`, `a${uniqueText()}`.slice(0, 20)];
    const response = await bootstrap({ email, username });
    expect(response.status).toBe(201);
    const { data, request_id } = await readJson(response);
    const rows = await readAuditEvents(request_id);
    expect(rows).toMatchObject([{ event: "bootstrap", action: "C", outcome: "success", entity_id: data.user_id }]);
    const session = await readJson(await sendRequest(`${API}/auth/login`, { json: { username, password: PASSWORD } }));
    expect(session.data).toMatchObject({ user_id: data.user_id, role: "admin", hospital_id: null });
    expect((await sendRequest(`${API}/admin/users`, { as: session.data.access_token })).status).toBe(200);
  });

  it("makes one of twelve who ask at once", async () => {
    const before = await users();
    const racing = withRandomDelays(env);
    const answers = await Promise.all(Array.from({ length: 12 }, () => bootstrap({}, racing)));
    const won = answers.filter(({ status }) => status === 201);
    expect(won).toHaveLength(1);
    for (const answer of answers) if (answer !== won[0]) await expectProblem(answer, 409, "already_bootstrapped");
    expect(await admins()).toBe(1);
    const after = await users();
    expect([after.n - before.n, after.counted - before.counted]).toEqual([1, 1]);
    const rows = (await Promise.all(answers.map((a) => readAuditEvents(a.headers.get("x-request-id") ?? "")))).flat();
    expect(rows.filter((row) => row.outcome === "success")).toHaveLength(1);
  });

  it("would make several by a check that the insert does not repeat (the known-bad twin)", async () => {
    const { DB } = withRandomDelays(env);
    await DB.prepare("CREATE TABLE naive_admins (id TEXT PRIMARY KEY)").run();
    async function naive(): Promise<number> {
      const found = await DB.prepare("SELECT id FROM naive_admins").first();
      if (found) return 409;
      await DB.prepare("INSERT INTO naive_admins VALUES (?)").bind(uniqueText()).run();
      return 201;
    }
    const statuses = await Promise.all(Array.from({ length: 12 }, naive));
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThan(1);
  });

  it("is over once an administrator exists, at no hash's cost", async () => {
    await newPerson("admin");
    const hashes = vi.spyOn(crypto, "scrypt");
    await expectProblem(await bootstrap(), 409, "already_bootstrapped");
    await expectProblem(await bootstrap({ token: `${env.BOOTSTRAP_TOKEN}x` }), 401, "invalid_credentials");
    expect(hashes).not.toHaveBeenCalled();
  });

  it("refuses every other token, audited, without a hash and without telling", async () => {
    const hashes = vi.spyOn(crypto, "scrypt");
    const logs = captureLogs();
    const { BOOTSTRAP_TOKEN: token } = env;
    const other = `${token[0] === "_" ? "-" : "_"}${token.slice(1)}`;
    for (const wrong of [token.slice(0, -1), `${token} `, token.toUpperCase(), other, "x", env.LINK_KEY]) {
      const response = await bootstrap({ token: wrong });
      const rows = await readAuditEvents(response.headers.get("x-request-id") ?? "");
      expect(rows).toMatchObject([{ event: "bootstrap", outcome: "denied", reason: "wrong_token", actor_id: null }]);
      await expectProblem(response, 401, "invalid_credentials");
    }
    for (const wrong of ["", undefined, null, 1, [token], "x".repeat(401)]) {
      await expectProblem(await bootstrap({ token: wrong }), 400, "invalid_request");
    }
    await expectProblem(await bootstrap({ role: "admin" }), 400, "invalid_request");
    expect(await admins()).toBe(0);
    expect(hashes).not.toHaveBeenCalled();
    expect(logs()).toContain("problem invalid_credentials");
    expect(logs()).not.toContain(token);
  });

  it("wants a strong password that is not one's own name", async () => {
    const person = { email: "ira.menon@hospital-pune.org", username: "iramenon", full_name: "Ira Menonkar" };
    const weak = [
      "password123",
      "fourteen chars",
      "aaaaaaaaaaaaaaaaaaaa",
      "ababababababababab",
      "EdgeCare-EdgeCare",
      "x".repeat(15),
    ];
    weak.push("Menonkar-iramenon", "hospital-pune.org", "iramenon iramenon iramenon", "𝟏𝟐𝟑𝟒𝟓𝟏𝟐𝟑𝟒𝟓𝟏𝟐𝟑𝟒𝟓");
    for (const password of weak) {
      const response = await bootstrap({ ...person, password });
      const body = await readJson(response);
      expect({ password, status: response.status, code: body.errors[0]?.code }).toEqual({
        password,
        status: 400,
        code: "weak_password",
      });
      expect(JSON.stringify(body)).not.toContain(password);
    }
    expect(await admins()).toBe(0);
    expect((await bootstrap({ ...person, password: "fifteen chars!!" })).status).toBe(201);
  });

  it("rejects an address that another account has", async () => {
    const person = await newPerson("patient");
    await expectProblem(await bootstrap({ email: person.email.toUpperCase() }), 409, "already_exists");
    expect(await admins()).toBe(0);
  });
});
