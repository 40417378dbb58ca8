// Staff invitations: one link, one account, no information about existing accounts; void when their basis ends.
import crypto from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { computeEmailIndex } from "../../src/accounts/auth/login-names.ts";
import { getKeys } from "../../src/platform/config.ts";
import { stepsOf } from "../steps.ts";
import { withRandomDelays } from "../stores.ts";
import { captureLogs, expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newHospital,
  newLogin,
  newPerson,
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
beforeEach(async () => {
  hospitalId = await newHospital();
  manager = await newPerson("hospital_admin", hospitalId);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const run = (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  env.DB.prepare(query)
    .bind(...values)
    .run();
const invite = (json: object = {}, options: RequestOptions = {}) =>
  sendRequest(`${API}/users/invite`, {
    as: manager,
    json: { email: `${uniqueText()}@example.org`, full_name: "Ravi Kumar", role: "nurse", ...json },
    ...options,
  });
const accept = (token: string, options: RequestOptions = {}, more: object = {}) =>
  sendRequest(`${API}/auth/invitations/accept`, { json: { token, password: PHRASE, ...more }, ...options });
const join = (as: Person, token: string) => sendRequest(`${API}/auth/invitations/join`, { as, json: { token } });
const tokenOf = async (response: Promise<Response>): Promise<string> => (await readJson(await response)).data.token;
const idOf = (token: string) => token.split("_")[1] ?? "";

describe("an invitation", () => {
  it("is a link that becomes an account with the role and the hospital it says", async () => {
    const email = `${uniqueText()}@example.org`;
    const made = await invite({ email, role: "doctor" });
    const { data, request_id } = await readJson(made);
    expect({ status: made.status, data }).toEqual({
      status: 201,
      data: {
        invitation_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        url: `https://edgecare.test/invitation#token=${data.token}`,
        token: expect.stringMatching(/^eci_[0-9a-f-]{36}_[\w-]{43}$/),
        expires_at: expect.any(String),
      },
    });
    const life = Date.parse(data.expires_at) - Date.now();
    expect(life).toBeGreaterThan(6.9 * 86_400_000);
    expect(await readAuditEvents(request_id)).toMatchObject([
      { event: "invitation.create", actor_id: manager.id, hospital_id: hospitalId },
    ]);
    const dump = JSON.stringify((await run("SELECT * FROM invitations WHERE id = ?", data.invitation_id)).results);
    expect(dump).not.toMatch(new RegExp(`${data.token}|${email}|Ravi`));

    const accepted = await accept(data.token, {}, { username: `r${uniqueText()}`.slice(0, 20) });
    const session = await readJson(accepted);
    expect({ status: accepted.status, data: session.data }).toMatchObject({
      status: 201,
      data: { role: "doctor", hospital_id: hospitalId },
    });
    expect(await readAuditEvents(session.request_id)).toMatchObject([
      { event: "invitation.accept", outcome: "success", actor_id: session.data.user_id, hospital_id: hospitalId },
    ]);
    const me = (await readJson(await sendRequest(`${API}/auth/me`, { as: session.data.access_token }))).data;
    expect(me).toMatchObject({ email, full_name: "Ravi Kumar", role: "doctor", hospital: { id: hospitalId } });
    const list = await readJson(await sendRequest(`${API}/users/invitations`, { as: manager }));
    expect(list.data).toMatchObject([{ invitation_id: data.invitation_id, email, state: "accepted", role: "doctor" }]);
    expect(JSON.stringify(list)).not.toContain(data.token);
  });

  it("works by /auth/register too, for the invited address alone", async () => {
    const email = `${uniqueText()}@example.org`;
    const invitation_token = await tokenOf(invite({ email }));
    const body = { email: `${uniqueText()}@example.org`, password: PHRASE, invitation_token };
    await expectProblem(await sendRequest(`${API}/auth/register`, { json: body }), 403, "link_invalid");
    const { data } = await readJson(await sendRequest(`${API}/auth/register`, { json: { ...body, email } }));
    expect(data).toMatchObject({ role: "nurse", hospital_id: hospitalId, patient_id: null });
  });

  it("is answered alike whether or not the address is known, here or elsewhere", async () => {
    const here = await newPerson("nurse", hospitalId);
    const there = await newPerson("doctor", await newHospital());
    const seen = new Set<string>();
    for (const email of [`${uniqueText()}@example.org`, here.email, there.email, manager.email]) {
      const response = await invite({ email });
      const headers = [...response.headers].filter(([name]) => name !== "x-request-id");
      const text = (await response.text()).replace(/eci_[\w-]{80}|[0-9a-f]{8}-[0-9a-f-]{27}|"20[^"]*"/g, "#");
      seen.add(JSON.stringify([response.status, headers, text]));
    }
    expect(seen.size).toBe(1);
  });

  it("is returned again to a repeated request, and created once", async () => {
    const headers = { "Idempotency-Key": `invite-${uniqueText()}` };
    const json = { email: `${uniqueText()}@example.org` };
    const [first, second] = [await readJson(await invite(json, { headers })), await readJson(await invite(json, { headers }))];
    expect(second.data).toEqual(first.data);
    expect((await readJson(await sendRequest(`${API}/users/invitations`, { as: manager }))).data).toHaveLength(1);
    await expectProblem(await invite({ email: "other@example.org" }, { headers }), 409, "idempotency_key_reused");
    await run("UPDATE sessions SET revoked_at = 1 WHERE id = ?", manager.sessionId);
    await expectProblem(await invite({ email: "other@example.org" }, { headers }), 401, "unauthenticated");
    await expectProblem(await invite(json, { headers }), 401, "unauthenticated");
  });

  it("is for managers to write, at their own hospital; an administrator names one", async () => {
    const elsewhere = await newHospital();
    for (const role of ["nurse", "doctor"] as const) {
      await expectProblem(await invite({}, { as: await newPerson(role, hospitalId) }), 403, "forbidden");
    }
    await expectProblem(await invite({}, { as: await newPerson("patient") }), 403, "forbidden");
    await expectProblem(await invite({ hospital_id: elsewhere }), 404, "not_found");
    const admin = await newPerson("admin");
    const unnamed = await invite({}, { as: admin });
    expect((await readJson(unnamed.clone())).errors).toEqual([{ path: "hospital_id", message: "Required", code: "required" }]);
    await expectProblem(unnamed, 400, "invalid_request");
    expect((await invite({ hospital_id: elsewhere, role: "hospital_admin" }, { as: admin })).status).toBe(201);
    for (const nowhere of [crypto.randomUUID(), "00000000-0000-7000-8000-000000000001"]) {
      await expectProblem(await invite({ hospital_id: nowhere }, { as: admin }), 404, "not_found");
    }
    for (const role of ["admin", "patient"]) await expectProblem(await invite({ role }), 400, "invalid_request");
  });

  it("can be seen and revoked by its own hospital's managers alone", async () => {
    const token = await tokenOf(invite());
    const path = `${API}/users/invitations/${idOf(token)}`;
    const stranger = await newPerson("hospital_admin", await newHospital());
    await expectProblem(await sendRequest(path, { as: stranger, method: "DELETE" }), 404, "not_found");
    expect((await readJson(await sendRequest(`${API}/users/invitations`, { as: stranger }))).data).toEqual([]);
    expect((await sendRequest(path, { as: manager, method: "DELETE" })).status).toBe(200);
    await expectProblem(await sendRequest(path, { as: manager, method: "DELETE" }), 409, "conflict");
    await expectProblem(await accept(token), 403, "link_invalid");
  });
});

describe("an invalid link", () => {
  const ENDS: [string, (token: string) => Promise<unknown>][] = [
    ["is past", (token) => run("UPDATE invitations SET expires_at = 1 WHERE id = ?", idOf(token))],
    ["was revoked", (token) => run("UPDATE invitations SET revoked_at = 1 WHERE id = ?", idOf(token))],
    ["was used", (token) => run("UPDATE invitations SET accepted_at = 1 WHERE id = ?", idOf(token))],
    ["is of a closed hospital", () => run("UPDATE hospitals SET active = 0 WHERE id = ?", hospitalId)],
    ["is of one who left", () => run("UPDATE memberships SET ended_at = 1 WHERE user_id = ?", manager.id)],
    ["is of one who is suspended", () => run("UPDATE memberships SET suspended_at = 1 WHERE user_id = ?", manager.id)],
    ["is of one who manages no more", () => run("UPDATE memberships SET role = 'doctor' WHERE user_id = ?", manager.id)],
    ["is of a deactivated account", () => run("UPDATE users SET active = 0 WHERE id = ?", manager.id)],
  ];

  it.each(ENDS)("because it %s is rejected like an unknown one, after one hash, and creates no account", async (_, end) => {
    const token = await tokenOf(invite());
    await end(token);
    const hashes = vi.spyOn(crypto, "scrypt");
    const logs = captureLogs();
    const seen = new Set<string>();
    for (const tried of [token, `${token.slice(0, -1)}x`, "eci_nonsense"]) {
      hashes.mockClear();
      const response = await accept(tried);
      const id = response.headers.get("x-request-id") ?? "";
      seen.add((await response.text()).replace(/"(error_id|request_id)":"[^"]{36}"/g, ""));
      expect(hashes).toHaveBeenCalledTimes(1);
      expect(await readAuditEvents(id)).toMatchObject([
        { event: "invitation.accept", outcome: "denied", reason: "link_invalid" },
      ]);
    }
    expect([...seen]).toEqual([expect.stringContaining('"link_invalid"')]);
    expect(logs()).not.toContain(token);
    const invited = await env.DB.prepare("SELECT email_index AS e FROM invitations WHERE id = ?")
      .bind(idOf(token))
      .first<string>("e");
    const made = await env.DB.prepare("SELECT count(*) AS n FROM users WHERE email_index = ?").bind(invited).first<number>("n");
    expect(made).toBe(0);
  });

  it("runs the same steps as a valid one, including one hash", async () => {
    const token = await tokenOf(invite());
    const attempt = (tried: string) => stepsOf((of) => accept(tried, { env: of }));
    const dead = await attempt(`eci_${crypto.randomUUID()}_${"A".repeat(43)}`);
    const live = await attempt(token);
    expect(live.filter((step) => step.startsWith("scrypt"))).toHaveLength(1);
    expect(dead).toEqual(live);
    // The known-bad twin: looks up first, and hashes only for valid links.
    const naive = await stepsOf(({ DB }) =>
      DB.prepare("SELECT id FROM invitations WHERE token_hash = ?").bind(uniqueText()).first(),
    );
    expect(naive).not.toEqual(live);
  });
});

describe("fifty at once", () => {
  it("make one account of one link; the rest are refused", { timeout: 180_000 }, async () => {
    const email = `${uniqueText()}@example.org`;
    const token = await tokenOf(invite({ email }));
    const of = withRandomDelays(env);
    const answers = await Promise.all(Array.from({ length: 50 }, () => accept(token, { env: of })));
    const statuses = answers.map(({ status }) => status);
    expect([statuses.filter((s) => s === 201).length, statuses.filter((s) => s === 403).length]).toEqual([1, 49]);
    const index = await computeEmailIndex(await getKeys(env), email);
    const made = env.DB.prepare("SELECT count(*) AS n FROM users WHERE email_index = ?").bind(index);
    expect(await made.first<number>("n")).toBe(1);
  });

  it("would make several by a look-up that is followed by a write (the known-bad twin)", async () => {
    const { DB } = withRandomDelays(env);
    await DB.prepare("CREATE TABLE naive_links (id TEXT PRIMARY KEY, used INTEGER NOT NULL, made INTEGER NOT NULL)").run();
    await DB.prepare("INSERT INTO naive_links VALUES ('l', 0, 0)").run();
    const naive = async () => {
      if (!(await DB.prepare("SELECT 1 FROM naive_links WHERE id = 'l' AND used = 0").first())) return;
      await DB.prepare("UPDATE naive_links SET used = 1, made = made + 1").run();
    };
    await Promise.all(Array.from({ length: 50 }, naive));
    expect(await DB.prepare("SELECT made FROM naive_links").first<number>("made")).toBeGreaterThan(1);
  });
});

describe("a person who has an account", () => {
  it("is told at accept that the account exists, then joins with their own session", async () => {
    const doctor = await newPerson("doctor", await newHospital());
    const token = await tokenOf(invite({ email: doctor.email.toUpperCase() }));
    const told = await accept(token);
    expect((await readJson(told.clone())).detail).toBe(
      "An account with this address exists: log in and use /auth/invitations/join.",
    );
    expect(await readAuditEvents(told.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "invitation.accept", outcome: "denied", reason: "already_exists", hospital_id: hospitalId },
    ]);
    await expectProblem(told, 409, "already_exists");
    await expectProblem(await accept(`${token.slice(0, -1)}x`), 403, "link_invalid");
    await expectProblem(await accept(await tokenOf(invite()), {}, { username: doctor.username }), 409, "registration_refused");
    const response = await join(doctor, token);
    const { data, request_id } = await readJson(response);
    expect(data).toEqual({ hospital_id: hospitalId, role: "nurse" });
    expect(await readAuditEvents(request_id)).toMatchObject([
      { event: "invitation.accept", actor_id: doctor.id, hospital_id: hospitalId },
    ]);
    const me = await readJson(await sendRequest(`${API}/auth/me`, { as: doctor }));
    expect(me.data.memberships).toHaveLength(2);
    expect(me.data.role).toBe("doctor");
    await expectProblem(await join(doctor, token), 403, "link_invalid");
  });

  it("joins for their own address alone", async () => {
    const [meant, other] = [await newPerson("patient"), await newPerson("patient")];
    const token = await tokenOf(invite({ email: meant.email }));
    await expectProblem(await join(other, token), 403, "link_invalid");
    expect((await join(meant, token)).status).toBe(200);
  });

  it("joins once of fifty at once", async () => {
    const person = await newPerson("patient");
    const token = await tokenOf(invite({ email: person.email }));
    const of = withRandomDelays(env);
    const tries = Array.from({ length: 50 }, () =>
      sendRequest(`${API}/auth/invitations/join`, { as: person, json: { token }, env: of }),
    );
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect([statuses.filter((s) => s === 200).length, statuses.filter((s) => s === 403).length]).toEqual([1, 49]);
  });

  it("cannot return by a second link after removal, or end a suspension", async () => {
    const person = await newPerson("patient");
    const [first, second] = [await tokenOf(invite({ email: person.email })), await tokenOf(invite({ email: person.email }))];
    expect((await join(person, first)).status).toBe(200);
    const standing = { role: "nurse", hospitalId, doctorScope: "care_team" } as const;
    const acting = { ...person, ...(await newLogin(person.id, standing)) };
    const third = await tokenOf(invite({ email: person.email, role: "hospital_admin" }));
    await expectProblem(await join(acting, third), 403, "link_invalid");
    await run("UPDATE memberships SET suspended_at = 1 WHERE user_id = ?", person.id);
    await expectProblem(await join(person, third), 403, "link_invalid");
    expect((await sendRequest(`${API}/users/${person.id}`, { as: manager, method: "DELETE" })).status).toBe(200);
    for (const token of [second, third]) await expectProblem(await join(person, token), 403, "link_invalid");
    const fresh = await tokenOf(invite({ email: person.email }));
    expect((await join(person, fresh)).status).toBe(200);
    await expectProblem(await sendRequest(`${API}/patients`, { as: acting }), 401, "unauthenticated");
  });
});
