// GET /metrics: requires METRICS_TOKEN, strict Prometheus text format, and values equal to those in the stores.
import { env as bindings } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { handOverStaged } from "../../src/audit-log/hand-over.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import { withCounters } from "../stores.ts";
import { captureLogs, expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  listLoggedEvents,
  newDevice,
  newLogin,
  newPdf,
  newWorld,
  type RequestOptions,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const TOKEN = env.METRICS_TOKEN ?? "";
const scrape = (options: RequestOptions = {}) => sendRequest("/metrics", { as: TOKEN, ...options });
const sqlRun = (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  env.DB.prepare(query)
    .bind(...values)
    .run();
const count = async (what: string): Promise<number> =>
  // biome-ignore lint/plugin: constants of this file.
  (await env.DB.prepare(`SELECT count(*) AS n FROM ${what}`).first<number>("n")) ?? -1;

type Family = { help: string; type: string; samples: Map<string, number> };
const LABELS = /^\{([a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*)\}$/;

/** The text format 0.0.4, more strictly than Prometheus reads it: each name once, HELP and TYPE before its samples. */
function parse(text: string): Map<string, Family> {
  if (!text.endsWith("\n") || text.includes("\n\n") || text.includes("\r")) throw new Error("lines");
  const families = new Map<string, Family>();
  let open = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const help = /^# HELP ([a-z_:][a-z0-9_:]*) ((?:[^\\]|\\[\\n])+)$/.exec(line);
    const type = /^# TYPE ([a-z_:][a-z0-9_:]*) (gauge)$/.exec(line);
    const sample = /^([a-z_:][a-z0-9_:]*)(\{.*\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line);
    if (help) {
      open = help[1] ?? "";
      if (families.has(open)) throw new Error(`again: ${line}`);
      families.set(open, { help: help[2] ?? "", type: "", samples: new Map() });
      continue;
    }
    const family = families.get(open);
    if (type && type[1] === open && family && !family.type && family.samples.size === 0) family.type = type[2] ?? "";
    else if (sample && sample[1] === open && family?.type && (!sample[2] || LABELS.test(sample[2]))) {
      if (family.samples.has(sample[2] ?? "")) throw new Error(`again: ${line}`);
      family.samples.set(sample[2] ?? "", Number(sample[3]));
    } else throw new Error(`not the format: ${line}`);
  }
  return families;
}

async function gauges(options: RequestOptions = {}) {
  const response = await scrape(options);
  expect(response.status).toBe(200);
  const families = parse(await response.text());
  return (name: string, labels = "") => families.get(`edgecare_${name}`)?.samples.get(labels) ?? 0;
}

describe("who may scrape", () => {
  it("is a client with the token; any other is unauthenticated", async () => {
    expect(TOKEN.length).toBeGreaterThanOrEqual(32);
    expect((await scrape()).status).toBe(200);
    const wrong = [null, "", "x", `${TOKEN}x`, TOKEN.slice(1), TOKEN.toUpperCase(), world.admin.token, env.BOOTSTRAP_TOKEN];
    for (const as of wrong) await expectProblem(await scrape({ as }), 401, "unauthenticated");
    for (const Authorization of [TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN} x`, `Bearer ${TOKEN},Bearer ${TOKEN}`]) {
      await expectProblem(await sendRequest("/metrics", { headers: { Authorization } }), 401, "unauthenticated");
    }
    // The route has no query parameters, so a token in the URL is refused like any other.
    await expectProblem(await sendRequest(`/metrics?token=${TOKEN}`), 400, "invalid_request");
    expect((await sendRequest("/metrics", { headers: { Authorization: `bearer ${TOKEN}` } })).status).toBe(200);
  });

  it("is denied to everybody where no token is set", async () => {
    for (const value of [undefined, ""]) {
      const without = { ...env };
      Reflect.deleteProperty(without, "METRICS_TOKEN");
      const of: Env = value === undefined ? without : { ...without, METRICS_TOKEN: value };
      for (const as of [TOKEN, "", null, world.admin.token]) await expectProblem(await scrape({ as, env: of }), 404, "not_found");
      expect((await sendRequest(`${API}/devices`, { as: world.nurse, env: of })).status).toBe(200);
    }
  });

  it("is limited by address, with a right token and with a wrong one", async () => {
    const of: Env = { ...env, RATE_ADDRESS: bindings.RATE_TEST };
    for (const [ip, as] of [
      ["192.0.2.1", TOKEN],
      ["192.0.2.2", "wrong"],
    ] as const) {
      let last = 0;
      for (let i = 0; i < 205 && last !== 429; i++) last = (await scrape({ as, env: of, ip })).status;
      expect(last).toBe(429);
    }
    expect((await scrape({ env: of, ip: "192.0.2.3" })).status).toBe(200);
  });

  it("an unfit token stops the deployment as any unfit secret does, and is named, not shown", async () => {
    const unfit = ["short", "change-me-in-production-please-0123456789", "a".repeat(40), env.LINK_KEY, env.BOOTSTRAP_TOKEN];
    for (const value of unfit) {
      const logs = captureLogs();
      const of: Env = { ...env, METRICS_TOKEN: value };
      await expectProblem(await scrape({ as: value, env: of }), 503, "misconfigured");
      await expectProblem(await sendRequest(`${API}/devices`, { as: world.nurse, env: of }), 503, "misconfigured");
      expect(logs()).toContain('"variable":"METRICS_TOKEN"');
      expect(logs()).not.toContain(value);
      vi.restoreAllMocks();
    }
  });

  it("leaves no token in the log and no audit event", async () => {
    const logs = captureLogs();
    const first = (await listLoggedEvents()).length;
    await scrape();
    await scrape({ as: "wrong-token-of-nobody" });
    expect(logs()).not.toContain(TOKEN);
    expect(logs()).not.toContain("wrong-token");
    expect((await listLoggedEvents()).length).toBe(first);
  });
});

describe("the text", () => {
  it("is the exposition format, of gauges alone, and no label or help names anybody", async () => {
    await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id });
    const response = await scrape();
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const text = await response.text();
    const families = parse(text);
    expect(families.size).toBeGreaterThanOrEqual(14);
    for (const [name, { help, type }] of families) {
      expect([name.startsWith("edgecare_"), help.length > 10, type]).toEqual([true, true, "gauge"]);
    }
    expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}|canary|@|Hospital |\d{11}/);
    const labels = [...text.matchAll(/([a-z_]+)="([^"]*)"/g)];
    expect(new Set(labels.map(([, name]) => name))).toEqual(new Set(["kind", "status", "outcome"]));
    for (const [, , value] of labels) expect(value).toMatch(/^[a-z-]+$/);
  });

  it("is read by something that sees a broken line", () => {
    const head = "# HELP a_b Help\n# TYPE a_b gauge\n";
    expect(parse(`${head}a_b{x="\\"\\\\\\n"} 1\n`).get("a_b")?.samples.size).toBe(1);
    const broken = [
      `${head}a_b 1`,
      "# TYPE a_b gauge\n# HELP a_b Help\na_b 1\n",
      "# HELP a_b Help\na_b 1\n",
      "a_b 1\n",
      `${head}a_b 1\na_b 2\n`,
      `${head}a_b{x="a"b"} 1\n`,
      `${head}a_b{x="a\\b"} 1\n`,
      `${head}a_b NaN1\n`,
      `${head}a_b null\n`,
      `${head}c_d 1\n`,
      `${head}\na_b 1\n`,
      `${head}a_b 1\n${head}`,
    ];
    for (const text of broken) expect(() => parse(text), text).toThrow();
  });
});

describe("the numbers", () => {
  it("move as the tables do when things are made through the front door", async () => {
    const tables = { accounts: "users", hospitals: "hospitals", patients: "patients", devices: "devices" };
    const [first, rows] = [await gauges(), await recount(tables)];
    const hospital = await sendRequest(`${API}/hospitals`, { as: world.admin, json: { name: `Hospital ${uniqueText()}` } });
    expect(hospital.status).toBe(201);
    const account = {
      email: `${uniqueText()}@example.org`,
      full_name: "Ira Menon",
      password: "quiet river stones",
      role: "nurse",
    };
    expect((await sendRequest(`${API}/users`, { as: world.manager, json: account })).status).toBe(201);
    for (const first_name of ["Asha", "Ravi"]) {
      expect((await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name } })).status).toBe(201);
    }
    await newDevice(world.nurse, world.patient.id);
    const [last, now] = [await gauges(), await recount(tables)];
    for (const name of Object.keys(tables)) {
      expect([name, last(name) - first(name)]).toEqual([name, (now[name] ?? 0) - (rows[name] ?? 0)]);
    }
    expect(last("patients") - first("patients")).toBe(2);
  });

  it("of reports and uploads are those of the tables", async () => {
    const device = await newDevice(world.nurse, world.patient.id);
    const unbound = await newDevice(world.nurse, null);
    const same = newPdf();
    await uploadReport(device, same, { patient_id: world.patient.id });
    await uploadReport(device, same, { patient_id: world.patient.id });
    await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id, kind: "cpap" });
    expect((await uploadReport(unbound, newPdf())).status).toBe(202);
    await uploadReport(world.nurse, new Uint8Array(Buffer.from("no PDF")), { patient_id: world.patient.id });
    const value = await gauges();
    const reports = await env.DB.prepare("SELECT kind, status, count(*) AS n FROM reports GROUP BY 1, 2").all();
    expect(reports.results.length).toBeGreaterThanOrEqual(2);
    for (const { kind, status, n } of reports.results) {
      expect(value("reports", `{kind="${kind}",status="${status}"}`), `${kind} ${status}`).toBe(n);
    }
    const attempts = await env.DB.prepare("SELECT outcome, count(*) AS n FROM uploads GROUP BY 1").all();
    expect(attempts.results.map(({ outcome }) => outcome).sort()).toEqual(["duplicate", "quarantined", "refused", "stored"]);
    for (const { outcome, n } of attempts.results) expect(value("uploads_last_hour", `{outcome="${outcome}"}`)).toBe(n);
    expect(value("uploads_quarantined")).toBe(await count("uploads WHERE outcome = 'quarantined'"));
  });

  it("of uploads leave out what is older than an hour; those that wait are counted whenever they came", async () => {
    const first = await gauges();
    await sqlRun(`INSERT INTO uploads (id, actor_kind, actor_id, outcome, request_id, created_at)
      VALUES ('old', 'user', 'x', 'awaiting', 'x', 1)`);
    const last = await gauges();
    expect(last("uploads_awaiting")).toBe(first("uploads_awaiting") + 1);
    expect(last("uploads_last_hour", '{outcome="awaiting"}')).toBe(0);
  });

  it("of sessions are the live ones, of failures those that count", async () => {
    const first = await gauges();
    expect(first("sessions_live")).toBe(await count("sessions"));
    const standing = { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" } as const;
    const login = await newLogin(world.nurse.id, standing);
    expect((await gauges())("sessions_live")).toBe(first("sessions_live") + 1);
    expect((await sendRequest(`${API}/auth/logout`, { as: login.token, method: "POST" })).ok).toBe(true);
    expect((await gauges())("sessions_live")).toBe(first("sessions_live"));
    for (const column of ["expires_at", "idle_expires_at"]) {
      const lapsed = await newLogin(world.nurse.id, standing);
      await sqlRun(`UPDATE sessions SET ${column} = 1 WHERE id = ?`, lapsed.sessionId);
    }
    expect((await gauges())("sessions_live")).toBe(first("sessions_live"));
    await sendRequest(`${API}/auth/login`, { json: { email: world.doctor.email, password: "not the right password" } });
    await sqlRun("INSERT INTO login_attempts (subject, id, state, expires_at) VALUES ('x', 'lapsed', 'failed', 1)");
    expect((await gauges())("login_failures")).toBe(first("login_failures") + 1);
  });

  it("of staged audit events and the schema equal the tables", async () => {
    const stage = (recorded: number, parkedAt: number | null) =>
      env.DB.prepare("INSERT INTO audit_staged (id, event, subjects, parked_at) VALUES (?, ?, '[]', ?)")
        .bind(uuidv7(), JSON.stringify({ recorded }), parkedAt)
        .run();
    await handOverStaged(env);
    await stage(Date.now() - 90_000, Date.now());
    await stage(Date.now(), null);
    const value = await gauges();
    expect(value("audit_staged")).toBe(await count("audit_staged"));
    expect(value("audit_staged")).toBe(2);
    expect(value("audit_parked")).toBe(1);
    expect(value("audit_staged_oldest_age_seconds")).toBeGreaterThanOrEqual(90);
    expect(value("audit_staged_oldest_age_seconds")).toBeLessThan(200);
    await env.DB.prepare("DELETE FROM audit_staged").run();
    expect(value("schema_migrations")).toBe(bindings.MIGRATIONS.length);
  });

  it("of the outbox say how much waits and for how long, and stop counting at 10,001", async () => {
    expect((await gauges())("outbox_depth")).toBe(0);
    expect((await gauges())("outbox_oldest_due_age_seconds")).toBe(0);
    const row = "INSERT INTO outbox (id, topic, payload, created_at, due_at, done_at) VALUES (?, 'x', '{}', 1, ?, ?)";
    const now = Date.now();
    await sqlRun(row, "done", 1, 2);
    await sqlRun(row, "later", now + 3_600_000, null);
    expect((await gauges())("outbox_depth")).toBe(1);
    expect((await gauges())("outbox_oldest_due_age_seconds")).toBe(0);
    await sqlRun(row, "due", now - 90_000, null);
    const value = await gauges();
    expect(value("outbox_depth")).toBe(2);
    expect(value("outbox_oldest_due_age_seconds")).toBeGreaterThanOrEqual(90);
    expect(value("outbox_oldest_due_age_seconds")).toBeLessThan(120);
    await sqlRun(`INSERT INTO outbox (id, topic, payload, created_at, due_at)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) SELECT 'n' || i, 'x', '{}', 1, 1 FROM n`);
    const { env: counted, counts } = withCounters(env);
    expect((await gauges({ env: counted }))("outbox_depth")).toBe(10_001);
    expect(counts.d1).toBe(1);
    expect(counts.rowsRead).toBeLessThan(11_000);
    expect(counts.rowsWritten).toBe(0);
  });
});

async function recount(tables: Record<string, string>): Promise<Record<string, number>> {
  const rows = Object.entries(tables).map(async ([name, table]) => [name, await count(table)] as const);
  return Object.fromEntries(await Promise.all(rows));
}
