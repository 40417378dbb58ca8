// The product from a fresh clone: npm start, the README's commands, a kill, and the data at rest.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawEcgReport } from "../../cli/demo/ecg-pdf.ts";
import { generateEcgMetrics, synthesizeEcg } from "../../cli/demo/ecg-signal.ts";
import { createDemoPatients, DEMO_PASSWORD, SECOND_HOSPITAL, STAFF } from "../../cli/demo/people.ts";
import { PORTAL_CSP, PORTAL_ROOT_SEGMENTS } from "../../src/service/portal-policy.ts";
import { VERIFY } from "../long.ts";
import { findWords, inflatedStreams } from "./at-rest.ts";
import { describeServedCommands } from "./served-commands.ts";
import { served } from "./served-product.ts";
import { killGroupOf } from "./server.ts";
import { bash, missingOf } from "./shell.ts";
import { startValidatingProxy, type ValidatingProxy } from "./validating-proxy.ts";

const server = served.product;
const { state } = server;

async function call(path: string, token?: string, init: RequestInit = {}) {
  const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...init.headers };
  return fetch(server.url + path, { ...init, headers });
}

async function login(email: string): Promise<string> {
  const answer = await call("/api/v1/auth/login", undefined, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password: DEMO_PASSWORD }),
  });
  const { data } = JSON.parse(await answer.text());
  return String(data.access_token);
}

/** The bash blocks of a section of the README as one script. */
function readmeScript(heading: string): string {
  const readme = readFileSync("README.md", "utf8");
  const section = readme.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/```bash\n([\s\S]*?)```/g)].map(([, code]) => code).join("\n");
}

describe("npm start", () => {
  it("serves the API and prints its URL and the demo logins", async ({ annotate }) => {
    await annotate(`npm start in a new folder answered after ${Math.round(server.startedInMs / 1000)} s`);
    // On an otherwise idle machine.
    if (VERIFY) expect(server.startedInMs).toBeLessThan(60_000);
    for (const { email } of STAFF) expect(server.output).toContain(email);
    expect(server.output).toContain(server.url);
  });

  it("has the demo world: 25 patients for the nurse, 20 for the doctor, ECG reports that open", async () => {
    const [nurse, doctor] = await Promise.all([login("nurse@demo.com"), login("doc@demo.com")]);
    const count = async (path: string, token: string) => JSON.parse(await (await call(path, token)).text()).meta.pagination.total;
    expect(await count("/api/v1/patients", nurse)).toBe(25);
    expect(await count("/api/v1/patients", doctor)).toBe(20);
    const { data } = JSON.parse(await (await call("/api/v1/reports?limit=1", doctor)).text());
    const file = Buffer.from(await (await call(data[0].file_url, doctor)).arrayBuffer());
    expect(file.subarray(0, 5).toString()).toBe("%PDF-");
    expect(inflatedStreams(file).join("")).toContain("25 mm/s");
  });

  it("runs again on the same folder without a second demo world", async () => {
    const again = await bash(`node cli/edgecare.ts demo --state "${state}"`);
    expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining("doc@demo.com") });
  });
});

describeServedCommands(() => server);

describe("the README's examples", () => {
  let proxy: ValidatingProxy;
  beforeAll(async () => {
    proxy = await startValidatingProxy(server.url);
  });
  afterAll(() => proxy.stop());

  it.for<[string, string[]]>([
    ["Quick start: upload and read a report", ["report stored", "the same SHA-256", "report.create", "report.download", "404"]],
    [
      "Example: a clinic, its staff and a patient of two hospitals",
      [
        "Sita Devi, nurse at Ganga Clinic",
        "found कमला शर्मा, Aadhaar ending 0057",
        "her own record: कमला शर्मा",
        "one identifier at both hospitals",
        "records they see: 1",
        "404 for the first record",
      ],
    ],
    [
      "Example: monitor a ward",
      [
        "sample 1: stored unit_converted",
        "sample 2: stored implausible",
        "spo2 79 % (final",
        "high alarms: 1",
        "high: Oxygen saturation 79 % is at or below the critical limit 85",
        "it is acknowledged",
      ],
    ],
  ])("%s: runs as written", async ([heading, expected], { skip }) => {
    const script = readmeScript(heading);
    expect(script).toContain("jq -r '.data.access_token'");
    const missing = await missingOf(["curl", "jq", "sha256sum"]);
    skip(missing.length > 0, `this machine has no ${missing.join(", ")}`);
    const code = `set -euo pipefail\ncd "$(mktemp -d)"\n${script.replaceAll("http://localhost:8787", proxy.url)}`;
    const before = proxy.forwarded();
    const run = await bash(code);
    expect(run.status, run.stderr + run.stdout).toBe(0);
    for (const line of expected) expect(run.stdout).toContain(line);
    expect(proxy.forwarded()).toBeGreaterThan(before + 5);
    expect(proxy.violations()).toEqual([]);
  });

  it("are sent through a proxy that finds what does not fit the document", async () => {
    const before = proxy.violations().length;
    const headers = { "Content-Type": "application/json" };
    await fetch(`${proxy.url}/api/v1/auth/login`, { method: "POST", headers, body: '{"pass":1}' });
    await expect
      .poll(() => proxy.violations().slice(before))
      .toContainEqual(expect.stringMatching(/^post \/api.*: request\.body .*password/));
  });
});

/** Raw bytes from a client, without a library that would correct them. */
function raw(text: string, close: boolean): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(server.url).port), "localhost");
    let answer = "";
    const done = () => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("close", done);
    socket.on("error", done);
    socket.write(text, () => close && socket.end());
    setTimeout(done, 3000);
  });
}

describe("the portal", () => {
  const page = (path: string) => call(path, undefined, { headers: { Accept: "text/html,*/*" } });

  it("is the same page for browsers at each of its addresses, under a strict policy; programs get the API's word", async () => {
    for (const area of PORTAL_ROOT_SEGMENTS) {
      for (const path of [`/${area}`, ...(area === "" ? [] : [`/${area}/some/page?from=1`])]) {
        const answer = await page(path);
        expect({ path, status: answer.status }).toEqual({ path, status: 200 });
        expect(answer.headers.get("content-security-policy")).toBe(PORTAL_CSP);
        expect(answer.headers.get("cache-control")).toBe("no-cache");
        expect(await answer.text()).toContain('<div id="portal">');
      }
    }
    expect(JSON.parse(await (await call("/")).text()).data.api).toBe("/api/v1");
    const nowhere = await page("/nowhere/at-all");
    expect([nowhere.status, nowhere.headers.get("content-security-policy")]).toEqual([404, PORTAL_CSP]);
    expect(await nowhere.text()).toContain('<div id="portal">');
    expect((await page("//api/v1/users")).status).toBe(404);
    for (const answer of [await call("/ward"), await call("/nowhere"), await page("/api/v1/nowhere")]) {
      expect(answer.headers.get("content-type")).toContain("application/problem+json");
      expect(answer.status).toBe(answer.url.includes("/api/") ? 401 : 404);
    }
  });

  it("has nothing in its page but links to its own files, which are kept for a year", async () => {
    const html = await (await page("/")).text();
    expect(html).not.toMatch(/<style|style=|<script>|\son\w+=/);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
    expect(files.length).toBeGreaterThan(3);
    for (const path of files) {
      expect(path).toMatch(/^\/portal\//);
      const answer = await call(path);
      expect(answer.status).toBe(200);
      const hashed = /-[\w-]{8}\.\w+$/.test(path);
      expect(answer.headers.get("cache-control")).toBe(hashed ? "public, max-age=31536000, immutable" : "no-cache");
    }
    expect((await call("/portal/index-nothing0.js")).status).toBe(404);
  });

  it("has React's production build, also when the build runs under NODE_ENV=test, as here", async () => {
    expect(process.env["NODE_ENV"]).toBe("test");
    const [script] = /\/portal\/index-[\w-]{8}\.js/.exec(await (await page("/")).text()) ?? [];
    const code = await (await call(script ?? "")).text();
    expect(code.length).toBeGreaterThan(100_000);
    expect(code).not.toContain("development experience");
  });
});

describe("over HTTP", () => {
  it("accepts a POST without a body where none is described", async () => {
    const token = await login("nurse@demo.com");
    const { data } = JSON.parse(await (await call("/api/v1/patients?limit=1", token)).text());
    const path = `/api/v1/patients/${data[0].patient_id}/claim-codes`;
    expect((await call(path, token, { method: "POST" })).status).toBe(201);
    expect((await call(path, token, { method: "POST", body: "{}" })).status).toBe(415);
    expect((await call("/api/v1/auth/logout", token, { method: "POST" })).status).toBe(200);
    expect((await call("/api/v1/patients", token)).status).toBe(401);
  });
});

describe("over a real socket", () => {
  it("refuses a body without a length, and keeps nothing of a truncated one", async () => {
    const nurse = await login("nurse@demo.com");
    const before = JSON.parse(await (await call("/api/v1/reports/stats", nurse)).text()).data.total;
    const head = (extra: string) =>
      `POST /api/v1/reports?patient_id=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${nurse}\r\nContent-Type: application/pdf\r\n` +
      `X-Content-SHA256: ${"0".repeat(64)}\r\n${extra}\r\n\r\n`;
    expect(await raw(`${head("Transfer-Encoding: chunked")}5\r\n%PDF-\r\n0\r\n\r\n`, false)).toContain("411");
    await raw(`${head("Content-Length: 100000")}%P`, true);
    await raw(`${head("Content-Length: 5\r\nTransfer-Encoding: chunked")}5\r\n%PDF-\r\n0\r\n\r\n`, false);
    const after = JSON.parse(await (await call("/api/v1/reports/stats", nurse)).text()).data.total;
    expect(after).toBe(before);
  });

  it("limits a person to 100 requests a minute, and says when to come back", async () => {
    // A new person: none of her requests count yet.
    const json = { email: `rate.${Date.now()}@example.org`, password: "seven hills over lanterns", full_name: "Kamala Sharma" };
    const registered = await call("/api/v1/auth/register/patient", undefined, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(json),
    });
    const patient: string = JSON.parse(await registered.text()).data.access_token;
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let i = 0; i < 205 && last?.status !== 429; i++) {
      last = await call("/api/v1/auth/me", patient);
      statuses.push(last.status);
    }
    expect(last?.status).toBe(429);
    expect(Number(last?.headers.get("retry-after"))).toBeGreaterThan(0);
    // A window may end meanwhile, but at most two windows' worth is allowed.
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(100);
  });
});

describe("at rest", () => {
  const people = [...createDemoPatients(30)];
  const words = [
    ...people.map(({ email }) => email),
    ...people.map(({ phone }) => phone),
    ...people.map(({ address }) => address),
    ...people.map(({ first_name, last_name }) => `${first_name} ${last_name}`),
    "amlodipine",
    "palpitations",
    ...STAFF.map(({ email }) => email),
    DEMO_PASSWORD,
    "qtc_bazett_ms",
    "Canary-in-a-change",
    "Canary-in-a-search",
  ];

  it("contains no patient's text after a change, a denial and kill -9; the search is verified by a positive control", async () => {
    const nurse = await login("nurse@demo.com");
    const patient = await call("/api/v1/patients/3", nurse);
    const change = (body: object) =>
      call("/api/v1/patients/3", nurse, {
        method: "PATCH",
        headers: { "Content-Type": "application/json", "If-Match": patient.headers.get("etag") ?? "" },
        body: JSON.stringify(body),
      });
    expect((await change({ notes: "Canary-in-a-change" })).status).toBe(200);
    expect((await change({ notes: "Canary-in-a-change" })).status).toBe(412);
    const form = new FormData();
    form.set("file", new File(["Canary-in-a-change"], "Canary-in-a-change.pdf"));
    form.set("patient_id", "3");
    expect((await call("/api/v1/reports", nurse, { method: "POST", body: form })).status).toBe(415);
    expect((await call("/api/v1/patients/search?q=Canary-in-a-search", nurse)).status).toBe(200);
    await killGroupOf(server.pid, server.url);

    // wrangler's store of traces, with the full URL of each request.
    expect(existsSync(join(state, "v3/d1"))).toBe(true);
    expect(existsSync(join(state, "v3/observability"))).toBe(false);
    expect(findWords(state, words)).toEqual([]);
    // Controls: a word in an unsealed column, and a report without the seal.
    expect(findWords(state, [SECOND_HOSPITAL]).length).toBeGreaterThan(0);
    const [person] = people;
    const pdf = await drawEcgReport({
      metrics: generateEcgMetrics(1),
      signal: synthesizeEcg(generateEcgMetrics(1), 1),
      patient: { name: `${person?.first_name} ${person?.last_name}`, birth_date: "", sex: "", patient_number: 1 },
      device: "",
      hospital: "",
      recorded_at: "2026-01-01T00:00:00.000Z",
    });
    writeFileSync(join(state, "planted.pdf"), pdf);
    expect(findWords(state, words).map(({ word }) => word)).toContain(`${person?.first_name} ${person?.last_name}`);
  });
});
