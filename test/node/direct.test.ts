// Direct uploads over a real S3 API: the local one, which verifies signatures as R2 does.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findFreePort } from "../../bench/free-port.ts";
import { newSecrets } from "../../scripts/dev-secrets.mjs";
import { createStateFolder, deleteStateFolder, isReachable, killGroup } from "./server.ts";

const state = createStateFolder();
const secrets = newSecrets();
const S3 = { id: "local-direct-tests", secret: "local-direct-tests-secret" };
let child: ChildProcess;
let url = "";
let output = "";
let token = "";
let patientId = "";

/** The product's configuration in another folder, with an S3 endpoint for its bucket. */
function writeConfig(port: number): string {
  const paths = [
    ['main = "', 'main = "'],
    ['directory = "', 'directory = "'],
    ['migrations_dir = "', 'migrations_dir = "'],
    ['locales/index.js" = "', 'locales/index.js" = "'],
  ];
  let toml = readFileSync("wrangler.toml", "utf8");
  for (const [from = "", to = ""] of paths) {
    toml = toml.replace(new RegExp(`${from}([^"]+)"`), (_, path: string) => `${to}${resolve(path)}"`);
  }
  const bucket = 'bucket_name = "edgecare-files"';
  const credentials = `{ accessKeyId = "${S3.id}", secretAccessKey = "${S3.secret}" }`;
  expect(toml).toContain(bucket);
  toml = toml.replace(bucket, `${bucket}\nlocal_dev = { experimental_s3_credentials = ${credentials} }`);
  // wrangler reads from .dev.vars only names in the configuration; these two are optional there.
  const vars = [
    ["R2_S3_ENDPOINT", `http://localhost:${port}/cdn-cgi/local/r2/s3`],
    ["R2_S3_BUCKET", "edgecare-files"],
    ["R2_S3_ACCESS_KEY_ID", S3.id],
    ["R2_S3_SECRET_ACCESS_KEY", S3.secret],
  ];
  toml = toml.replace(/^R2_S3_.*\n/gm, "").replace("[vars]\n", `[vars]\n${vars.map(([n, v]) => `${n} = "${v}"\n`).join("")}`);
  const config = join(state, "wrangler.toml");
  writeFileSync(config, toml);
  const lines = Object.entries({ ENVIRONMENT: "development", ...secrets }).map(([name, value]) => `${name}='${value}'`);
  writeFileSync(join(state, ".dev.vars"), `${lines.join("\n")}\n`);
  return config;
}

async function post(path: string, json: unknown, as = token) {
  const headers = { "Content-Type": "application/json", ...(as && { Authorization: `Bearer ${as}` }) };
  const answer = await fetch(`${url}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(json) });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

beforeAll(async () => {
  const port = await findFreePort();
  url = `http://localhost:${port}`;
  const config = writeConfig(port);
  const applied = spawnSync("wrangler", ["d1", "migrations", "apply", "DB", "--local", "-c", config, "--persist-to", state]);
  expect(applied.status, String(applied.stderr)).toBe(0);
  const more = ["--port", String(port), "--ip", "127.0.0.1", "--inspector-port", "0", "--persist-to", state];
  child = spawn("wrangler", ["dev", "-c", config, ...more, "--show-interactive-dev-session=false"], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      output += chunk;
    });
  }
  const started = Date.now();
  while (!(await isReachable(url))) {
    if (child.exitCode !== null || Date.now() - started > 100_000) throw new Error(`not started:\n${output.slice(-4000)}`);
    await new Promise((next) => setTimeout(next, 200));
  }
  const person = { email: "admin@example.org", username: "the.admin", full_name: "The Admin", password: "quiet river stones" };
  expect((await post("/auth/bootstrap", { ...person, token: secrets.BOOTSTRAP_TOKEN }, "")).status).toBe(201);
  token = (await post("/auth/login", { email: person.email, password: person.password }, "")).body.data.access_token;
  const hospital = await post("/hospitals", { name: "North" });
  const patient = await post("/patients", { first_name: "Uma", hospital_id: hospital.body.data.hospital_id });
  patientId = patient.body.data.patient_id;
});

afterAll(async () => {
  if (child) await killGroup(child, url);
  deleteStateFolder(state);
});

const newPdf = (size: number) => Buffer.concat([Buffer.from("%PDF-1.4\n"), Buffer.alloc(size, "x"), Buffer.from("\n%%EOF\n")]);

async function begin(pdf: Buffer) {
  const sha256 = createHash("sha256").update(pdf).digest("hex");
  const { status, body } = await post("/reports/direct", { patient_id: patientId, size: pdf.length, sha256 });
  expect(status, JSON.stringify(body)).toBe(201);
  return body.data;
}

const put = (to: string, headers: Record<string, string>, body: Uint8Array<ArrayBuffer>) =>
  fetch(to, { method: "PUT", headers, body });

describe("a presigned link", () => {
  it("accepts 30 MB, which become a report with the same bytes", async () => {
    const pdf = newPdf(30_000_000);
    const begun = await begin(pdf);
    const sent = await put(begun.url, begun.headers, new Uint8Array(pdf));
    expect(sent.status, await sent.text()).toBe(200);
    const confirmed = await post(`/reports/direct/${begun.upload_id}/confirm`, {});
    expect(confirmed.status, JSON.stringify(confirmed.body)).toBe(201);
    const file = await fetch(url + confirmed.body.data.file_url, { headers: { Authorization: `Bearer ${token}` } });
    const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    expect(digest(Buffer.from(await file.arrayBuffer()))).toBe(digest(pdf));
    expect((await put(begun.url, begun.headers, new Uint8Array(pdf))).status, "the link still stands, the bytes have gone").toBe(
      200,
    );
    expect((await post(`/reports/direct/${begun.upload_id}/confirm`, {})).body.data.report_id).toBe(begun.upload_id);
  });

  it("rejects any other type, key, method, length or digest, and a second upload", async () => {
    const pdf = newPdf(5_000);
    const begun = await begin(pdf);
    const bytes = new Uint8Array(pdf);
    const { "content-type": _, ...untyped } = begun.headers;
    const { "if-none-match": __, ...overwriting } = begun.headers;
    expect((await put(begun.url, { ...untyped, "content-type": "text/html" }, bytes)).status).toBe(403);
    expect((await put(begun.url, overwriting, bytes)).status).toBe(403);
    expect((await put(begun.url, { ...begun.headers, "x-amz-checksum-sha256": "AAAA" }, bytes)).status).toBe(403);
    const otherKey = begun.url.replace(/incoming\/./, (start: string) => (start === "incoming/z" ? "incoming/y" : "incoming/z"));
    expect((await put(otherKey, begun.headers, bytes)).status).toBe(403);
    expect((await fetch(begun.url)).status).toBe(403);
    const { "content-length": ___, ...unmeasured } = begun.headers;
    expect((await put(begun.url, unmeasured, bytes.slice(1))).status).toBe(403);
    expect((await put(begun.url, begun.headers, bytes)).status).toBe(200);
    expect((await put(begun.url, begun.headers, bytes)).status).toBe(412);
  });
});
