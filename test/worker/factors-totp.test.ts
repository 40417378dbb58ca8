// Authenticator apps and recovery codes: enrolment, the second step of a login, single use, and the lockout.
import { describe, expect, it } from "vitest";
import { findTimeStep } from "../../src/accounts/factors/totp.ts";
import { askForTicket, codeOf, enrolTotp, finish, forgetTimeStep, logIn, post } from "../factor-steps.ts";
import { oneTimePassword } from "../one-time-password.ts";
import { API, env, findEvents, newPerson, newWorld, PASSWORD, readJson, sendRequest } from "../world.ts";

describe("a login with an authenticator app", () => {
  it("needs the code after the password, and tells nobody else", async () => {
    const { nurse } = await newWorld();
    const { secret } = await enrolTotp(nurse);
    expect(await codeOf(await logIn(nurse, {}, "wrong horse battery"))).toBe("invalid_credentials");
    expect(await codeOf(await logIn(nurse, { mfa_code: oneTimePassword(secret) }, "wrong horse battery"))).toBe(
      "invalid_credentials",
    );
    const problem = await askForTicket(nurse);
    expect(problem).toMatchObject({ status: 401, code: "second_step_required", passkey_options: null });
    expect(problem.methods).toEqual(["totp", "recovery_code"]);
    const { data } = await readJson(await finish({ ticket: problem.ticket, code: oneTimePassword(secret) }));
    const sessions = await readJson(await sendRequest(`${API}/auth/sessions`, { as: { token: data.access_token } }));
    expect(sessions.data.find(({ current }: { current: boolean }) => current).amr).toEqual(["pwd", "otp", "mfa"]);
    expect(await codeOf(await finish({ ticket: problem.ticket, code: oneTimePassword(secret) }))).toBe("invalid_ticket");
  });

  it("accepts the code beside the password, also as a form", async () => {
    const { nurse } = await newWorld();
    const { secret } = await enrolTotp(nurse);
    expect((await logIn(nurse, { mfa_code: oneTimePassword(secret) })).status).toBe(200);
    const form = (more: Record<string, string>) =>
      sendRequest("/api/token", {
        method: "POST",
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ username: nurse.email, password: PASSWORD, ...more }).toString(),
      });
    expect((await readJson(await form({}))).error).toBe("mfa_required");
    await forgetTimeStep(nurse.id);
    expect((await form({ mfa_code: oneTimePassword(secret) })).status).toBe(200);
  });

  it("accepts a code once, also when it is sent 50 times at once", async () => {
    const { nurse } = await newWorld();
    const { secret } = await enrolTotp(nurse);
    const tickets = await Promise.all(Array.from({ length: 5 }, () => askForTicket(nurse)));
    const code = oneTimePassword(secret);
    const countSessions = () =>
      env.DB.prepare("SELECT count(*) AS n FROM sessions WHERE user_id = ?").bind(nurse.id).first<number>("n");
    const before = (await countSessions()) ?? 0;
    const responses = await Promise.all(Array.from({ length: 50 }, (_, i) => finish({ ticket: tickets[i % 5].ticket, code })));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await countSessions()).toBe(before + 1);
  });

  it("accepts a code more than once without the comparison of time steps (known-bad twin)", async () => {
    const { nurse } = await newWorld();
    const { secret } = await enrolTotp(nurse);
    const code = oneTimePassword(secret);
    const twin = async () => {
      const [row] = (await env.DB.prepare("SELECT last_step FROM totp_factors WHERE user_id = ?").bind(nurse.id).all()).results;
      const step = findTimeStep(secret, code, Date.now()) ?? 0;
      if (step <= Number(row?.last_step)) return false;
      await env.DB.prepare("UPDATE totp_factors SET last_step = ? WHERE user_id = ?").bind(step, nurse.id).run();
      return true;
    };
    const accepted = await Promise.all(Array.from({ length: 50 }, twin));
    expect(accepted.filter(Boolean).length).toBeGreaterThan(1);
  });

  it("locks the account after five wrong codes, and a right password between them changes nothing", async () => {
    const { nurse } = await newWorld();
    const { secret } = await enrolTotp(nurse);
    const wrong = oneTimePassword(secret, Date.now() + 3_600_000);
    for (let i = 0; i < 5; i++) {
      const { ticket } = await askForTicket(nurse);
      expect(await codeOf(await finish({ ticket, code: wrong }))).toBe("invalid_code");
    }
    expect((await logIn(nurse)).status).toBe(423);
    expect((await logIn(nurse, { mfa_code: oneTimePassword(secret) })).status).toBe(423);
  });

  it("refuses a ticket that was changed, or whose password was changed since", async () => {
    const { nurse } = await newWorld();
    const { secret } = await enrolTotp(nurse);
    const { ticket } = await askForTicket(nurse);
    expect(await codeOf(await finish({ ticket: `A${ticket.slice(1)}`, code: oneTimePassword(secret) }))).toBe("invalid_ticket");
    await env.DB.prepare("UPDATE users SET password_changed_at = password_changed_at + 1 WHERE id = ?").bind(nurse.id).run();
    expect(await codeOf(await finish({ ticket, code: oneTimePassword(secret) }))).toBe("invalid_ticket");
  });
});

describe("an enrolment", () => {
  it("counts once confirmed, and only the last of two is confirmed", async () => {
    const person = await newPerson("patient");
    const enrolments = await Promise.all([1, 2].map(() => post("/auth/mfa/totp/enroll", person, undefined)));
    const secrets = await Promise.all(enrolments.map(async (response) => (await readJson(response)).data.secret));
    expect((await logIn(person)).status).toBe(200);
    const statuses = [];
    for (const secret of secrets)
      statuses.push((await post("/auth/mfa/totp/confirm", person, { code: oneTimePassword(secret) })).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(await codeOf(await post("/auth/mfa/totp/enroll", person, undefined))).toBe("conflict");
    expect(await codeOf(await logIn(person))).toBe("second_step_required");
  });

  it("that is confirmed 20 times at once gives recovery codes once", async () => {
    const person = await newPerson("patient");
    const { data } = await readJson(await post("/auth/mfa/totp/enroll", person, undefined));
    const code = oneTimePassword(data.secret);
    const answers = await Promise.all(Array.from({ length: 20 }, () => post("/auth/mfa/totp/confirm", person, { code })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await readJson(await sendRequest(`${API}/auth/mfa`, { as: person }))).data.recovery_codes_left).toBe(10);
  });

  it("stores no secret and no code in clear", async () => {
    const person = await newPerson("patient");
    const { secret, codes } = await enrolTotp(person);
    const rows = await Promise.all([
      env.DB.prepare("SELECT * FROM totp_factors").all(),
      env.DB.prepare("SELECT * FROM recovery_codes").all(),
    ]);
    const stored = JSON.stringify([rows.map(({ results }) => results), await findEvents({ actor_id: person.id })]);
    for (const text of [secret, ...codes, ...codes.map((code) => code.replace("-", ""))]) expect(stored).not.toContain(text);
  });
});

describe("a recovery code", () => {
  it("signs in once, and the person is told", async () => {
    const { nurse } = await newWorld();
    const { codes } = await enrolTotp(nurse);
    expect(new Set(codes).size).toBe(10);
    const [first = "", second = ""] = codes;
    expect((await logIn(nurse, { mfa_code: first })).status).toBe(200);
    expect(await codeOf(await logIn(nurse, { mfa_code: first }))).toBe("invalid_code");
    expect((await logIn(nurse, { mfa_code: second.toUpperCase().replace("-", " ") })).status).toBe(200);
    const { data } = await readJson(await sendRequest(`${API}/auth/mfa`, { as: nurse }));
    expect(data.recovery_codes_left).toBe(8);
    const kinds = await env.DB.prepare("SELECT kind FROM notifications WHERE user_id = ?").bind(nurse.id).all();
    expect(kinds.results.filter(({ kind }) => kind === "account.recovery_code_used")).toHaveLength(2);
  });

  it("signs in once when it is sent 20 times at once", async () => {
    const { nurse } = await newWorld();
    const { codes } = await enrolTotp(nurse);
    const { ticket } = await askForTicket(nurse);
    const answers = await Promise.all(Array.from({ length: 20 }, () => finish({ ticket, code: codes[0] })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it("ends when the codes are replaced, and with the last factor", async () => {
    const { nurse } = await newWorld();
    const { codes } = await enrolTotp(nurse);
    const { data } = await readJson(await post("/auth/mfa/recovery-codes", nurse, undefined));
    expect(data.recovery_codes).toHaveLength(10);
    expect(await codeOf(await logIn(nurse, { mfa_code: codes[0] ?? "" }))).toBe("invalid_code");
    expect((await sendRequest(`${API}/auth/mfa/totp`, { as: nurse, method: "DELETE" })).status).toBe(200);
    expect((await readJson(await sendRequest(`${API}/auth/mfa`, { as: nurse }))).data).toMatchObject({
      totp: null,
      recovery_codes_left: 0,
    });
    expect((await logIn(nurse)).status).toBe(200);
    expect(await codeOf(await post("/auth/mfa/recovery-codes", nurse, undefined))).toBe("conflict");
  });
});
