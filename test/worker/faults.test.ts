// Fails the k-th store call of every route of the main job, before it happens and after it committed, for every k there is.
import { beforeAll, describe, expect, it } from "vitest";
import { cleanUp } from "../../src/cron.ts";
import { failing, type StoreCall } from "../stores.ts";
import {
  API,
  ask,
  env,
  newDevice,
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
type Route = { name: string; status: number; attempt(): Promise<Attempt>; retry: "once" | "any" | "none" };

const METRICS = JSON.stringify({ heart_rate: 64, note: "kept" });
const keyed = () => ({ headers: { "Idempotency-Key": `fault-${unique()}` } });
const reportsWith = async (pdf: Uint8Array<ArrayBuffer>): Promise<number> => {
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", pdf)).toString("hex");
  const row = await env.DB.prepare("SELECT count(*) AS n FROM reports WHERE sha256 = ?").bind(digest).first<{ n: number }>();
  return row?.n ?? -1;
};

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
  reads("GET /patients", () => `${API}/patients`),
  reads("GET /patients/{id}", () => `${API}/patients/${world.patient.id}`),
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
        expect(again.status).toBe(stale ? 412 : route.status);
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
