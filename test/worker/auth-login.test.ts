// Login: documented requests, one account per name in any spelling, exact passwords, and no information in failures.
import crypto from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { SCRYPT } from "../../src/accounts/passwords/password-cost.ts";
import { stepsOf } from "../steps.ts";
import { captureLogs, expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newHospital,
  newPerson,
  PASSWORD,
  type Person,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
} from "../world.ts";

let hospitalId: string;
let manager: Person;
beforeAll(async () => {
  hospitalId = await newHospital();
  manager = await newPerson("hospital_admin", hospitalId);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const login = (json: unknown, headers: Record<string, string> = {}) => sendRequest(`${API}/auth/login`, { json, headers });
const spyHashes = () => vi.spyOn(crypto, "scrypt");

function newStaff(email: string, password: string, username?: string) {
  const json = { email, password, role: "nurse", full_name: "Test Nurse", ...(username && { username }) };
  return sendRequest(`${API}/users`, { as: manager, json });
}

describe("a login", () => {
  it("answers the documented curl request with an access token, a refresh token, the user and the role", async () => {
    const doctor = await newPerson("doctor", hospitalId);
    const response = await login({ email: doctor.email, password: PASSWORD });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("set-cookie")).toBeNull();
    const { data, request_id } = await readJson(response);
    expect(data).toEqual({
      access_token: expect.stringMatching(/^eyJ[\w-]+\.[\w-]+\.[\w-]{86}$/),
      refresh_token: expect.stringMatching(/^ecr_/),
      token_type: "bearer",
      expires_in: 900,
      user_id: doctor.id,
      role: "doctor",
      hospital_id: hospitalId,
    });
    const me = await readJson(await sendRequest(`${API}/auth/me`, { as: data.access_token }));
    expect(me.data).toMatchObject({ user_id: doctor.id, email: doctor.email, role: "doctor" });
    expect(await readAuditEvents(request_id)).toMatchObject([
      { event: "login.success", outcome: "success", actor_id: doctor.id, actor_role: "doctor", hospital_id: hospitalId },
    ]);
  });

  it.each(["patient", "nurse", "admin"] as const)("knows a %s by user name", async (role) => {
    const at = role === "patient" || role === "admin" ? null : hospitalId;
    const person = await newPerson(role, at);
    const { data } = await readJson(await login({ username: person.username, password: PASSWORD }));
    expect(data).toMatchObject({ user_id: person.id, role, hospital_id: at });
  });

  it("refuses what is no login before any hash is run", async () => {
    const hashes = spyHashes();
    const email = manager.email;
    const bodies = [
      {},
      { email },
      { password: PASSWORD },
      { email, username: manager.username, password: PASSWORD },
      { email, password: "" },
      { email, password: "x".repeat(257) },
      { email: "", password: PASSWORD },
      { email: "x".repeat(321), password: PASSWORD },
      { email: [email], password: PASSWORD },
      { email: { $ne: "" }, password: PASSWORD },
      { email, password: PASSWORD, role: "admin" },
      { email, password: PASSWORD, hospital_id: hospitalId },
      { email, password: 12345678901234 },
    ];
    for (const body of bodies) await expectProblem(await login(body), 400, "invalid_request");
    for (const password of ["a\0b", "\ud800"]) await expectProblem(await login({ email, password }), 400, "malformed_json");
    await expectProblem(await login({ email, password: "x".repeat(1_000_000) }), 413, "too_large");
    expect(hashes).not.toHaveBeenCalled();
  });
});

describe("a failed login", () => {
  type Told = { status: number; body: string; headers: string };

  /** Everything that an observer sees, without the two ids and the date. */
  async function toldTo(json: unknown): Promise<Told> {
    const response = await login(json);
    const text = (await response.text()).replace(/"(error_id|request_id)":"[^"]{36}"/g, '"$1":"#"');
    const headers = [...response.headers].filter(([name]) => name !== "x-request-id");
    return { status: response.status, body: text, headers: JSON.stringify(headers) };
  }

  it("has the same response for an unknown name, a wrong password and a disabled account, after one hash", async () => {
    const [known, disabled] = await Promise.all([newPerson("nurse", hospitalId), newPerson("nurse", hospitalId)]);
    await env.DB.prepare("UPDATE users SET active = 0 WHERE id = ?").bind(disabled.id).run();
    const hashes = spyHashes();
    const cases = [
      { email: `${uniqueText()}@example.org`, password: "wrong password 1" },
      { username: uniqueText().slice(0, 20), password: "wrong password 1" },
      { email: known.email, password: "wrong password 1" },
      { username: known.username, password: "wrong password 1" },
      { email: disabled.email, password: "wrong password 1" },
      { email: disabled.email, password: PASSWORD },
    ];
    const told: Told[] = [];
    for (const body of cases) {
      hashes.mockClear();
      told.push(await toldTo(body));
      expect(hashes.mock.calls.map((call) => call[3])).toEqual([{ ...SCRYPT, maxmem: expect.any(Number) }]);
    }
    expect(new Set(told.map((t) => JSON.stringify(t))).size).toBe(1);
    expect(told[0]).toMatchObject({ status: 401, body: expect.stringContaining('"invalid_credentials"') });
    const fine = await login({ email: known.email, password: PASSWORD });
    expect(fine.status).toBe(200);
  });

  it("leaves one audit row with the reason, and no name or password in it or in the log", async () => {
    const known = await newPerson("nurse", hospitalId);
    const name = `${uniqueText()}@example.org`;
    const logs = captureLogs();
    const reasons = [];
    for (const [email, password] of [
      [known.email, "wrong password 2"],
      [name, "wrong password 2"],
    ]) {
      const rows = await readAuditEvents((await login({ email, password })).headers.get("x-request-id") ?? "");
      expect(rows).toHaveLength(1);
      expect(JSON.stringify(rows)).not.toMatch(/wrong password|example\.org/);
      reasons.push(rows[0]?.reason);
    }
    expect(reasons).toEqual(["wrong_password", "unknown_name"]);
    expect(logs()).toContain("problem invalid_credentials");
    expect(logs()).not.toMatch(/wrong password|example\.org/);
  });

  it("runs the same steps for a known and an unknown name, including one hash", async () => {
    const { email } = await newPerson("nurse", hospitalId);
    const body = (name: string) => ({ json: { email: name, password: "wrong password 1" } });
    const attempt = (name: string) => stepsOf((of) => sendRequest(`${API}/auth/login`, { ...body(name), env: of }));
    const known = await attempt(email);
    expect(known).toContain(`scrypt ${SCRYPT.N} ${SCRYPT.r} ${SCRYPT.p}`);
    expect(await attempt(`${uniqueText()}@example.org`)).toEqual(known);
    // The known-bad twin: looks the name up first, and hashes only for existing ones.
    const naive = await stepsOf(({ DB }) => DB.prepare("SELECT id FROM users WHERE email_index = ?").bind(uniqueText()).first());
    expect(naive).not.toEqual(known);
  });
});

describe("names", () => {
  it("have one normal form: case, outer spaces, full-width and look-alike letters reach one account", async () => {
    const word = `k${uniqueText()}`;
    const wide = (text: string) => text.replace(/[!-~]/g, (ch) => String.fromCharCode(ch.charCodeAt(0) + 0xfee0));
    const email = `${word}@example.org`;
    const forms = [email.toUpperCase(), `  ${email}\t`, wide(email), `\u3000${email}`, email.replace("k", "\u212a")];
    const made = await newStaff(forms[0] ?? "", PASSWORD, `U${word}`.slice(0, 20));
    expect(made.status).toBe(201);
    const { user_id } = (await readJson(made)).data;
    for (const form of forms.slice(1, 3)) await expectProblem(await newStaff(form, PASSWORD), 409, "registration_refused");
    for (const form of forms.slice(2)) {
      const answer = await login({ email: form, password: PASSWORD });
      expect({ form, status: answer.status }).toEqual({ form, status: 200 });
      expect((await readJson(answer)).data.user_id).toBe(user_id);
    }
    const username = `u${word}`.slice(0, 20);
    for (const form of [username.toUpperCase(), ` ${username} `, wide(username)]) {
      expect((await readJson(await login({ username: form, password: PASSWORD }))).data.user_id).toBe(user_id);
    }
  });

  it("that hide characters are refused, never a second account", async () => {
    const word = uniqueText();
    const shown = ["\u0430", "é", "%00", "\u0131", "\u0307"];
    for (const ch of ["\u200b", "\u200d", "\ufeff", "\u00ad", "\u202e", " ", "\n", ...shown]) {
      const response = await newStaff(`a${ch}${word}@example.org`, PASSWORD);
      // Letters of every script are part of addresses (RFC 6531).
      if (shown.includes(ch)) expect(response.status).toBe(201);
      else await expectProblem(response, 400, "invalid_request");
      if (ch !== "\n") continue;
      await expectProblem(await newStaff(`b${word}@example.org`, PASSWORD, `b${ch}${word}`.slice(0, 20)), 400, "invalid_request");
    }
    await expectProblem(await newStaff(`a\0${word}@example.org`, PASSWORD), 400, "malformed_json");
    await expectProblem(await newStaff(`a\ud800${word}@example.org`, PASSWORD), 400, "malformed_json");
    await expectProblem(await login({ email: `a\u200b${word}@example.org`, password: PASSWORD }), 401, "invalid_credentials");
  });

  it("of one kind are not names of the other", async () => {
    const other = await newStaff(`${uniqueText()}@example.org`, PASSWORD, manager.email);
    await expectProblem(other, 400, "invalid_request");
    expect((await login({ username: manager.email, password: PASSWORD })).status).toBe(200);
    await expectProblem(await login({ email: ` ${manager.email}.`, password: PASSWORD }), 401, "invalid_credentials");
  });
});

describe("passwords", () => {
  it("count exactly: outer spaces, case, and every byte beyond 72", async () => {
    const email = `${uniqueText()}@example.org`;
    const password = ` Zürich é ${"0123456789abcdef".repeat(7)} पास `;
    expect((await newStaff(email, password)).status).toBe(201);
    const at = 80;
    const wrong = [password.trim(), password.normalize("NFKC").toLowerCase(), password.slice(0, 72), `${password} `];
    for (const other of wrong.slice(0, 3))
      await expectProblem(await login({ email, password: other }), 401, "invalid_credentials");
    expect((await login({ email, password })).status).toBe(200);
    for (const other of [password.slice(0, at) + password.slice(at).replace("a", "b"), wrong[3]]) {
      await expectProblem(await login({ email, password: other }), 401, "invalid_credentials");
    }
  });

  it("may have 256 characters", async () => {
    const email = `${uniqueText()}@example.org`;
    const password = `${PASSWORD}-`.repeat(20).slice(0, 256);
    expect((await newStaff(email, password)).status).toBe(201);
    expect((await login({ email, password })).status).toBe(200);
  });

  it("are hashed with their cost, and a crafted cost is refused unhashed", async () => {
    const person = await newPerson("nurse", hospitalId);
    const row = await env.DB.prepare("SELECT password_hash AS hash FROM users WHERE id = ?")
      .bind(person.id)
      .first<{ hash: string }>();
    expect(row?.hash).toMatch(/^scrypt\$\d+\$\d+\$\d+\$[\w-]{22}\$[\w-]{43}$/);
    expect(row?.hash).toContain(`scrypt$${SCRYPT.N}$${SCRYPT.r}$${SCRYPT.p}$`);
    const tail = row?.hash.split("$").slice(4).join("$");
    const hashes = spyHashes();
    for (const cost of ["1073741824$8$5", "16384$8$-5", "NaN$8$5", "0$8$5", "16384$8$1e9", "$$"]) {
      await env.DB.prepare("UPDATE users SET password_hash = ? WHERE id = ?").bind(`scrypt$${cost}$${tail}`, person.id).run();
      await env.DB.prepare("DELETE FROM login_attempts").run();
      await expectProblem(await login({ email: person.email, password: PASSWORD }), 401, "invalid_credentials");
    }
    expect(hashes).not.toHaveBeenCalled();
    await env.DB.prepare("UPDATE users SET password_hash = ? WHERE id = ?").bind(row?.hash, person.id).run();
    expect((await login({ email: person.email, password: PASSWORD })).status).toBe(200);
    expect(hashes).toHaveBeenCalledTimes(1);
  });
});
