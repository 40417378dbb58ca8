// Fails the k-th store call of every route of the main job, before it happens and after it committed, for every k there is.
import { beforeAll, describe, expect, it } from "vitest";
import { emailIndex } from "../../src/auth/names.ts";
import { keysOf } from "../../src/config.ts";
import { cleanUp } from "../../src/cron.ts";
import { failing, type StoreCall } from "../stores.ts";
import {
  API,
  ask,
  env,
  newDevice,
  newHospital,
  newLogin,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  PASSWORD,
  read,
  unique,
  upload,
  uploadRaw,
  type World,
} from "../world.ts";
import { namedKeys, openEveryReport, storedKeys } from "./evidence.ts";

let world: World;
let device: { token: string };
let reportId: string;
beforeAll(async () => {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id);
  const sent = await upload(world.nurse, newPdf(), { patient_id: world.patient.id, metrics: '{"heart_rate":70}' });
  reportId = (await read(sent)).data.report_id;
});

/** One request that can be sent again as it was: same body, same key. */
type Attempt = { send(env: Env): Promise<Response>; effects?(): Promise<number> };
type Route = {
  name: string;
  status: number;
  attempt(): Promise<Attempt>;
  retry: "once" | "any" | "none" /** What a retry of a lost success hears; 412 unless told. */;
  used?: number;
};

const PHRASE = "lanterns over seven hills";
const METRICS = JSON.stringify({ heart_rate: 64, note: "kept" });
const keyed = () => ({ headers: { "Idempotency-Key": `fault-${unique()}` } });
const reportsWith = async (pdf: Uint8Array<ArrayBuffer>): Promise<number> => {
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", pdf)).toString("hex");
  const row = await env.DB.prepare("SELECT count(*) AS n FROM reports WHERE sha256 = ?").bind(digest).first<{ n: number }>();
  return row?.n ?? -1;
};

/** How often a row has been changed since it was made. */
const versionsOf = (table: "hospitals" | "wards" | "practitioners", id: string) =>
  // biome-ignore lint/plugin: constants of this file.
  count(env.DB.prepare(`SELECT version - 1 AS n FROM ${table} WHERE id = ?`).bind(id));

function uploads(name: string, send: (pdf: Uint8Array<ArrayBuffer>, options: object) => Promise<Response>): Route {
  return {
    name,
    status: 201,
    retry: "once",
    async attempt() {
      const [pdf, options] = [newPdf(unique(), 70_000), keyed()];
      return { send: (faulty) => send(pdf, { ...options, env: faulty }), effects: () => reportsWith(pdf) };
    },
  };
}

function reads(name: string, path: () => string, as = () => world.doctor): Route {
  return {
    name,
    status: 200,
    retry: "any",
    attempt: async () => ({ send: (faulty) => ask(path(), { as: as(), env: faulty }) }),
  };
}

async function newQuarantined(): Promise<string> {
  const unbound = await newDevice(world.nurse, null);
  return (await read(await upload(unbound, newPdf(unique(), 70_000), { metrics: METRICS }))).data.upload_id;
}

const routes: Route[] = [
  uploads("POST /reports, multipart, device", (pdf, o) => upload(device, pdf, { metrics: METRICS }, o)),
  uploads("POST /reports, multipart, nurse", (pdf, o) =>
    upload(world.nurse, pdf, { patient_id: world.patient.id, metrics: METRICS }, o),
  ),
  uploads("POST /reports, raw, nurse", (pdf, o) => uploadRaw(world.nurse, pdf, `?patient_id=${world.patient.id}`, o)),
  reads("GET /reports", () => `${API}/reports`),
  reads("GET /reports/{id}", () => `${API}/reports/${reportId}`),
  reads("GET /reports/{id}/file, token", () => `${API}/reports/${reportId}/file`),
  reads("GET /reports/stats", () => `${API}/reports/stats`),
  reads(
    "GET /uploads",
    () => `${API}/uploads`,
    () => world.nurse,
  ),
  reads(
    "GET /admin/reports",
    () => `${API}/admin/reports`,
    () => world.admin,
  ),
  reads(
    "GET /admin/stats",
    () => `${API}/admin/stats`,
    () => world.admin,
  ),
  reads(
    "GET /uploads/quarantine",
    () => `${API}/uploads/quarantine`,
    () => world.nurse,
  ),
  {
    name: "POST /uploads/{id}/assign",
    status: 201,
    retry: "none",
    used: 200,
    async attempt() {
      const id = await newQuarantined();
      const options = { as: world.nurse, json: { patient_id: world.patient.id } };
      return {
        send: (faulty) => ask(`${API}/uploads/${id}/assign`, { ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM reports WHERE id = ?").bind(id)),
      };
    },
  },
  {
    name: "POST /uploads/{id}/discard",
    status: 200,
    retry: "any",
    async attempt() {
      const id = await newQuarantined();
      const key = await env.DB.prepare("SELECT file_key FROM uploads WHERE id = ?").bind(id).first<string>("file_key");
      const options = { as: world.nurse, json: { reason: "a test print" } };
      return {
        send: (faulty) => ask(`${API}/uploads/${id}/discard`, { ...options, env: faulty }),
        effects: async () => ((await env.FILES.head(key ?? "")) ? 0 : 1),
      };
    },
  },
  {
    name: "POST /reports/direct",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, pdf] = [keyed(), newPdf()];
      const digest = Buffer.from(await crypto.subtle.digest("SHA-256", pdf)).toString("hex");
      const json = { patient_id: world.patient.id, size: pdf.length, sha256: digest };
      const begun = env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE sha256 = ? AND outcome = 'awaiting'");
      return {
        send: (faulty) => ask(`${API}/reports/direct`, { as: world.nurse, json, ...options, env: faulty }),
        effects: () => count(begun.bind(digest)),
      };
    },
  },
  reads("GET /patients", () => `${API}/patients`),
  reads("GET /patients/{id}", () => `${API}/patients/${world.patient.id}`),
  reads("GET /patients/search", () => `${API}/patients/search?q=first`),
  reads("GET /patients/{id}/summary", () => `${API}/patients/${world.patient.id}/summary`),
  reads("GET /patients/{id}/intake", () => `${API}/patients/${world.patient.id}/intake`),
  reads(
    "GET /patients/{id}/links",
    () => `${API}/patients/${world.patient.id}/links`,
    () => world.nurse,
  ),
  reads(
    "GET /api-keys",
    () => `${API}/api-keys`,
    () => world.manager,
  ),
  {
    name: "POST /patients, with a number",
    status: 201,
    retry: "once",
    async attempt() {
      const json = { first_name: "Uma", phone: `+91 ${Math.floor(1e9 + Math.random() * 8e9)}`, aadhaar_number: "999999990019" };
      const options = { as: world.nurse, json, ...keyed() };
      const find = `${API}/patients/search?q=${json.phone.replace(/\D/g, "").slice(2)}`;
      return {
        send: (faulty) => ask(`${API}/patients`, { ...options, env: faulty }),
        effects: async () => (await read(await ask(find, { as: world.nurse }))).data.length,
      };
    },
  },
  {
    name: "POST /patients/{id}/intake",
    status: 201,
    retry: "once",
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const options = { as: world.nurse, json: { symptoms: ["cough"] }, ...keyed() };
      return {
        send: (faulty) => ask(`${API}/patients/${id}/intake`, { ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM intake_responses WHERE patient_id = ?").bind(id)),
      };
    },
  },
  {
    name: "POST /patients/claim",
    status: 200,
    retry: "none",
    used: 404,
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const { data } = await read(await ask(`${API}/patients/${id}/claim-codes`, { as: world.nurse, method: "POST" }));
      const person = await newPerson("patient");
      return {
        send: (faulty) => ask(`${API}/patients/claim`, { as: person, json: { code: data.code }, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM patient_links WHERE patient_id = ?").bind(id)),
      };
    },
  },
  {
    name: "DELETE /patients/{id}",
    status: 200,
    retry: "none",
    used: 404,
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const options = { as: world.manager, method: "DELETE", headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/patients/${id}`, { ...options, env: faulty }),
        effects: async () => 1 - (await count(env.DB.prepare("SELECT count(*) AS n FROM patients WHERE id = ?").bind(id))),
      };
    },
  },
  {
    name: "POST /api-keys",
    status: 201,
    retry: "once",
    async attempt() {
      const json = { name: `key ${unique()}`, scopes: ["patient:read"] };
      const options = { as: world.manager, json, ...keyed() };
      return {
        send: (faulty) => ask(`${API}/api-keys`, { ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM credentials WHERE name = ?").bind(json.name)),
      };
    },
  },
  {
    name: "GET /reports/{id}/file, link",
    status: 200,
    retry: "any",
    async attempt() {
      const { data } = await read(await ask(`${API}/reports/${reportId}`, { as: world.doctor }));
      return { send: (faulty) => ask(data.download_url, { env: faulty }) };
    },
  },
  {
    name: "POST /patients",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, nurse] = [keyed(), await newPerson("nurse", world.hospitalId)];
      const json = { first_name: "Uma", last_name: `canary-${unique()}` };
      return {
        send: (faulty) => ask(`${API}/patients`, { as: nurse, json, ...options, env: faulty }),
        async effects() {
          const made = env.DB.prepare("SELECT count(*) AS n FROM patients WHERE created_by = ?").bind(nurse.id);
          return (await made.first<{ n: number }>())?.n ?? -1;
        },
      };
    },
  },
  {
    name: "PATCH /patients/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const patient = await newPatient(world.hospitalId, world.nurse);
      const change = { as: world.nurse, method: "PATCH", json: { notes: "changed" }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/patients/${patient.id}`, { ...change, env: faulty }),
        async effects() {
          const { data } = await read(await ask(`${API}/patients/${patient.id}`, { as: world.nurse }));
          expect(data.version === 1 || data.notes === "changed").toBe(true);
          return data.version - 1;
        },
      };
    },
  },
  reads("GET /hospitals", () => `${API}/hospitals`),
  reads(
    "GET /hospitals/{id}/members",
    () => `${API}/hospitals/${world.hospitalId}/members`,
    () => world.manager,
  ),
  reads("GET /wards", () => `${API}/wards`),
  reads("GET /practitioners", () => `${API}/practitioners`),
  {
    name: "PATCH /hospitals/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const home = await newHospital();
      const change = { as: world.admin, method: "PATCH", json: { address: "changed" }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/hospitals/${home}`, { ...change, env: faulty }),
        effects: () => versionsOf("hospitals", home),
      };
    },
  },
  {
    name: "DELETE /hospitals/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const home = await newHospital();
      const nurse = await newPerson("nurse", home);
      const end = { as: world.admin, method: "DELETE", headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/hospitals/${home}`, { ...end, env: faulty }),
        async effects() {
          const changes = await versionsOf("hospitals", home);
          const revoked = env.DB.prepare("SELECT count(revoked_at) AS n FROM sessions WHERE id = ?").bind(nurse.sessionId);
          expect(await count(revoked)).toBe(changes);
          return changes;
        },
      };
    },
  },
  {
    name: "POST /wards",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, name] = [keyed(), `Ward ${unique()}`];
      return {
        send: (faulty) => ask(`${API}/wards`, { as: world.manager, json: { name }, ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM wards WHERE name = ?").bind(name)),
      };
    },
  },
  {
    name: "PATCH /wards/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const made = await read(await ask(`${API}/wards`, { as: world.manager, json: { name: `Ward ${unique()}` } }));
      const id: string = made.data.ward_id;
      const change = { as: world.manager, method: "PATCH", json: { is_active: false }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/wards/${id}`, { ...change, env: faulty }),
        effects: () => versionsOf("wards", id),
      };
    },
  },
  {
    name: "POST /practitioners",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, doctor] = [keyed(), await newPerson("doctor", world.hospitalId)];
      const json = { user_id: doctor.id, about: "canary" };
      return {
        send: (faulty) => ask(`${API}/practitioners`, { as: world.manager, json, ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM practitioners WHERE user_id = ?").bind(doctor.id)),
      };
    },
  },
  {
    name: "PATCH /practitioners/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const doctor = await newPerson("doctor", world.hospitalId);
      const made = await ask(`${API}/practitioners`, { as: world.manager, json: { user_id: doctor.id } });
      const id: string = (await read(made)).data.practitioner_id;
      const change = { as: doctor, method: "PATCH", json: { about: "changed" }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/practitioners/${id}`, { ...change, env: faulty }),
        effects: () => versionsOf("practitioners", id),
      };
    },
  },
  {
    name: "PUT /hospitals/{id}/members/{user_id}",
    status: 200,
    retry: "any",
    async attempt() {
      const doctor = await newPerson("doctor", world.hospitalId);
      const path = `${API}/hospitals/${world.hospitalId}/members/${doctor.id}`;
      const role = env.DB.prepare("SELECT role = 'nurse' AS n FROM memberships WHERE user_id = ?").bind(doctor.id);
      return {
        send: (faulty) => ask(path, { as: world.manager, method: "PUT", json: { role: "nurse" }, env: faulty }),
        effects: () => count(role),
      };
    },
  },
  {
    name: "POST /auth/register",
    status: 201,
    retry: "none",
    used: 409,
    async attempt() {
      const json = { email: `${unique()}@example.org`, password: PHRASE, full_name: `Canary ${unique()}` };
      const index = await emailIndex(await keysOf(env), json.email);
      return {
        send: (faulty) => ask(`${API}/auth/register`, { json, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM users WHERE email_index = ?").bind(index)),
      };
    },
  },
  {
    name: "POST /users/invite",
    status: 201,
    retry: "once",
    async attempt() {
      const manager = await newPerson("hospital_admin", world.hospitalId);
      const options = { as: manager, json: { email: `${unique()}@example.org`, role: "nurse" }, ...keyed() };
      return {
        send: (faulty) => ask(`${API}/users/invite`, { ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM invitations WHERE created_by = ?").bind(manager.id)),
      };
    },
  },
  {
    name: "POST /auth/invitations/accept",
    status: 201,
    retry: "none",
    used: 403,
    async attempt() {
      const json = { email: `${unique()}@example.org`, full_name: "Ravi Kumar", role: "nurse" };
      const { data } = await read(await ask(`${API}/users/invite`, { as: world.manager, json }));
      const taken = env.DB.prepare(
        "SELECT count(*) AS n FROM memberships WHERE user_id = (SELECT accepted_by FROM invitations WHERE id = ?)",
      );
      const accept = { token: data.token, password: PHRASE };
      return {
        send: (faulty) => ask(`${API}/auth/invitations/accept`, { json: accept, env: faulty }),
        effects: () => count(taken.bind(data.invitation_id)),
      };
    },
  },
  {
    name: "POST /auth/password/reset",
    status: 200,
    retry: "none",
    used: 403,
    async attempt() {
      const { id } = await newPerson("nurse", world.hospitalId);
      const { data } = await read(await ask(`${API}/users/${id}/password-reset`, { as: world.manager, method: "POST" }));
      const json = { token: data.token, new_password: PHRASE };
      const used = env.DB.prepare("SELECT count(*) AS n FROM password_resets WHERE user_id = ? AND used_at IS NOT NULL");
      return {
        send: (faulty) => ask(`${API}/auth/password/reset`, { json, env: faulty }),
        effects: () => count(used.bind(id)),
      };
    },
  },
  {
    name: "PATCH /users/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const { id } = await newPerson("nurse", world.hospitalId);
      const change = { as: world.manager, method: "PATCH", json: { is_active: false }, headers: { "If-Match": '"1"' } };
      const off = env.DB.prepare("SELECT count(*) AS n FROM memberships WHERE user_id = ? AND suspended_at IS NOT NULL");
      return {
        send: (faulty) => ask(`${API}/users/${id}`, { ...change, env: faulty }),
        effects: () => count(off.bind(id)),
      };
    },
  },
  {
    name: "POST /auth/login",
    status: 200,
    retry: "any",
    async attempt() {
      const { email } = await newPerson("nurse", world.hospitalId);
      return { send: (faulty) => ask(`${API}/auth/login`, { json: { email, password: PASSWORD }, env: faulty }) };
    },
  },
  {
    name: "POST /auth/refresh",
    status: 200,
    retry: "any",
    async attempt() {
      const session = await newLogin(world.nurse.id, { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" });
      return { send: (faulty) => ask(`${API}/auth/refresh`, { json: { refresh_token: session.refresh }, env: faulty }) };
    },
  },
];

const count = async (statement: D1PreparedStatement): Promise<number> => (await statement.first<{ n: number }>())?.n ?? -1;
const eventsOf = (id: string, event: string) =>
  count(env.DB.prepare("SELECT count(*) AS n FROM audit_events WHERE request_id = ? AND event = ?").bind(id, event));

/** State and trace of one request stand or fall together. */
async function expectTraced(response: Response): Promise<void> {
  const id = response.headers.get("x-request-id") ?? "";
  const stored = env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE request_id = ? AND outcome = 'stored'").bind(id);
  expect(await eventsOf(id, "report.create")).toBe(await count(stored));
}

async function expectHonest(response: Response): Promise<void> {
  const text = await response.text();
  expect({ status: response.status, type: response.headers.get("content-type") }).toEqual({
    status: 503,
    type: "application/problem+json",
  });
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(JSON.parse(text)).toMatchObject({ code: "unavailable", errors: [] });
  expect(text).not.toMatch(/canary|D1_ERROR|injected|SELECT|INSERT|First-/);
  await expectTraced(response);
}

/** Sends one request of a route with each of its calls to one store failing in turn. @returns how many faults fired */
async function failEach(
  route: Route,
  when: "before" | "after",
  store: StoreCall["store"],
  check: (response: Response, attempt: Attempt) => Promise<void>,
): Promise<number> {
  for (let k = 1; k <= 20; k++) {
    const attempt = await route.attempt();
    const faulty = failing(env, k, when, store);
    const response = await attempt.send(faulty.env);
    if (!faulty.fault.fired) {
      expect(response.status, "without a fault").toBe(route.status);
      await response.body?.cancel();
      return k - 1;
    }
    await check(response, attempt);
  }
  throw new Error(`${route.name} calls ${store} more than 20 times`);
}

const injected: Record<string, number> = {};

describe.each(routes)("$name", (route) => {
  it.each(["before", "after"] as const)("fails honestly %s each call, and a retry has one effect", async (when) => {
    for (const store of ["DB", "FILES"] as const) {
      const fired = await failEach(route, when, store, async (response, attempt) => {
        await expectHonest(response);
        const effects = (await attempt.effects?.()) ?? 0;
        expect(effects).toBeLessThanOrEqual(when === "before" ? 0 : 1);
        const again = await attempt.send(env);
        const stale = route.retry === "none" && effects === 1;
        expect(again.status).toBe(stale ? (route.used ?? 412) : route.status);
        if (attempt.effects) expect(await attempt.effects()).toBe(1);
        await again.body?.cancel();
      });
      injected[`${route.name} ${when} ${store}`] = fired;
    }
    expect(injected[`${route.name} ${when} DB`]).toBeGreaterThan(0);
  });

  it("does not need KV", async () => {
    for (const when of ["before", "after"] as const) {
      const fired = await failEach(route, when, "KV", async (response) => {
        expect(response.status).toBe(route.status);
        await response.body?.cancel();
      });
      expect(fired).toBeGreaterThan(0);
      injected[`${route.name} ${when} KV`] = fired;
    }
  });
});

describe("the known-bad twin", () => {
  it("that answers before it has written is caught by the same check", async () => {
    const id = unique();
    const naive: Route = {
      name: "naive",
      status: 201,
      retry: "once",
      attempt: async () => ({
        async send(faulty) {
          const write = faulty.DB.prepare("INSERT INTO deployment (name, value) VALUES (?, 'x')")
            .bind(id + unique())
            .run();
          await write.catch(() => undefined);
          return new Response("{}", { status: 201 });
        },
      }),
    };
    await expect(failEach(naive, "before", "DB", (response) => expectHonest(response))).rejects.toThrow();
    expect(await failEach(naive, "before", "DB", async () => {})).toBe(1);
  });
});

describe("after all these faults", () => {
  it("every report opens to its bytes, and a sweep leaves exactly the objects that rows name", async () => {
    const reports = await openEveryReport();
    expect(reports).toBeGreaterThan(20);
    const orphans = (await storedKeys()).length - (await namedKeys()).length;
    expect(orphans).toBeGreaterThan(0);
    await cleanUp(env, Date.now() + 2 * 3_600_000);
    expect((await storedKeys()).sort()).toEqual((await namedKeys()).sort());
    expect(await openEveryReport()).toBe(reports);
  });

  it("says how many were injected", async ({ annotate }) => {
    const total = Object.values(injected).reduce((sum, n) => sum + n, 0);
    expect(total).toBeGreaterThan(100);
    await annotate(`${total} faults injected into ${routes.length} routes of the main job`);
  });
});
