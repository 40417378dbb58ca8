// Common properties of all responses: methods, paths, headers, origins, errors without details, conditional documents.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { app } from "../../src/app.ts";
import { interceptStores } from "../stores.ts";
import {
  API,
  env,
  newPdf,
  newWorld,
  type RequestOptions,
  readJson,
  sendRequest,
  uniqueText,
  uploadForm,
  uploadReport,
  type World,
} from "../world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => vi.restoreAllMocks());

const problemOf = async (response: Response, status: number, code: string) => {
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = await readJson(response);
  expect(problem).toMatchObject({ status, code, type: `urn:edgecare:problem:${code}` });
  expect(problem.request_id).toBe(response.headers.get("x-request-id"));
  expect(problem.error_id).toMatch(/^[0-9a-f-]{36}$/);
  return problem;
};

describe("methods", () => {
  it("HEAD decides as GET does and has no body", async () => {
    const paths = [`${API}/patients/${world.patient.id}`, `${API}/patients`, "/health"];
    for (const as of [world.nurse, world.self, null]) {
      for (const path of paths) {
        const [get, head] = await Promise.all([sendRequest(path, { as }), sendRequest(path, { as, method: "HEAD" })]);
        expect(head.status).toBe(get.status);
        expect(await head.text()).toBe("");
      }
    }
  });

  it("a path without the method is a 405 that names what it has", async () => {
    const as = world.nurse;
    for (const [method, path, allow] of [
      ["DELETE", `${API}/patients`, "POST, GET, HEAD, OPTIONS"],
      ["PUT", `${API}/patients/${world.patient.id}`, "GET, HEAD, PATCH, DELETE, OPTIONS"],
      ["POST", "/health", "GET, HEAD, OPTIONS"],
      ["GET", "/api/token", "POST, OPTIONS"],
    ] as const) {
      const response = await sendRequest(path, { as, method });
      await problemOf(response, 405, "method_not_allowed");
      expect(response.headers.get("allow")).toBe(allow);
    }
    await problemOf(await sendRequest(`${API}/nothing`, { as }), 404, "not_found");
    await problemOf(await sendRequest("/nothing"), 404, "not_found");
  });

  it("no header and no spelling makes one method another", async () => {
    const path = `${API}/devices`;
    const headers = { "X-HTTP-Method-Override": "POST", "X-Method-Override": "POST", "X-HTTP-Method": "POST" };
    const response = await sendRequest(`${path}?limit=1`, { as: world.nurse, headers });
    expect((await readJson(response)).meta.pagination).toBeDefined();
    const patch = await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse, method: "patch", json: {} });
    expect([400, 404, 405, 428]).toContain(patch.status);
  });
});

describe("paths", () => {
  it("a trailing slash is accepted on every route, the signed link and the upload among them", async () => {
    for (const path of ["/patients/", `/patients/${world.patient.id}/`, "/reports/", "/reports/stats/", "/auth/me/"]) {
      expect((await sendRequest(API + path, { as: world.nurse })).status, path).toBe(200);
    }
    for (const path of ["/health/", "/docs/", "/openapi.json/", "/.well-known/jwks.json/"]) {
      expect((await sendRequest(path)).status, path).toBe(200);
    }
    const login = await sendRequest(`${API}/auth/login/`, { json: { email: "a@example.org", password: "wrong" } });
    await problemOf(login, 401, "invalid_credentials");
    for (const path of ["/reports/", "/ecg/reports/upload/"]) {
      const body = uploadForm(newPdf(), { patient_id: world.patient.id });
      expect((await sendRequest(API + path, { as: world.nurse, body })).status, path).toBe(201);
    }
    const { data } = await readJson(await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id }));
    const link = data.cloud_url.replace("/file?", "/file/?");
    const file = await sendRequest(link);
    expect(file.status).toBe(200);
    await file.arrayBuffer();
  });

  it("a segment that is spelled like a pattern of the router is an id like another", async () => {
    for (const segment of [":patient_id", "*", ":patient_id%00"]) {
      const json = { code: "heart_rate", limits: { low: 45, high: 130 } };
      const response = await sendRequest(`${API}/patients/${segment}/alert-rules/preview`, { as: world.manager, json });
      await problemOf(response, 404, "not_found");
    }
  });

  it("no trick of spelling reaches what the plain path does not", async () => {
    const id = world.patient.id;
    const controls = [`${API}/patients/${id}`, `${API}/../v1/patients/${id}`];
    for (const path of controls) {
      expect((await sendRequest(path, { as: world.nurse })).status, path).toBe(200);
      expect((await sendRequest(path, { as: world.self.token.slice(0, -8) })).status, path).toBe(401);
    }
    const tricks = [
      `//api/v1/patients/${id}`,
      `/api//v1/patients/${id}`,
      `/api/v1/patients//${id}`,
      `/API/v1/patients/${id}`,
      `/api/v1/Patients/${id}`,
      `/api/v1/patients;x/${id}`,
      `/api/v1/patients/${id};x`,
      `/api/v1%2Fpatients/${id}`,
      `/api/v1/patients/%2e%2e%2fpatients/${id}`,
      `/api/v1/patients/${id}%00`,
      `/api/v1/patients/${id}/%2e%2e`,
      `/health/../api/v1/patients/${id}`,
      `/api/v1/auth/login/../../patients/${id}`,
      `/api/v1/patients/${id.toUpperCase()}`,
    ];
    for (const path of tricks) {
      const plain = await sendRequest(`http://localhost${path}`);
      expect([401, 404], path).toContain(plain.status);
      expect(await plain.text()).not.toContain(world.patient.canary);
      const other = await sendRequest(`http://localhost${path}`, { as: world.self });
      const text = await other.text();
      if (other.status === 200) expect(text, path).toContain(id);
      else expect([400, 403, 404], path).toContain(other.status);
      expect(text).not.toContain(world.stranger.canary);
    }
  });

  it("a long URL, many parameters and many headers are no 5xx", async () => {
    const many = Array.from({ length: 2_000 }, (_, i) => `p${i}=1`).join("&");
    const long = await sendRequest(`${API}/patients?${"x".repeat(16_000)}=1`, { as: world.nurse });
    await problemOf(long, 400, "invalid_request");
    await problemOf(await sendRequest(`${API}/patients?${many}`, { as: world.nurse }), 400, "invalid_request");
    const headers = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`X-Filler-${i}`, "x"]));
    expect((await sendRequest(`${API}/patients`, { as: world.nurse, headers })).status).toBe(200);
  });
});

describe("headers of every answer", () => {
  const broken = () => interceptStores(env, () => Promise.reject(new Error("D1_ERROR: down")));
  const answers = (): [number, string, RequestOptions][] => [
    [200, `${API}/patients`, { as: world.nurse }],
    [200, `${API}/reports`, { as: world.self }],
    [401, `${API}/patients`, {}],
    [404, `${API}/patients/${world.stranger.id}`, { as: world.self }],
    [405, `${API}/patients`, { as: world.nurse, method: "DELETE" }],
    [400, `${API}/patients?nope=1`, { as: world.nurse }],
    [503, `${API}/patients`, { as: world.nurse, env: broken() }],
    [500, `${API}/patients`, { as: world.nurse, env: interceptStores(env, () => Promise.reject(new Error("odd"))) }],
    [503, `${API}/patients`, { as: world.nurse, env: { ...env, LINK_KEY: "short" } }],
  ];

  it("are strict, and nothing is cached", async () => {
    for (const [status, path, options] of answers()) {
      const response = await sendRequest(path, options);
      expect(response.status, path).toBe(status);
      const header = (name: string) => response.headers.get(name) ?? "";
      expect(Number(/max-age=(\d+)/.exec(header("strict-transport-security"))?.[1])).toBeGreaterThanOrEqual(31_536_000);
      expect(header("x-content-type-options")).toBe("nosniff");
      expect(header("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(header("referrer-policy")).toBe("no-referrer");
      expect(header("cross-origin-resource-policy")).toBe("same-origin");
      expect(header("x-frame-options")).toBe("DENY");
      expect(header("cache-control")).toBe("no-store");
      expect(header("x-request-id")).not.toBe("");
      expect(response.headers.has("server") || response.headers.has("x-powered-by")).toBe(false);
      expect(header("www-authenticate")).toBe(status === 401 ? 'Bearer realm="edgecare"' : "");
      expect(header("retry-after")).toBe(status === 503 ? "5" : "");
    }
  });
});

describe("origins", () => {
  const configured = { ...env, CORS_ORIGINS: "https://portal.example.org, https://*.evil.org,*,null" };
  const from = (origin: string, options: RequestOptions = {}) =>
    sendRequest(`${API}/patients`, { as: world.nurse, env: configured, ...options, headers: { Origin: origin } });

  it("are optional: a response without one has the same headers except Access-Control-Allow-Origin", async () => {
    const plain = await sendRequest(`${API}/patients`, { as: world.nurse, env: configured });
    const good = await from("https://portal.example.org");
    const own = new Set(["access-control-allow-origin", "x-request-id", "content-length", "date"]);
    const others = ({ headers }: Response) => [...headers].filter(([name]) => !own.has(name)).sort();
    expect(others(plain)).toEqual(others(good));
    expect(plain.headers.get("access-control-expose-headers")).toContain("ETag");
  });

  it("only the exact ones of the list are let in", async () => {
    const good = await from("https://portal.example.org");
    expect(good.headers.get("access-control-allow-origin")).toBe("https://portal.example.org");
    expect(good.headers.get("vary")).toContain("Origin");
    for (const origin of [
      "https://evil.com",
      "https://portal.example.org.evil.com",
      "http://portal.example.org",
      "https://portal.example.org:8443",
      "https://PORTAL.example.org",
      "https://a.evil.org",
      "null",
      "*",
    ]) {
      const response = await from(origin);
      expect(response.headers.get("access-control-allow-origin"), origin).toBeNull();
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
      expect(response.headers.get("vary") ?? "", origin).toContain("Origin");
    }
  });

  it("a preflight needs no token, tells of listed methods and headers, and is bounded", async () => {
    const asking = (origin: string) =>
      sendRequest(`${API}/patients/${world.patient.id}`, {
        method: "OPTIONS",
        env: configured,
        headers: { Origin: origin, "Access-Control-Request-Method": "TRACE", "Access-Control-Request-Headers": "X-Evil" },
      });
    const good = await asking("https://portal.example.org");
    expect(good.status).toBe(204);
    expect(good.headers.get("access-control-allow-methods")).toBe("GET,POST,PUT,PATCH,DELETE");
    expect(good.headers.get("access-control-allow-headers")).not.toContain("X-Evil");
    expect(Number(good.headers.get("access-control-max-age"))).toBeLessThanOrEqual(600);
    expect(await good.text()).toBe("");
    expect((await asking("https://evil.com")).headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("failures reveal nothing", () => {
  it("whatever a store throws becomes a problem of our own words, and one log line", async () => {
    const secret = "First-canary SELECT * FROM patients";
    for (const thrown of [
      secret,
      new Error(secret),
      { message: secret },
      null,
      undefined,
      42,
      Symbol(secret),
      new TypeError(secret),
    ]) {
      const lines: string[] = [];
      vi.spyOn(console, "log").mockImplementation((line) => void lines.push(JSON.stringify(line)));
      const odd = interceptStores(env, () => Promise.reject(thrown));
      const response = await sendRequest(`${API}/patients`, { as: world.nurse, env: odd });
      const problem = await problemOf(response, 500, "internal_error");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(JSON.stringify(problem)).not.toContain("canary");
      expect(lines.filter((line) => line.includes("problem internal_error") && line.includes(problem.error_id))).toHaveLength(1);
      expect(lines.filter((line) => line.includes('"message":"request"') && line.includes('"status":500'))).toHaveLength(1);
      expect(lines.join()).not.toContain("canary");
      vi.restoreAllMocks();
    }
    expect((await sendRequest(`${API}/patients`, { as: world.nurse })).status).toBe(200);
  });
});

describe("an absolute link", () => {
  it("names the configured origin, whatever Host the request came with", async () => {
    const evil = "https://evil.example";
    const patient_id = world.patient.id;
    const sent = await uploadReport(world.nurse, newPdf(), { patient_id });
    const { report_id } = (await readJson(sent)).data;
    const answers = await Promise.all([
      sendRequest(`${evil}${API}/users/${world.nurse.id}/password-reset`, { as: world.manager, method: "POST" }),
      sendRequest(`${evil}${API}/users/invite`, {
        as: world.manager,
        json: { email: `${uniqueText()}@example.org`, role: "nurse" },
      }),
      sendRequest(`${evil}${API}/live/tickets`, { as: world.nurse, json: { patient_id } }),
      sendRequest(`${evil}${API}/reports/${report_id}`, { as: world.nurse }),
      sendRequest(`${evil}${API}/ecg/reports/${report_id}`, { as: world.nurse }),
      sendRequest(`${evil}${API}/admin/reports`, { as: world.admin }),
      sendRequest(`${evil}${API}/reports`, { as: world.nurse, body: uploadForm(newPdf(), { patient_id }) }),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBeLessThan(300);
      const text = await answer.text();
      expect(text).toMatch(/"(url|download_url|cloud_url)":"(https|wss):\/\/edgecare\.test\//);
      expect(text).not.toContain("evil.example");
    }
  });

  it("names localhost in development, and production does not start without an origin", async () => {
    const issue = (of: Env) =>
      sendRequest(`https://evil.example${API}/users/${world.nurse.id}/password-reset`, {
        as: world.manager,
        method: "POST",
        env: { ...env, ...of },
      });
    const local = await readJson(await issue({ ...env, ENVIRONMENT: "development", PUBLIC_ORIGIN: "" }));
    expect(local.data.url).toMatch(/^http:\/\/localhost:8787\/reset#/);
    for (const PUBLIC_ORIGIN of ["", "http://clinic.example", "https://clinic.example/", "https://*.example", "clinic.example"]) {
      await problemOf(await issue({ ...env, ENVIRONMENT: "production", PUBLIC_ORIGIN }), 503, "misconfigured");
    }
    const clinic = {
      ...env,
      WEBHOOK_TEST_ORIGINS: "",
      PUSH_TEST_ORIGINS: "",
      ENVIRONMENT: "production",
      PUBLIC_ORIGIN: "https://clinic.example",
    };
    expect((await readJson(await issue(clinic))).data.url).toMatch(/^https:\/\/clinic\.example\/reset#/);
  });
});

describe("production", () => {
  const production = { ...env, WEBHOOK_TEST_ORIGINS: "", PUSH_TEST_ORIGINS: "", ENVIRONMENT: "production" };
  const at = (url: string, options: RequestOptions = {}) =>
    sendRequest(url, { ...options, env: { ...production, ...options.env } });

  it("accepts https only: reads are redirected, writes rejected", async () => {
    const moved = await at("http://clinic.example.org/api/v1/patients?limit=5");
    expect(moved.status).toBe(308);
    expect(moved.headers.get("location")).toBe("https://clinic.example.org/api/v1/patients?limit=5");
    await problemOf(await at("http://clinic.example.org/api/v1/auth/login", { json: {} }), 403, "https_required");
    expect((await at("https://clinic.example.org/api/v1/patients", { as: world.nurse })).status).toBe(200);
    expect((await sendRequest("http://localhost/api/v1/patients", { as: world.nurse })).status).toBe(200);
  });

  it("shows its documentation to staff, to everybody or to nobody, as DOCS says", async () => {
    const host = "https://clinic.example.org";
    const asked = async (docs: string, as: RequestOptions["as"] = null) => {
      const answers = ["/openapi.json", "/docs", "/redoc"].map((p) => at(host + p, { as, env: { ...production, DOCS: docs } }));
      return (await Promise.all(answers)).map((response) => response.status);
    };
    expect(await asked("public")).toEqual([200, 200, 200]);
    expect(await asked("off", world.admin)).toEqual([404, 404, 404]);
    for (const docs of ["", "staff", "nonsense"]) {
      expect(await asked(docs)).toEqual([401, 200, 200]);
      expect(await asked(docs, world.self)).toEqual([403, 200, 200]);
      expect(await asked(docs, world.doctor)).toEqual([200, 200, 200]);
    }
  });

  it("keeps /health to status and latency", async () => {
    const { data } = await readJson(await sendRequest("/health"));
    expect(Object.keys(data).sort()).toEqual(["d1", "kv", "r2", "status"]);
    for (const store of [data.d1, data.kv, data.r2]) expect(Object.keys(store).sort()).toEqual(["latency_ms", "status"]);
    const down = await sendRequest("/health", { env: interceptStores(env, () => Promise.reject(new Error("down"))) });
    expect((await readJson(down)).data.status).toBe("degraded");
    const ready = await sendRequest("/health/ready", { env: interceptStores(env, () => Promise.reject(new Error("down"))) });
    expect([ready.status, ready.headers.get("retry-after")]).toEqual([503, "5"]);
    expect((await sendRequest("/health/ready")).status).toBe(200);
  });
});

it("a method that no browser sends is answered by no handler", async () => {
  const handled = new Set(app.routes.map((route) => route.method));
  expect([...handled].sort()).toEqual(["ALL", "DELETE", "GET", "PATCH", "POST", "PUT"]);
});
