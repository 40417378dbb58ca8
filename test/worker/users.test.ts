// Account management: visibility, permitted changes, and no change to accounts of a higher role.
import { env as bindings } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { withRandomDelays } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
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

let hospitalId: string;
let elsewhereId: string;
let manager: Person;
let admin: Person;
beforeAll(async () => {
  [hospitalId, elsewhereId] = await Promise.all([newHospital(), newHospital()]);
  [manager, admin] = await Promise.all([newPerson("hospital_admin", hospitalId), newPerson("admin")]);
});

const run = (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  env.DB.prepare(query)
    .bind(...values)
    .run();
const versionOf = (id: string) => env.DB.prepare("SELECT version FROM users WHERE id = ?").bind(id).first<number>("version");
const patch = async (as: Person, id: string, json: object, options: RequestOptions = {}) =>
  sendRequest(`${API}/users/${id}`, {
    as,
    method: "PATCH",
    json,
    headers: { "If-Match": `"${await versionOf(id)}"` },
    ...options,
  });
const me = (as: { token: string }) => sendRequest(`${API}/auth/me`, { as });
const list = async (as: Person, query = "") => readJson(await sendRequest(`${API}/users${query}`, { as }));
const idsOf = (page: { data: { user_id: string }[] }) => page.data.map(({ user_id }) => user_id);
const seat = (userId: string, at: string, role = "nurse") =>
  run(
    "INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at) VALUES (?, ?, ?, 'test', 1)",
    userId,
    at,
    role,
  );

describe("the list of accounts", () => {
  it("shows a manager the staff of their hospital, suspended too, and nothing of where else they work", async () => {
    const hospital = await newHospital();
    const boss = await newPerson("hospital_admin", hospital);
    const [nurse, doctor, gone, other] = await Promise.all([
      newPerson("nurse", hospital),
      newPerson("doctor", hospital),
      newPerson("nurse", hospital),
      newPerson("nurse", elsewhereId),
    ]);
    await seat(doctor.id, elsewhereId, "hospital_admin");
    await run("UPDATE memberships SET suspended_at = 1 WHERE user_id = ?", nurse.id);
    await run("UPDATE memberships SET ended_at = 1 WHERE user_id = ?", gone.id);
    const page = await list(boss);
    expect(idsOf(page).sort()).toEqual([boss.id, nurse.id, doctor.id].sort());
    expect(idsOf(page)).not.toContain(other.id);
    expect(JSON.stringify(page)).not.toContain(elsewhereId);
    expect(page.data.find((u: { user_id: string }) => u.user_id === nurse.id)).toMatchObject({
      is_active: false,
      memberships: [{ hospital_id: hospital, role: "nurse", is_active: false }],
    });
    const filtered = async (query: string) => idsOf(await list(boss, query)).sort();
    expect(await filtered("?role=doctor")).toEqual([doctor.id]);
    expect(await filtered("?is_active=false")).toEqual([nurse.id]);
    expect(await filtered("?is_active=true")).toEqual([boss.id, doctor.id].sort());
    expect(await filtered(`?email=${nurse.email.toUpperCase()}`)).toEqual([nurse.id]);
    expect(await filtered(`?email=${other.email}`)).toEqual([]);
    expect(await filtered(`?hospital_id=${hospital}`)).toHaveLength(3);
    await expectProblem(await sendRequest(`${API}/users?hospital_id=${elsewhereId}`, { as: boss }), 404, "not_found");
    const pages = [await list(boss, "?limit=2")];
    pages.push(await list(boss, `?limit=2&cursor=${pages[0]?.meta.pagination.next_cursor}`));
    expect(pages.flatMap(idsOf).sort()).toEqual(idsOf(page).sort());
    expect((await readAuditEvents(page.request_id))[0]).toMatchObject({
      event: "user.list",
      hospital_id: hospital,
      detail: '{"count":3}',
    });
  });

  it("shows an administrator all, by hospital, role and address, under both names", async () => {
    const nurse = await newPerson("nurse", elsewhereId);
    for (const path of ["users", "admin/users"]) {
      const get = async (query: string) => idsOf(await readJson(await sendRequest(`${API}/${path}?${query}`, { as: admin })));
      expect(await get(`email=${nurse.email}`)).toEqual([nurse.id]);
      expect(await get(`hospital_id=${elsewhereId}&role=nurse&limit=100`)).toContain(nurse.id);
      expect(await get("role=admin&limit=100")).toContain(admin.id);
      expect(await get("role=patient&limit=100")).not.toContain(nurse.id);
    }
    for (const role of ["nurse", "doctor"] as const) {
      await expectProblem(await sendRequest(`${API}/users`, { as: await newPerson(role, hospitalId) }), 403, "forbidden");
    }
    await expectProblem(await sendRequest(`${API}/users?is_admin=true`, { as: admin }), 400, "invalid_request");
  });

  it("does not tell a manager which of their staff are patients", async () => {
    const nurse = await newPerson("nurse", hospitalId);
    await link(nurse, await newPatient(elsewhereId, manager));
    const refused = await sendRequest(`${API}/users?role=patient`, { as: manager });
    expect((await readJson(refused.clone())).errors).toMatchObject([{ path: "role" }]);
    await expectProblem(refused, 400, "invalid_request");
    expect(idsOf(await list(admin, "?role=patient&limit=100"))).toContain(nurse.id);
  });
});

describe("a new member of staff", () => {
  const create = (as: Person, json: object = {}, options: RequestOptions = {}) =>
    sendRequest(`${API}/users`, {
      as,
      json: { email: `${uniqueText()}@example.org`, full_name: "N N", role: "nurse", password: PASSWORD, ...json },
      ...options,
    });

  it("is made at a hospital that works, or not at all", async () => {
    const closed = await newHospital();
    await run("UPDATE hospitals SET active = 0 WHERE id = ?", closed);
    const email = `${uniqueText()}@example.org`;
    for (const hospital_id of [closed, crypto.randomUUID()]) {
      const refused = await create(admin, { email, hospital_id });
      expect(await readAuditEvents(refused.headers.get("x-request-id") ?? "")).toMatchObject([
        { event: "access.denied", reason: "not_found", entity_id: hospital_id },
      ]);
      await expectProblem(refused, 404, "not_found");
    }
    expect((await list(admin, `?email=${email}`)).data).toEqual([]);
    const unnamed = await create(admin);
    expect((await readJson(unnamed)).errors).toEqual([{ path: "hospital_id", message: "Required", code: "required" }]);
  });

  it("whose address or user name is taken is refused in one way, with a trace, and by the person's allowance", async () => {
    const other = await newPerson("nurse", elsewhereId);
    for (const taken of [{ email: other.email }, { username: other.username }]) {
      const refused = await create(manager, taken);
      expect(await readAuditEvents(refused.headers.get("x-request-id") ?? "")).toMatchObject([
        { event: "user.create", outcome: "failed", reason: "registration_refused", hospital_id: hospitalId },
      ]);
      await expectProblem(refused, 409, "registration_refused");
    }
    const limited = await newPerson("hospital_admin", hospitalId);
    const peer = await newPerson("hospital_admin", hospitalId);
    const of = { ...env, RATE_SIGNUP: bindings.RATE_TEST };
    const tries: number[] = [];
    // Rejected by the policy before any hash: attempts are counted. More than two windows' worth.
    for (let i = 0; i < 201; i++) tries.push((await create(limited, { password: "short" }, { env: of })).status);
    expect(new Set(tries)).toEqual(new Set([400, 429]));
    const last = await create(limited, { password: "short" }, { env: of });
    if (last.status === 429) expect(last.headers.get("ratelimit-policy")).toBe('"signup";q=20;w=60');
    expect((await create(peer, { password: "short" }, { env: of })).status).toBe(400);
  });
});

describe("one account", () => {
  it("is seen by its managers with an ETag; elsewhere it is as absent as a random id", async () => {
    const [nurse, other] = await Promise.all([newPerson("nurse", hospitalId), newPerson("nurse", elsewhereId)]);
    const response = await sendRequest(`${API}/users/${nurse.id}`, { as: manager });
    expect(response.headers.get("etag")).toMatch(/^"1-/);
    expect((await readJson(response)).data).toMatchObject({ user_id: nurse.id, email: nurse.email, version: 1 });
    const patient = await newPerson("patient");
    for (const id of [other.id, patient.id, crypto.randomUUID()]) {
      for (const [method, path, more] of [
        ["GET", "", {}],
        ["PATCH", "", { json: { is_active: false }, headers: { "If-Match": '"1"' } }],
        ["DELETE", "", {}],
        ["DELETE", "/sessions", {}],
        ["POST", "/password-reset", {}],
        ["POST", "/unlock", {}],
      ] as const) {
        const refused = await sendRequest(`${API}/users/${id}${path}`, { as: manager, method, ...more });
        expect((await readAuditEvents(refused.headers.get("x-request-id") ?? "")).map((e) => e.event)).toEqual(["access.denied"]);
        await expectProblem(refused, 404, "not_found");
      }
    }
  });

  it("is changed by an administrator: names, address, status; taken names are rejected", async () => {
    const nurse = await newPerson("nurse", hospitalId);
    const email = `${uniqueText()}@example.org`;
    const changed = await patch(admin, nurse.id, { full_name: "Nila Rao", username: null, email });
    expect(changed.headers.get("etag")).toMatch(/^"2-/);
    expect((await readJson(changed)).data).toMatchObject({ full_name: "Nila Rao", username: null, email, version: 2 });
    expect((await sendRequest(`${API}/auth/login`, { json: { email, password: PASSWORD } })).status).toBe(200);
    await expectProblem(
      await sendRequest(`${API}/auth/login`, { json: { email: nurse.email, password: PASSWORD } }),
      401,
      "invalid_credentials",
    );
    await expectProblem(await patch(admin, nurse.id, { email: manager.email }), 409, "already_exists");
    await expectProblem(await patch(admin, nurse.id, { username: manager.username }), 409, "already_exists");
    await expectProblem(await patch(admin, nurse.id, { email }, { headers: { "If-Match": '"1"' } }), 412, "precondition_failed");
    await expectProblem(await patch(admin, nurse.id, { email }, { headers: {} }), 428, "precondition_required");
    await expectProblem(await patch(admin, nurse.id, {}), 400, "invalid_request");
    await expectProblem(await patch(admin, nurse.id, { password: PASSWORD }), 400, "invalid_request");
    const roles = await patch(admin, nurse.id, { role: "doctor", full_name: "X Y" });
    expect((await readJson(roles.clone())).errors).toEqual([
      { path: "role", message: "Insufficient permissions to change this field", code: "forbidden" },
    ]);
    await expectProblem(roles, 403, "forbidden");
    expect((await patch(admin, admin.id, { full_name: "Ira Menon" })).status).toBe(200);
  });

  it("that an administrator deactivates is out at the next request, and in again after", async () => {
    const nurse = await newPerson("nurse", hospitalId);
    const off = await readJson(await patch(admin, nurse.id, { is_active: false }));
    expect(off.data.is_active).toBe(false);
    expect(await readAuditEvents(off.request_id)).toMatchObject([
      { event: "user.update", entity_id: nurse.id, detail: '{"fields":["is_active"]}' },
    ]);
    await expectProblem(await me(nurse), 401, "unauthenticated");
    const refresh = { json: { refresh_token: nurse.refresh } };
    await expectProblem(await sendRequest(`${API}/auth/refresh`, refresh), 401, "invalid_refresh_token");
    expect((await patch(admin, nurse.id, { is_active: true })).status).toBe(200);
    await expectProblem(await me(nurse), 401, "unauthenticated");
    expect((await sendRequest(`${API}/auth/login`, { json: { email: nurse.email, password: PASSWORD } })).status).toBe(200);
    expect((await sendRequest(`${API}/users/${nurse.id}`, { as: admin, method: "DELETE" })).status).toBe(200);
    await expectProblem(
      await sendRequest(`${API}/auth/login`, { json: { email: nurse.email, password: PASSWORD } }),
      401,
      "invalid_credentials",
    );
  });

  it("that an administrator raises or lowers acts so at the next request", async () => {
    const person = await newPerson("patient");
    const total = () => sendRequest(`${API}/admin/stats`, { as: person });
    await expectProblem(await total(), 403, "forbidden");
    expect((await patch(admin, person.id, { is_admin: true })).status).toBe(200);
    expect((await total()).status).toBe(200);
    expect((await patch(admin, person.id, { is_admin: false })).status).toBe(200);
    await expectProblem(await total(), 403, "forbidden");
  });
});

describe("a hospital administrator", () => {
  it("suspends at their own hospital alone, and lifts it", async () => {
    const doctor = await newPerson("doctor", hospitalId);
    await seat(doctor.id, elsewhereId, "doctor");
    const there = await newLogin(doctor.id, { role: "doctor", hospitalId: elsewhereId, doctorScope: "care_team" });
    const off = await readJson(await patch(manager, doctor.id, { is_active: false }));
    expect(off.data).toMatchObject({
      is_active: false,
      version: 2,
      memberships: [{ hospital_id: hospitalId, is_active: false }],
    });
    expect(await readAuditEvents(off.request_id)).toMatchObject([
      { event: "member.set", hospital_id: hospitalId, entity_id: doctor.id },
    ]);
    await expectProblem(await me(doctor), 401, "unauthenticated");
    expect((await me(there)).status).toBe(200);
    const login = await readJson(await sendRequest(`${API}/auth/login`, { json: { email: doctor.email, password: PASSWORD } }));
    expect(login.data.hospital_id).toBe(elsewhereId);
    const back = (at: string) => sendRequest(`${API}/auth/switch-hospital`, { as: there, json: { hospital_id: at } });
    await expectProblem(await back(hospitalId), 404, "not_found");
    expect((await patch(manager, doctor.id, { is_active: true, role: "nurse" })).status).toBe(200);
    expect((await readJson(await back(hospitalId))).data.role).toBe("nurse");
  });

  it("leaves a suspended person their own records", async () => {
    const nurse = await newPerson("nurse", hospitalId);
    await link(nurse, await newPatient(elsewhereId, manager));
    await patch(manager, nurse.id, { is_active: false });
    const { data } = await readJson(await sendRequest(`${API}/auth/login`, { json: { email: nurse.email, password: PASSWORD } }));
    expect(data).toMatchObject({ role: "patient", hospital_id: null });
  });

  it("ends a membership, and the account lives on", async () => {
    const nurse = await newPerson("nurse", hospitalId);
    await seat(nurse.id, elsewhereId);
    expect((await sendRequest(`${API}/users/${nurse.id}`, { as: manager, method: "DELETE" })).status).toBe(200);
    await expectProblem(await me(nurse), 401, "unauthenticated");
    await expectProblem(await sendRequest(`${API}/users/${nurse.id}`, { as: manager }), 404, "not_found");
    expect((await sendRequest(`${API}/auth/login`, { json: { email: nurse.email, password: PASSWORD } })).status).toBe(200);
  });

  it("logs people out where they act for the hospital; an administrator everywhere", async () => {
    const nurse = await newPerson("nurse", hospitalId);
    await seat(nurse.id, elsewhereId);
    const there = await newLogin(nurse.id, { role: "nurse", hospitalId: elsewhereId, doctorScope: "care_team" });
    const end = async (as: Person) => readJson(await sendRequest(`${API}/users/${nurse.id}/sessions`, { as, method: "DELETE" }));
    expect((await end(manager)).data).toEqual({ user_id: nurse.id, ended: 1 });
    await expectProblem(await me(nurse), 401, "unauthenticated");
    expect((await me(there)).status).toBe(200);
    const all = await end(admin);
    expect(all.data.ended).toBe(1);
    expect(await readAuditEvents(all.request_id)).toMatchObject([{ event: "session.revoke_all", entity_id: nurse.id }]);
    await expectProblem(await me(there), 401, "unauthenticated");
  });
});

/** Every role change by every role to every kind of account. */
describe("nobody grants a role above their own", () => {
  const CHANGES = {
    role_up: { role: "hospital_admin" },
    role_down: { role: "nurse" },
    off: { is_active: false },
    admin: { is_admin: true },
    name: { full_name: "Somebody Else" },
    email: { email: "x@example.org" },
    mixed: { role: "nurse", is_admin: true },
  };
  type Change = keyof typeof CHANGES;
  const TARGETS = ["self", "nurse", "doctor", "peer", "admin on the staff", "elsewhere", "patient"] as const;
  type Target = (typeof TARGETS)[number];

  async function newTarget(target: Target, caller: Person): Promise<Person> {
    switch (target) {
      case "self":
        return caller;
      case "nurse":
      case "doctor":
        return newPerson(target, hospitalId);
      case "peer":
        return newPerson("hospital_admin", hospitalId);
      case "admin on the staff": {
        const person = await newPerson("admin");
        await seat(person.id, hospitalId);
        return person;
      }
      case "elsewhere":
        return newPerson("nurse", elsewhereId);
      case "patient":
        return newPerson("patient");
    }
  }

  /** The permitted role changes, written independently of src/. */
  function expected(caller: Person["role"], target: Target, change: Change): number {
    if (caller !== "admin" && caller !== "hospital_admin") return 403;
    if (caller === "admin") {
      if (change === "name" || change === "email") return 200;
      if (change === "off" || change === "admin") return target === "self" ? 403 : 200;
      return 403;
    }
    if (target === "elsewhere" || target === "patient") return 404;
    if (target === "self" || target === "admin on the staff") return 403;
    return ["role_up", "role_down", "off"].includes(change) ? 200 : 403;
  }

  it.each(["patient", "nurse", "doctor", "hospital_admin", "admin"] as const)("as %s", async (role) => {
    for (const target of TARGETS) {
      for (const change of Object.keys(CHANGES).filter((name): name is Change => name in CHANGES)) {
        const caller = await newPerson(role, hospitalId);
        const person = await newTarget(target, caller);
        const before = await env.DB.prepare("SELECT * FROM users WHERE id = ?").bind(person.id).first();
        const json = change === "email" ? { email: `${uniqueText()}@example.org` } : CHANGES[change];
        const { status } = await patch(caller, person.id, json);
        const wanted = expected(role, target, change);
        expect({ target, change, status }).toEqual({ target, change, status: wanted });
        const after = await env.DB.prepare("SELECT * FROM users WHERE id = ?").bind(person.id).first();
        if (wanted !== 200) expect(after).toEqual(before);
      }
    }
  });

  it("or removes or resets an account that they may not manage", async () => {
    const targets = await Promise.all([newTarget("admin on the staff", manager), Promise.resolve(manager)]);
    for (const { id } of targets) {
      await expectProblem(await sendRequest(`${API}/users/${id}`, { as: manager, method: "DELETE" }), 403, "forbidden");
      await expectProblem(
        await sendRequest(`${API}/users/${id}/password-reset`, { as: manager, method: "POST" }),
        403,
        "forbidden",
      );
    }
    const [first] = targets;
    await expectProblem(
      await sendRequest(`${API}/users/${first?.id}/sessions`, { as: manager, method: "DELETE" }),
      403,
      "forbidden",
    );
    await expectProblem(await sendRequest(`${API}/users/${admin.id}`, { as: admin, method: "DELETE" }), 403, "forbidden");
  });
});

describe("the last administrator", () => {
  it("remains when several demote each other at once", async () => {
    await run("UPDATE users SET is_admin = 0");
    for (let round = 0; round < 5; round++) {
      await run("UPDATE users SET is_admin = 0");
      const admins = await Promise.all(Array.from({ length: 4 }, () => newPerson("admin")));
      const of = withRandomDelays(env);
      const pairs = admins.flatMap((by) => admins.filter((other) => other !== by).map((other) => [by, other] as const));
      const tries = pairs.map(([by, { id }], i) =>
        i % 2
          ? sendRequest(`${API}/users/${id}`, { as: by, method: "DELETE", env: of })
          : patch(by, id, i % 4 ? { is_admin: false } : { is_active: false }, { env: of }),
      );
      const statuses = (await Promise.all(tries)).map(({ status }) => status);
      const left = env.DB.prepare("SELECT count(*) AS n FROM users WHERE is_admin = 1 AND active = 1");
      expect(await left.first<number>("n")).toBe(1);
      expect(statuses.filter((status) => status === 200)).toHaveLength(3);
      for (const status of statuses) expect([200, 401, 403, 409, 412]).toContain(status);
    }
  });
});
