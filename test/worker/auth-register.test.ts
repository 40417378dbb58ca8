// Self-registration: account, record and session in one batch; no information about existing accounts; no extra fields.

import { env as bindings } from "cloudflare:workers";
import crypto from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { SELF_CARE_HOSPITAL_ID } from "../../src/platform/db/schema.ts";
import { stepsOf } from "../steps.ts";
import { withRandomDelays } from "../stores.ts";
import { captureLogs, expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newAddress,
  newDevice,
  newHospital,
  newPerson,
  newWorld,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
  withinOneMinute,
} from "../world.ts";

const PHRASE = "lanterns over seven hills";
const register = (json: object, options: RequestOptions = {}) => sendRequest(`${API}/auth/register`, { json, ...options });
const someone = (more: object = {}) => ({
  email: `${uniqueText()}@example.org`,
  password: PHRASE,
  full_name: "Meera Iyer",
  ...more,
});
const count = (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  env.DB.prepare(query)
    .bind(...values)
    .first<number>("n");
const total = (name: string) => count("SELECT n FROM counters WHERE scope = 'all' AND day = 0 AND name = ?", name);

afterEach(() => {
  vi.restoreAllMocks();
});

describe("registering", () => {
  it.each(["register", "register/patient"])("by /auth/%s answers 201 with tokens and a record of one's own", async (path) => {
    const [users, patients] = [(await total("users")) ?? 0, (await total("patients")) ?? 0];
    const body = someone({
      username: `m${uniqueText()}`.slice(0, 20),
      phone: "+91 98765 43210",
      date_of_birth: "1988-11-02",
      gender: "female",
      address: "7 Hill Road",
    });
    const response = await sendRequest(`${API}/auth/${path}`, { json: body });
    expect(response.status).toBe(201);
    const { data, request_id } = await readJson(response);
    expect(data).toMatchObject({ role: "patient", hospital_id: null, refresh_token: expect.stringMatching(/^ecr_/) });
    const own = await readJson(await sendRequest(`${API}/patients/${data.patient_id}`, { as: data.access_token }));
    expect(own.data).toMatchObject({
      hospital_id: SELF_CARE_HOSPITAL_ID,
      first_name: "Meera",
      last_name: "Iyer",
      phone: "+91 98765 43210",
      date_of_birth: "1988-11-02",
      email: body.email,
    });
    const me = await readJson(await sendRequest(`${API}/auth/me`, { as: data.access_token }));
    expect(me.data).toMatchObject({
      user_id: data.user_id,
      email: body.email,
      full_name: "Meera Iyer",
      patients: [
        { patient_id: data.patient_id, hospital_id: SELF_CARE_HOSPITAL_ID, hospital_name: expect.any(String), time_zone: null },
      ],
      memberships: [],
    });
    expect([await total("users"), await total("patients")]).toEqual([users + 1, patients + 1]);
    expect(await readAuditEvents(request_id)).toMatchObject([
      {
        event: "patient.create",
        actor_id: data.user_id,
        basis: "self",
        hospital_id: SELF_CARE_HOSPITAL_ID,
        subjects: [data.patient_id],
      },
      { event: "user.register", outcome: "success", actor_id: data.user_id, entity_id: data.user_id },
    ]);
    const again = await sendRequest(`${API}/auth/login`, { json: { email: body.email, password: PHRASE } });
    expect(again.status).toBe(200);
    const stranger = await newPerson("nurse", await newHospital());
    expect((await sendRequest(`${API}/patients/${data.patient_id}`, { as: stranger })).status).toBe(404);
  });

  it("puts the refresh token into the cookie if asked", async () => {
    const response = await register(someone({ transport: "cookie" }));
    expect(response.headers.get("set-cookie")).toMatch(/HttpOnly; Secure; SameSite=Strict/);
    expect((await readJson(response)).data.refresh_token).toBeNull();
  });

  it("accepts a name in two fields, or of one word", async () => {
    const two = await readJson(await register({ ...someone(), full_name: undefined, first_name: "Tara", last_name: "Das" }));
    expect((await readJson(await sendRequest(`${API}/auth/me`, { as: two.data.access_token }))).data.full_name).toBe("Tara Das");
    const one = await readJson(await register(someone({ full_name: "Prince" })));
    const own = await readJson(await sendRequest(`${API}/patients/${one.data.patient_id}`, { as: one.data.access_token }));
    expect(own.data).toMatchObject({ first_name: "Prince", last_name: null });
    await expectProblem(await register({ ...someone(), full_name: undefined }), 400, "invalid_request");
  });

  it.each(["admin", "doctor", "hospital_admin", "superuser"])("as role=%s makes a patient", async (role) => {
    const { data } = await readJson(await register(someone({ role })));
    const row = await env.DB.prepare(
      "SELECT is_admin, (SELECT count(*) FROM memberships WHERE user_id = ?1) AS n FROM users WHERE id = ?1",
    )
      .bind(data.user_id)
      .first();
    expect({ role: data.role, row }).toEqual({ role: "patient", row: { is_admin: 0, n: 0 } });
    await expectProblem(await sendRequest(`${API}/admin/users`, { as: data.access_token }), 403, "forbidden");
  });

  it("rejects every other field, and reads nothing from headers or the query", async () => {
    const extra = {
      hospital_id: SELF_CARE_HOSPITAL_ID,
      is_active: true,
      is_admin: 1,
      failed_attempts: 0,
      patient_uid: "x",
      verified: true,
    };
    for (const [name, value] of Object.entries(extra)) {
      const { status, errors } = await readJson(await register(someone({ [name]: value })));
      expect({ status, errors }).toMatchObject({ status: 400, errors: [{ path: name, code: "unknown_field" }] });
    }
    const { data } = await readJson(
      await register(someone(), { headers: { "X-Hospital-Id": await newHospital(), "X-Role": "admin" } }),
    );
    expect(data).toMatchObject({ role: "patient", hospital_id: null });
  });

  it("rejects a password that contains the person's name or address", async () => {
    const { status, errors } = await readJson(await register(someone({ password: "meera-iyer-12345" })));
    expect({ status, code: errors[0].code }).toEqual({ status: 400, code: "weak_password" });
  });
});

describe("a name that is taken", () => {
  async function told(json: object) {
    const response = await register(json);
    const id = response.headers.get("x-request-id") ?? "";
    const text = (await response.text()).replace(/"(error_id|request_id)":"[^"]{36}"/g, '"$1":"#"');
    const headers = [...response.headers].filter(([name]) => name !== "x-request-id");
    return { id, seen: JSON.stringify([response.status, text, headers]) };
  }

  it("gets one answer after one hash, whether it is the address or the user name, and leaves nothing behind", async () => {
    const known = await newPerson("nurse", await newHospital());
    const hashes = vi.spyOn(crypto, "scrypt");
    const logs = captureLogs();
    const [patients, rows] = [await total("patients"), await count("SELECT count(*) AS n FROM users")];
    const seen = new Set<string>();
    for (const json of [
      someone({ email: known.email }),
      someone({ email: known.email.toUpperCase() }),
      someone({ username: known.username }),
      someone({ email: known.email, username: known.username }),
    ]) {
      hashes.mockClear();
      const answer = await told(json);
      seen.add(answer.seen);
      expect(hashes).toHaveBeenCalledTimes(1);
      const events = await readAuditEvents(answer.id);
      expect(events).toMatchObject([
        { event: "user.register", outcome: "denied", reason: "registration_refused", actor_id: null },
      ]);
      expect(JSON.stringify(events)).not.toContain("example.org");
    }
    expect([...seen]).toEqual([expect.stringContaining("registration_refused")]);
    expect([await total("patients"), await count("SELECT count(*) AS n FROM users")]).toEqual([patients, rows]);
    expect(logs()).not.toContain("example.org");
  });

  it("fifty times at once becomes one account with one record; the others hear the one refusal", {
    timeout: 180_000,
  }, async () => {
    const of = withRandomDelays(env);
    const json = someone();
    const answers = await Promise.all(Array.from({ length: 50 }, () => register(json, { env: of })));
    const bodies = await Promise.all(answers.map(readJson));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(bodies.filter(({ code }) => code === "registration_refused")).toHaveLength(49);
    const made = bodies.find(({ data }) => data)?.data;
    const links = "SELECT count(*) AS n FROM patient_links WHERE user_id = ?";
    expect(await count(links, made.user_id)).toBe(1);
    expect(await count("SELECT count(*) AS n FROM patients WHERE created_by = ?", made.user_id)).toBe(1);
  });

  it("would become several by a look-up that is followed by an insert (the known-bad twin)", async () => {
    const { DB } = withRandomDelays(env);
    await DB.prepare("CREATE TABLE naive_users (id TEXT PRIMARY KEY, email TEXT NOT NULL)").run();
    const naive = async () => {
      if (await DB.prepare("SELECT 1 FROM naive_users WHERE email = 'e'").first()) return;
      await DB.prepare("INSERT INTO naive_users VALUES (?, 'e')").bind(uniqueText()).run();
    };
    await Promise.all(Array.from({ length: 50 }, naive));
    expect(await count("SELECT count(*) AS n FROM naive_users")).toBeGreaterThan(1);
  });

  it("runs the same steps as a free one up to the one hash, and one more round trip for the audit log", async () => {
    const { email } = await newPerson("nurse", await newHospital());
    const attempt = (json: object) => stepsOf((of) => register(json, { env: of }));
    const [taken, free] = [await attempt(someone({ email })), await attempt(someone())];
    expect(taken.filter((step) => step.startsWith("scrypt"))).toHaveLength(1);
    expect(taken).toEqual([...free, "DB batch"]);
    // The known-bad twin: looks up first, and hashes only for new addresses.
    const naive = await stepsOf(({ DB }) => DB.prepare("SELECT id FROM users WHERE email_index = ?").bind(uniqueText()).first());
    expect(naive).not.toEqual(free);
  });
});

describe("the registration rate limit", () => {
  const of = { ...env, RATE_SIGNUP: bindings.RATE_TEST_TEN };

  it("counts valid registrations of an address, tells nothing, and costs no hash", async () => {
    const hashes = vi.spyOn(crypto, "scrypt");
    const { statuses, last } = await withinOneMinute(async () => {
      const ip = newAddress();
      const statuses: number[] = [];
      for (let i = 0; i < 11; i++) {
        const path = i % 2 ? "register" : "register/patient";
        statuses.push((await sendRequest(`${API}/auth/${path}`, { json: someone(), env: of, ip })).status);
      }
      hashes.mockClear();
      return { statuses, last: await register(someone({ email: "asha@example.org" }), { env: of, ip }) };
    });
    expect(statuses).toEqual([...Array(10).fill(201), 429]);
    expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(last.headers.get("ratelimit-policy")).toBe('"signup";q=20;w=60');
    expect((await readJson(last)).code).toBe("rate_limited");
    expect(hashes).not.toHaveBeenCalled();
    expect((await register(someone(), { env: of, ip: "192.0.2.251" })).status).toBe(201);
  });

  it("leaves invitations, password links and device claims behind the same address alone, as invalid bodies do", async () => {
    const world = await newWorld();
    const answers = await withinOneMinute(async () => {
      // New ones each time: both can be used once.
      const invitation = await readJson(
        await sendRequest(`${API}/users/invite`, {
          as: world.manager,
          json: { email: `${uniqueText()}@example.org`, role: "nurse", hospital_id: world.hospitalId },
        }),
      );
      const device = await newDevice(world.nurse, null);
      const issued = await readJson(
        await sendRequest(`${API}/devices/${device.id}/claim-code`, { as: world.nurse, method: "POST" }),
      );
      const ip = newAddress();
      const post = async (path: string, json: object) => (await sendRequest(API + path, { json, env: of, ip })).status;
      const invalid: number[] = [];
      for (const path of ["/auth/register", "/auth/invitations/accept", "/auth/password/reset", "/devices/claim"]) {
        for (let i = 0; i < 12; i++) invalid.push(await post(path, {}));
      }
      for (let i = 0; i < 12; i++) await post("/auth/register", someone());
      const link = { token: invitation.data.token, password: PHRASE, full_name: "Ravi Kumar" };
      return {
        invalid,
        refused: await post("/auth/register", someone()),
        accepted: await post("/auth/invitations/accept", link),
        claimed: await post("/devices/claim", { code: issued.data.code }),
      };
    });
    expect(answers).toEqual({ invalid: Array(48).fill(400), refused: 429, accepted: 201, claimed: 201 });
  });
});
