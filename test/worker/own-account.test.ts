// A user's own account: profile, password, password reset by link, and the active hospital of a session.
import crypto from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stepsOf } from "../steps.ts";
import { withRandomDelays } from "../stores.ts";
import { captureLogs, expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  link,
  newHospital,
  newLogin,
  newPatient,
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
let hospitalId: string;
let manager: Person;
let nurse: Person;
beforeEach(async () => {
  hospitalId = await newHospital();
  [manager, nurse] = await Promise.all([newPerson("hospital_admin", hospitalId), newPerson("nurse", hospitalId)]);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const run = (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  env.DB.prepare(query)
    .bind(...values)
    .run();
const me = (as: { token: string }) => sendRequest(`${API}/auth/me`, { as });
const login = (email: string, password: string) => sendRequest(`${API}/auth/login`, { json: { email, password } });
const nurseAt = (at: string) => ({ role: "nurse", hospitalId: at, doctorScope: "care_team" }) as const;
const eventsOf = async (response: Response) => readAuditEvents(response.headers.get("x-request-id") ?? "");
const seat = (userId: string, at: string, role = "nurse") =>
  run(
    "INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at) VALUES (?, ?, ?, 'test', 1)",
    userId,
    at,
    role,
  );

describe("me", () => {
  it("lists where I work and which records are mine, with an ETag", async () => {
    const [second, closed] = [await newHospital(), await newHospital()];
    await seat(nurse.id, second, "hospital_admin");
    await seat(nurse.id, closed);
    await run("UPDATE hospitals SET active = 0 WHERE id = ?", closed);
    await run("UPDATE hospitals SET time_zone = 'Asia/Kolkata' WHERE id = ?", hospitalId);
    await run("UPDATE hospitals SET time_zone = 'Europe/Berlin' WHERE id = ?", second);
    const record = await newPatient(second, manager);
    await link(nurse, record);
    const response = await me(nurse);
    expect(response.headers.get("etag")).toMatch(/^"1-/);
    const { data } = await readJson(response);
    expect(data.patients).toEqual([
      {
        patient_id: record.id,
        hospital_id: second,
        hospital_name: expect.stringMatching(/^Hospital /),
        time_zone: "Europe/Berlin",
      },
    ]);
    expect(data.hospital).toMatchObject({ id: hospitalId, time_zone: "Asia/Kolkata" });
    expect(data.memberships.map((m: { hospital_id: string; role: string }) => [m.hospital_id, m.role]).sort()).toEqual(
      [
        [hospitalId, "nurse"],
        [second, "hospital_admin"],
      ].sort(),
    );
  });

  it("changes name and user name by version, and nothing else", async () => {
    const patch = (json: object, match = '"1"') =>
      sendRequest(`${API}/auth/me`, { as: nurse, method: "PATCH", json, headers: { "If-Match": match } });
    const username = `n${uniqueText()}`.slice(0, 20);
    const changed = await patch({ full_name: "Nila Rao", username });
    expect(changed.headers.get("etag")).toMatch(/^"2-/);
    expect((await readJson(changed)).data).toMatchObject({ full_name: "Nila Rao", username, email: nurse.email, version: 2 });
    expect(await eventsOf(changed)).toMatchObject([
      { event: "user.update", actor_id: nurse.id, detail: '{"fields":["full_name","username"]}' },
    ]);
    expect((await sendRequest(`${API}/auth/login`, { json: { username, password: PASSWORD } })).status).toBe(200);
    const stale = await patch({ full_name: "Old" });
    expect(await eventsOf(stale)).toMatchObject([{ event: "user.update", outcome: "failed", reason: "precondition_failed" }]);
    await expectProblem(stale, 412, "precondition_failed");
    await expectProblem(await patch({ username: manager.username }, '"2"'), 409, "already_exists");
    for (const extra of [{ email: "x@example.org" }, { is_admin: true }, { role: "admin" }, { hospital_id: hospitalId }, {}]) {
      await expectProblem(await patch(extra, '"2"'), 400, "invalid_request");
    }
  });
});

describe("changing my password", () => {
  const change = (as: Person, current_password: string, new_password = PHRASE, options: RequestOptions = {}) =>
    sendRequest(`${API}/auth/password/change`, { as, json: { current_password, new_password }, ...options });

  it("ends every other session and open reset link, keeps this one, and leaves one trace", async () => {
    const other = await newLogin(nurse.id, nurseAt(hospitalId));
    const issued = await readJson(await sendRequest(`${API}/users/${nurse.id}/password-reset`, { as: manager, method: "POST" }));
    const changed = await change(nurse, PASSWORD);
    expect(changed.status).toBe(200);
    expect(await eventsOf(changed)).toMatchObject([{ event: "user.password_change", outcome: "success", actor_id: nurse.id }]);
    expect((await me(nurse)).status).toBe(200);
    await expectProblem(await me(other), 401, "unauthenticated");
    const refresh = (token: string) => sendRequest(`${API}/auth/refresh`, { json: { refresh_token: token } });
    await expectProblem(await refresh(other.refresh), 401, "invalid_refresh_token");
    expect((await refresh(nurse.refresh)).status).toBe(200);
    await expectProblem(await login(nurse.email, PASSWORD), 401, "invalid_credentials");
    expect((await login(nurse.email, PHRASE)).status).toBe(200);
    const reset = { json: { token: issued.data.token, new_password: "another harbour of words" } };
    await expectProblem(await sendRequest(`${API}/auth/password/reset`, reset), 403, "link_invalid");
  });

  it("needs the present one, tried under the lock of logins", async () => {
    const wrong = await change(nurse, `${PASSWORD}!`);
    expect(await eventsOf(wrong)).toMatchObject([{ event: "user.password_change", outcome: "denied", reason: "wrong_password" }]);
    await expectProblem(wrong, 403, "wrong_password");
    for (let i = 0; i < 4; i++) await change(nurse, `${PASSWORD}${i}`);
    const locked = await change(nurse, PASSWORD);
    expect(Number(locked.headers.get("retry-after"))).toBeGreaterThan(800);
    await expectProblem(locked, 423, "account_locked");
    await expectProblem(await login(nurse.email, PASSWORD), 423, "account_locked");
    expect((await me(nurse)).status).toBe(200);
    expect((await sendRequest(`${API}/users/${nurse.id}/unlock`, { as: manager, method: "POST" })).status).toBe(200);
    expect((await change(nurse, PASSWORD)).status).toBe(200);
  });

  it("costs five hashes of fifty wrong tries at once", async () => {
    const hashes = vi.spyOn(crypto, "scrypt");
    const of = withRandomDelays(env);
    const tries = Array.from({ length: 50 }, (_, i) => change(nurse, `wrong ${i}`, PHRASE, { env: of }));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(hashes).toHaveBeenCalledTimes(5);
    expect(statuses.filter((status) => status === 403)).toHaveLength(5);
    expect((await login(nurse.email, PASSWORD)).status).toBe(423);
  });

  it("happens once of two at once, and the loser has changed nothing", async () => {
    const of = withRandomDelays(env);
    const phrases = ["one harbour of words", "two harbours of words"];
    const answers = await Promise.all(phrases.map((phrase) => change(nurse, PASSWORD, phrase, { env: of })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const won = phrases[answers.findIndex(({ status }) => status === 200)] ?? "";
    expect((await login(nurse.email, won)).status).toBe(200);
    expect((await me(nurse)).status).toBe(200);
    const lost = answers.find(({ status }) => status === 409);
    if (!lost) throw new Error("nobody lost");
    expect(await eventsOf(lost)).toMatchObject([{ event: "user.password_change", outcome: "failed", reason: "conflict" }]);
    await expectProblem(lost, 409, "conflict");
  });

  it("sent five times at once locks nobody out: a correct password uses up no attempt", async () => {
    const of = withRandomDelays(env);
    const answers = await Promise.all(Array.from({ length: 5 }, () => change(nurse, PASSWORD, PHRASE, { env: of })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    const slots = env.DB.prepare("SELECT count(*) AS n FROM login_attempts WHERE subject = ?").bind(nurse.id);
    expect(await slots.first<number>("n")).toBe(0);
    expect((await login(nurse.email, PHRASE)).status).toBe(200);
  });

  it("refuses a weak one by its name in the body, and machines", async () => {
    const { errors } = await readJson(await change(nurse, PASSWORD, "password1234567"));
    expect(errors).toMatchObject([{ path: "new_password", code: "weak_password" }]);
    const full = (await readJson(await me(nurse))).data.full_name;
    expect((await readJson(await change(nurse, PASSWORD, `${full} 12`))).errors).toMatchObject([{ code: "weak_password" }]);
  });
});

describe("a reset link", () => {
  const issue = (id = nurse.id, as = manager, options: RequestOptions = {}) =>
    sendRequest(`${API}/users/${id}/password-reset`, { as, method: "POST", ...options });
  const tokenFor = async (id = nurse.id): Promise<string> => (await readJson(await issue(id))).data.token;
  const redeem = (token: string, options: RequestOptions = {}, new_password = PHRASE) =>
    sendRequest(`${API}/auth/password/reset`, { json: { token, new_password }, ...options });

  it("sets a password once, ends all sessions, and lifts the lock", async () => {
    for (let i = 0; i < 5; i++) await login(nurse.email, `wrong password ${i}`);
    expect((await login(nurse.email, PASSWORD)).status).toBe(423);
    const issued = await issue();
    expect(await eventsOf(issued)).toMatchObject([
      { event: "user.password_reset_link", actor_id: manager.id, entity_id: nurse.id },
    ]);
    const { data } = await readJson(issued);
    expect(issued.status).toBe(201);
    expect(data.url).toBe(`https://edgecare.test/reset#token=${data.token}`);
    const life = Date.parse(data.expires_at) - Date.now();
    expect(life > 29 * 60_000 && life <= 30 * 60_000).toBe(true);
    expect(JSON.stringify((await run("SELECT * FROM password_resets")).results)).not.toContain(data.token);
    const logs = captureLogs();
    const done = await redeem(data.token);
    expect(done.status).toBe(200);
    expect(await eventsOf(done)).toMatchObject([{ event: "user.password_reset", outcome: "success", entity_id: nurse.id }]);
    expect(logs()).not.toContain(data.token);
    await expectProblem(await me(nurse), 401, "unauthenticated");
    await expectProblem(await redeem(data.token), 403, "link_invalid");
    expect((await login(nurse.email, PHRASE)).status).toBe(200);
    await expectProblem(await login(nurse.email, PASSWORD), 401, "invalid_credentials");
  });

  it("replaces older ones, and is returned again to a repeated request", async () => {
    const headers = { "Idempotency-Key": `reset-${uniqueText()}` };
    const [first, again] = [
      await readJson(await issue(nurse.id, manager, { headers })),
      await readJson(await issue(nurse.id, manager, { headers })),
    ];
    expect(again.data).toEqual(first.data);
    const doctor = await newPerson("doctor", hospitalId);
    await expectProblem(await issue(doctor.id, manager, { headers }), 409, "idempotency_key_reused");
    const second = await tokenFor();
    await expectProblem(await redeem(first.data.token), 403, "link_invalid");
    expect((await redeem(second)).status).toBe(200);
  });

  const ENDS: [string, () => Promise<unknown>][] = [
    ["is past", () => run("UPDATE password_resets SET expires_at = 1 WHERE user_id = ?", nurse.id)],
    ["was used", () => run("UPDATE password_resets SET used_at = 1 WHERE user_id = ?", nurse.id)],
    ["is of a deactivated person", () => run("UPDATE users SET active = 0 WHERE id = ?", nurse.id)],
    ["is of a manager who left", () => run("UPDATE memberships SET ended_at = 1 WHERE user_id = ?", manager.id)],
    ["is for one who works elsewhere since", async () => seat(nurse.id, await newHospital())],
    ["is for one who became an administrator", () => run("UPDATE users SET is_admin = 1 WHERE id = ?", nurse.id)],
    ["is for one who got a record", async () => link(nurse, await newPatient(hospitalId, manager))],
  ];

  it.each(ENDS)("that %s is refused like one that never was, after one hash", async (_, end) => {
    const token = await tokenFor();
    await end();
    const hashes = vi.spyOn(crypto, "scrypt");
    const seen = new Set<string>();
    for (const tried of [token, `${token.slice(0, -1)}x`, "ecp_nonsense"]) {
      hashes.mockClear();
      const response = await redeem(tried);
      const id = response.headers.get("x-request-id") ?? "";
      seen.add((await response.text()).replace(/"(error_id|request_id)":"[^"]{36}"/g, ""));
      expect(hashes).toHaveBeenCalledTimes(1);
      expect(await readAuditEvents(id)).toMatchObject([
        { event: "user.password_reset", outcome: "denied", reason: "link_invalid" },
      ]);
    }
    expect([...seen]).toEqual([expect.stringContaining('"link_invalid"')]);
  });

  it("runs the same steps as an expired one, including one hash", async () => {
    const token = await tokenFor();
    const attempt = (tried: string) => stepsOf((of) => redeem(tried, { env: of }));
    const dead = await attempt(`ecp_${crypto.randomUUID()}_${"A".repeat(43)}`);
    const live = await attempt(token);
    expect(live.filter((step) => step.startsWith("scrypt"))).toHaveLength(1);
    expect(live).toEqual(dead);
    // The known-bad twin: looks up first, and hashes only for valid links.
    const naive = await stepsOf(({ DB }) =>
      DB.prepare("SELECT 1 FROM password_resets WHERE token_hash = ?").bind(uniqueText()).first(),
    );
    expect(naive).not.toEqual(live);
  });

  it("sets one password of twenty at once", { timeout: 120_000 }, async () => {
    const token = await tokenFor();
    const of = withRandomDelays(env);
    const phrase = (i: number) => `harbour number ${i} of words`;
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => redeem(token, { env: of }, phrase(i))));
    const won = answers.findIndex(({ status }) => status === 200);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(19);
    expect((await login(nurse.email, phrase(won))).status).toBe(200);
  });

  it("can be created by a hospital administrator only for a user without roles elsewhere", async () => {
    const [abroad, own, boss, suspended] = await Promise.all([
      newPerson("nurse", hospitalId),
      newPerson("nurse", hospitalId),
      newPerson("admin"),
      newPerson("nurse", hospitalId),
    ]);
    await seat(abroad.id, await newHospital());
    await link(own, await newPatient(hospitalId, manager));
    await seat(boss.id, hospitalId);
    await run("UPDATE memberships SET suspended_at = 1 WHERE user_id = ?", suspended.id);
    for (const { id } of [abroad, own, boss, manager]) await expectProblem(await issue(id), 403, "forbidden");
    expect((await issue(suspended.id)).status).toBe(201);
    const admin = await newPerson("admin");
    for (const { id } of [abroad, own, boss, manager]) expect((await issue(id, admin)).status).toBe(201);
    await expectProblem(await issue(admin.id, admin), 403, "forbidden");
    const outside = await newPerson("nurse", await newHospital());
    await expectProblem(await issue(outside.id), 404, "not_found");
    await expectProblem(await issue(nurse.id, own), 403, "forbidden");
  });
});

describe("the hospital that a session acts for", () => {
  const switchTo = (as: { token: string }, hospital_id: string | null) =>
    sendRequest(`${API}/auth/switch-hospital`, { as, json: { hospital_id } });

  it("is one of mine, and there I read nothing of the others; old tokens follow the session", async () => {
    const second = await newHospital();
    await seat(nurse.id, second, "nurse");
    const [here, there] = [await newPatient(hospitalId, nurse), await newPatient(second, nurse)];
    const sees = async (as: { token: string } | string, id: string) =>
      (await sendRequest(`${API}/patients/${id}`, { as })).status;
    expect([await sees(nurse, here.id), await sees(nurse, there.id)]).toEqual([200, 404]);
    const switched = await switchTo(nurse, second);
    expect(await eventsOf(switched)).toMatchObject([
      { event: "session.switch", hospital_id: second, actor_hospital_id: hospitalId },
    ]);
    const { data } = await readJson(switched);
    expect(data).toMatchObject({ role: "nurse", hospital_id: second, refresh_token: null });
    for (const as of [data.access_token, nurse.token])
      expect([await sees(as, here.id), await sees(as, there.id)]).toEqual([404, 200]);
    const list = await readJson(await sendRequest(`${API}/patients`, { as: data.access_token }));
    expect(JSON.stringify(list)).toContain(there.canary);
    expect(JSON.stringify(list)).not.toContain(here.canary);
    const refreshed = await readJson(await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: nurse.refresh } }));
    expect(refreshed.data).toMatchObject({ role: "nurse", hospital_id: second });
  });

  it("may be none: then I am a patient, with my own records", async () => {
    const [own, ours] = [await newPatient(await newHospital(), nurse), await newPatient(hospitalId, nurse)];
    await link(nurse, own);
    const { data } = await readJson(await switchTo(nurse, null));
    expect(data).toMatchObject({ role: "patient", hospital_id: null });
    const sees = async (id: string) => (await sendRequest(`${API}/patients/${id}`, { as: data.access_token })).status;
    expect([await sees(own.id), await sees(ours.id)]).toEqual([200, 404]);
    expect((await readJson(await switchTo({ token: data.access_token }, hospitalId))).data.role).toBe("nurse");
  });

  it("is no other: not another's, not one I left, am suspended at or that closed, whatever headers say", async () => {
    const [left, suspended, closed, foreign] = await Promise.all([newHospital(), newHospital(), newHospital(), newHospital()]);
    for (const at of [left, suspended, closed]) await seat(nurse.id, at);
    await run("UPDATE memberships SET ended_at = 1 WHERE hospital_id = ?", left);
    await run("UPDATE memberships SET suspended_at = 1 WHERE hospital_id = ?", suspended);
    await run("UPDATE hospitals SET active = 0 WHERE id = ?", closed);
    for (const at of [left, suspended, closed, foreign, crypto.randomUUID()]) {
      const refused = await switchTo(nurse, at);
      expect(await eventsOf(refused)).toMatchObject([{ event: "access.denied", reason: "not_found" }]);
      await expectProblem(refused, 404, "not_found");
    }
    const forged = await sendRequest(`${API}/auth/me`, { as: nurse, headers: { "X-Hospital-Id": foreign } });
    expect((await readJson(forged)).data.hospital.id).toBe(hospitalId);
    const admin = await newPerson("admin");
    await expectProblem(await switchTo(admin, hospitalId), 404, "not_found");
    expect((await readJson(await switchTo(admin, null))).data.role).toBe("admin");
  });
});
