// clients/python/backend_api.py against the served product: killed, offline, twice at once, and refused.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse, request as sendOn } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { times, VERIFY } from "../long.ts";
import { absent } from "../shared-data.ts";
import { served } from "./served-product.ts";
import { deleteStateFolder, newDemoState, type Server, startServer } from "./server.ts";

const CLIENT = resolve("clients/python");
const python = spawnSync("python3", ["-c", "import sys; print(sys.version_info >= (3, 8))"], { encoding: "utf8" });
const hasPython = python.stdout?.trim() === "True";
const root = mkdtempSync(join(tmpdir(), "edgecare-python-"));
const url = served.shared.url;

// The behaviour of the network between client and service.
type Network = "up" | "down" | "reply lost" | "busy" | "sign-in page" | "redirect";
let network: Network = "up";
/** Requests of uploads that the client has sent. */
let uploads = 0;
const proxy = createServer(pass);
let proxyUrl = "";

function pass(request: IncomingMessage, response: ServerResponse): void {
  const isUpload = request.url?.includes("/reports/") ?? false;
  if (isUpload) uploads++;
  const mode = network;
  if (mode === "down") return void request.socket.destroy();
  if (mode === "busy") return void response.writeHead(429, { "Retry-After": "7" }).end("{}");
  if (mode === "redirect") return void response.writeHead(302, { Location: "http://127.0.0.1:9/" }).end();
  if (mode === "sign-in page") return void response.writeHead(200, { "Content-Type": "text/html" }).end("<p>Sign in</p>");
  const target = new URL(request.url ?? "/", url);
  const onward = sendOn(target.href, { method: request.method, headers: { ...request.headers, host: target.host } }, (answer) => {
    if (mode === "reply lost" && isUpload) {
      network = "up";
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => request.socket.destroy());
  request.pipe(onward);
}

async function ask(path: string, token: string, json?: object) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  for (;;) {
    const init = json ? { method: "POST", body: JSON.stringify(json) } : {};
    const response = await fetch(`${url}/api/v1${path}`, { headers, ...init });
    const body = JSON.parse(await response.text());
    if (response.ok) return body.data;
    // Other files use the same server and login.
    if (response.status !== 429) throw new Error(`${path}: ${response.status} ${body.code}`);
    await new Promise((settle) => setTimeout(settle, 1_000));
  }
}

let nurse = "";
let doctor = "";
/** A patient with an ECG recorder, and the recorder's credential. */
async function newPatient() {
  const { patient_id } = await ask("/patients", nurse, { first_name: "Python", last_name: `Client ${Date.now()}` });
  const { device_id } = await ask("/devices", nurse, { kind: "ecg", name: "ECG app" });
  await ask(`/devices/${device_id}/assignments`, nurse, { patient_id });
  const { token } = await ask(`/devices/${device_id}/credentials`, nurse, { name: "ward PC" });
  return { patientId: String(patient_id), credential: String(token) };
}
type Patient = Awaited<ReturnType<typeof newPatient>>;

type Report = { report_id: string; sha256: string; heart_rate: number | null };
const reportsOf = async ({ patientId }: Patient, as = nurse): Promise<Report[]> =>
  await ask(`/reports?patient_id=${patientId}&limit=100`, as);

const realPdfs = globSync("../shared/data/ecg/pdf/*.pdf").map((path) => readFileSync(path));
const PLAIN = Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n");
let folders = 0;
/** A folder with PDFs that differ in white space at their end, each with its metadata beside it. */
function newFolder(count: number): string {
  const folder = join(root, `reports-${folders++}`);
  mkdirSync(folder);
  for (let n = 0; n < count; n++) {
    const pdf = realPdfs[n % realPdfs.length] ?? PLAIN;
    writeFileSync(join(folder, `ecg-${n}.pdf`), Buffer.concat([pdf, Buffer.from("\n".repeat(folders * 50 + n))]));
    writeFileSync(join(folder, `ecg-${n}.json`), JSON.stringify({ heart_rate: 60 + n, pr_interval_ms: 158, rhythm: null }));
  }
  return folder;
}

type Run = { child: ChildProcess; done: Promise<{ status: number | null; stdout: string; stderr: string }> };
function run(args: string[], env: Record<string, string>, input = ""): Run {
  const child = spawn("python3", args, {
    cwd: root,
    env: { ...process.env, PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: "1", EDGECARE_URL: proxyUrl, HOME: root, ...env },
  });
  const status = new Promise<number | null>((settle) => child.on("close", settle));
  child.stdin.end(input);
  const done = Promise.all([status, text(child.stdout), text(child.stderr)]).then(([code, stdout, stderr]) => ({
    status: code,
    stdout,
    stderr,
  }));
  return { child, done };
}

let queues = 0;
const newQueue = () => join(root, `queue-${queues++}`);
const upload = (folder: string, { credential }: Patient, queue: string, ...more: string[]) =>
  run(["-m", "backend_api", "upload", folder, ...more], { EDGECARE_CREDENTIAL: credential, EDGECARE_QUEUE: queue });

/** Runs a script with `backend` and an injected clock; its last line of output as JSON. */
async function script(code: string, { credential }: Partial<Patient>, queue = newQueue()) {
  const head = `
import backend_api, json, logging, sys
from backend_api import *
logging.basicConfig(level=logging.DEBUG)
now, slept = [1_800_000_000.0], []
def sleep(seconds):
    slept.append(seconds)
    now[0] += seconds
def new(**more):
    return BackendAPI(clock=lambda: now[0], sleep=sleep, jitter=lambda: 0.5, **more)
def network(mode):
    print("network " + mode, flush=True)
    sys.stdin.readline()
`;
  const child = spawn("python3", ["-c", head + code], {
    cwd: root,
    env: {
      ...process.env,
      PYTHONPATH: CLIENT,
      PYTHONDONTWRITEBYTECODE: "1",
      EDGECARE_URL: proxyUrl,
      EDGECARE_QUEUE: queue,
      ...(credential && { EDGECARE_CREDENTIAL: credential }),
    },
  });
  let stdout = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    const [, mode] = /network ([\w -]+)\n$/.exec(stdout) ?? [];
    if (mode) {
      network = mode as Network;
      child.stdin.write("\n");
    }
  });
  const status = new Promise<number | null>((settle) => child.on("close", settle));
  const stderr = await text(child.stderr);
  expect(await status, stderr + stdout).toBe(0);
  return { result: JSON.parse(stdout.trim().split("\n").at(-1) ?? ""), output: stdout + stderr, queue };
}

beforeAll(async () => {
  await new Promise<void>((settle) => proxy.listen(0, "127.0.0.1", settle));
  proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const login = (name: string) => ask("/auth/login", "", { email: `${name}@demo.com`, password: DEMO_PASSWORD });
  nurse = (await login("nurse")).access_token;
  doctor = (await login("doc")).access_token;
});
afterAll(() => {
  proxy.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(({ skip }) => {
  skip(!hasPython, "this machine has no Python 3.8 or newer");
  network = "up";
});

const isOnceEach = (reports: Report[], count: number) =>
  expect([reports.length, new Set(reports.map(({ sha256 }) => sha256)).size]).toEqual([count, count]);

describe("README.md", () => {
  const section = readFileSync("README.md", "utf8").split("\n## Python client\n")[1]?.split("\n## ")[0] ?? "";
  const blocks = (language: string) =>
    [...section.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"))].map(([, code = ""]) => code);

  it("the app's lines work as written, from the folder utils of the app", async ({ annotate }) => {
    if (realPdfs.length === 0) await annotate(absent("ecg/pdf"));
    const app = join(root, "app");
    mkdirSync(join(app, "utils"), { recursive: true });
    copyFileSync(join(CLIENT, "backend_api.py"), join(app, "utils/backend_api.py"));
    const patient = await newPatient();
    const [folder, queue] = [newFolder(1), newQueue()];
    const setUp = `
username, password = "doc", "${DEMO_PASSWORD}"
file_path = "${folder}/ecg-0.pdf"
patient_id = "${(await ask("/patients?limit=1", doctor))[0].patient_id}"
`;
    const [first = "", second = ""] = blocks("python");
    expect(first).toContain("from utils.backend_api import BackendAPI\n");
    const before = await ask(`/reports?limit=100`, doctor);
    const env = { PYTHONPATH: app, EDGECARE_QUEUE: queue };
    const done = await run(["-c", `${setUp}metadata = {"patient_id": patient_id, "heart_rate": 61}\n${first}`], env).done;
    expect(done.status, done.stderr).toBe(0);
    const after = await ask(`/reports?limit=100`, doctor);
    expect(after.length).toBe(before.length + 1);
    expect(after[0].heart_rate).toBe(61);
    const more = { ...env, EDGECARE_CREDENTIAL: patient.credential };
    const told = await run(["-c", `file_path = "${folder}/ecg-0.pdf"\n${second}`], more).done;
    expect(told).toMatchObject({ status: 0, stdout: expect.stringMatching(/^(stored|quarantined)/m) });
  });

  it("the command uploads a folder as written", async () => {
    const patient = await newPatient();
    const [command = ""] = blocks("sh");
    const env = { EDGECARE_CREDENTIAL: patient.credential, EDGECARE_QUEUE: newQueue() };
    const lines = command.split("\n").filter((line) => line.startsWith("python"));
    const args = (lines[0] ?? "")
      .split(" ")
      .slice(1)
      .map((word) => (word === "FOLDER" ? newFolder(2) : word));
    const done = await run(args, env).done;
    expect(done).toMatchObject({ status: 0, stderr: expect.stringContaining("2/2 ecg-1.pdf: stored") });
    isOnceEach(await reportsOf(patient), 2);
  });
});

describe("each file exactly once", () => {
  it("with the client killed half-way and started again", async () => {
    const patient = await newPatient();
    const count = times(6, 40);
    const [folder, queue] = [newFolder(count), newQueue()];
    const first = upload(folder, patient, queue);
    first.child.stderr?.on("data", (chunk) => {
      if (String(chunk).includes(`${count / 2}/${count}`)) first.child.kill("SIGKILL");
    });
    expect((await first.done).status).toBeNull();
    expect((await reportsOf(patient)).length).toBeLessThan(count);
    const second = await upload(folder, patient, queue).done;
    expect(second, second.stderr).toMatchObject({ status: 0 });
    const reports = await reportsOf(patient);
    isOnceEach(reports, count);
    expect(reports.map(({ heart_rate }) => heart_rate).sort()).toEqual(Array.from({ length: count }, (_, n) => 60 + n));
    // A third run asks nothing.
    const before = uploads;
    expect((await upload(folder, patient, queue).done).status).toBe(0);
    expect(uploads).toBe(before);
  });

  it.for([["the same queue"], ["queues of their own"]])("by two processes at the same time, with %s", async ([queues]) => {
    const patient = await newPatient();
    const [folder, queue] = [newFolder(4), newQueue()];
    const both = [queue, queues === "the same queue" ? queue : newQueue()].map((one) => upload(folder, patient, one).done);
    for (const { status, stderr } of await Promise.all(both)) expect(status, stderr).toBe(0);
    isOnceEach(await reportsOf(patient), 4);
  });

  it("with the reply lost, and with the network gone for an hour", async () => {
    const patient = await newPatient();
    const folder = newFolder(4);
    const { result } = await script(
      `
backend = new()
network("reply lost")
first = backend.upload_report("${folder}/ecg-0.pdf", {"heart_rate": 60})
network("down")
offline = [backend.upload_report("${folder}/ecg-%d.pdf" % n, {"heart_rate": 60 + n}) for n in (1, 2, 3)]
pending = backend.pending()
for minute in range(60):
    now[0] += 60
    backend.flush()
network("up")
after = backend.wait_until_sent()
print(json.dumps({
    "first": first.status, "offline": [result.status for result in offline], "pending": pending,
    "sent": [result.status for result in after.sent], "queued": after.queued,
}))
`,
      patient,
    );
    expect(result).toMatchObject({ first: "queued", offline: ["queued", "queued", "queued"], queued: 0 });
    expect(result.pending).toEqual(["ecg-0.pdf", "ecg-1.pdf", "ecg-2.pdf", "ecg-3.pdf"]);
    // The first had arrived: its key finds the report.
    expect(result.sent).toEqual(["stored", "stored", "stored", "stored"]);
    isOnceEach(await reportsOf(patient), 4);
  });

  it("for a person whose login waits for the network, and whose session ends meanwhile", async () => {
    const folder = newFolder(3);
    const patient = await newPatient();
    const { result, output, queue } = await script(
      `
network("down")
backend = new()
deferred = backend.login("nurse@demo.com", "${DEMO_PASSWORD}")
metadata = {"patient_id": "${patient.patientId}", "recorded_at": "2026-11-20T10:00:00+05:30"}
backend.upload_report("${folder}/ecg-0.pdf", metadata)
network("up")
one = backend.flush()
backend._login.access_token = "not a token"
two = backend.upload_report("${folder}/ecg-1.pdf", metadata)
now[0] += 3600
three = backend.upload_report("${folder}/ecg-2.pdf", metadata)
backend.logout()
signed_out = None
try:
    backend.upload_report("${folder}/ecg-2.pdf", metadata)
except ConfigurationError as error:
    signed_out = type(error).__name__
print(json.dumps([deferred, len(one.sent), two.status, three.status, signed_out]))
`,
      {},
    );
    expect(result).toEqual([false, 1, "stored", "stored", "ConfigurationError"]);
    isOnceEach(await reportsOf(patient), 3);
    expect(output).not.toContain(DEMO_PASSWORD);
    for (const file of globSync(`${queue}/**/*.json`)) expect(readFileSync(file, "utf8")).not.toMatch(/password|ecr_|eyJ/);
  });

  it("with the server killed half-way", { timeout: 300_000 }, async ({ skip }) => {
    skip(!VERIFY, "in npm run verify");
    const state = newDemoState(served.demo);
    let server: Server = await startServer(state, { demo: false, build: false });
    const port = Number(new URL(server.url).port);
    const patient = await newPatientAt(server.url);
    const folder = newFolder(40);
    const queue = newQueue();
    const env = { EDGECARE_CREDENTIAL: patient.credential, EDGECARE_QUEUE: queue, EDGECARE_URL: server.url };
    const client = run(["-m", "backend_api", "upload", folder, "--wait"], env);
    await new Promise<void>((settle) => {
      client.child.stderr?.on("data", (chunk) => String(chunk).includes("20/40") && settle());
    });
    await server.kill();
    server = await startServer(state, { demo: false, build: false, port });
    const done = await client.done;
    expect(done, done.stderr).toMatchObject({ status: 0 });
    const headers = { Authorization: `Bearer ${patient.nurse}` };
    const answer = await fetch(`${server.url}/api/v1/reports?patient_id=${patient.patientId}&limit=100`, { headers });
    isOnceEach(JSON.parse(await answer.text()).data, 40);
    await server.kill();
    deleteStateFolder(state);
  });
});

/** Like newPatient(), at another server. */
async function newPatientAt(base: string) {
  const send = async (path: string, token: string, json: object) => {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(`${base}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(json) });
    return JSON.parse(await response.text()).data;
  };
  const token = String((await send("/auth/login", "", { email: "nurse@demo.com", password: DEMO_PASSWORD })).access_token);
  const { patient_id } = await send("/patients", token, { first_name: "Python" });
  const { device_id } = await send("/devices", token, { kind: "ecg", name: "ECG app" });
  await send(`/devices/${device_id}/assignments`, token, { patient_id });
  const issued = await send(`/devices/${device_id}/credentials`, token, { name: "ward PC" });
  return { patientId: String(patient_id), credential: String(issued.token), nurse: token };
}

describe("what goes wrong", () => {
  it("a report that staff moved while its answer was lost is set aside with the reason, and not sent again", async () => {
    const [patient, right, folder, queue] = [await newPatient(), await newPatient(), newFolder(1), newQueue()];
    const login = `backend = new()\nbackend.login("nurse@demo.com", "${DEMO_PASSWORD}")\n`;
    const file = `"${folder}/ecg-0.pdf", {"patient_id": "${patient.patientId}"}`;
    const lost = `network("reply lost")\nprint(json.dumps(backend.upload_report(${file}).status))\n`;
    expect((await script(login + lost, {}, queue)).result).toBe("queued");
    const [report] = await reportsOf(patient);
    const moved = await fetch(`${url}/api/v1/reports/${report?.report_id}/move`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${nurse}`, "If-Match": "*" },
      body: JSON.stringify({ patient_id: right.patientId, reason: "Two patients of one name" }),
    });
    expect(moved.status).toBe(200);
    const flush = `done = backend.flush()
back = backend.retry_refused()
print(json.dumps([done.queued, [item["code"] for item in backend.refused()], back, len(backend.flush().refused)]))
`;
    expect((await script(login + flush, {}, queue)).result).toEqual([0, ["report_moved"], 0, 0]);
    expect([await reportsOf(patient), (await reportsOf(right)).length]).toEqual([[], 1]);
  });

  it("is a class and a code; a refused file is set aside with the reason, and can be sent again", async () => {
    const patient = await newPatient();
    const folder = newFolder(1);
    writeFileSync(join(folder, "text.pdf"), "no report");
    const { result, queue, output } = await script(
      `
def name(call):
    try:
        return call().status
    except Exception as error:
        return [type(error).__name__, getattr(error, "code", None)]
backend = new()
found = [
    name(lambda: backend.upload_report("${folder}/ecg-0.pdf", {"recorded_at": "yesterday"})),
    name(lambda: backend.upload_report("${folder}/ecg-0.pdf", {"lead": object()})),
    name(lambda: backend.upload_report("${folder}/none.pdf", {})),
    name(lambda: backend.login("nurse@demo.com", "a wrong password")),
    name(lambda: new(credential="ecd_unknown").upload_report("${folder}/ecg-0.pdf", {})),
]
backend.login("nurse@demo.com", "${DEMO_PASSWORD}")
found.append(name(lambda: backend.upload_report("${folder}/text.pdf", {"patient_id": "${patient.patientId}"})))
found.append(name(lambda: backend.upload_report("${folder}/ecg-0.pdf", {"patient_id": "999999"})))
found.append(name(lambda: backend.upload_report("${folder}/ecg-0.pdf", {"kind": "x-ray"})))
refused = sorted((item["file_name"], item["code"]) for item in backend.refused())
back = backend.retry_refused()
again = backend.flush()
small = new(queue_dir="${root}/small", max_queue_files=1)
network("down")
found.append(name(lambda: small.upload_report("${folder}/ecg-0.pdf", {})))
found.append(name(lambda: small.upload_report("${folder}/text.pdf", {})))
urls = [name(lambda: BackendAPI(url)) for url in ("http://edgecare.example.org", "ftp://localhost", "https://me:pw@localhost")]
print(json.dumps([found, refused, back, len(again.refused), urls]))
`,
      patient,
    );
    const [found, refused, back, again, urls] = result;
    expect(found).toEqual([
      ["InvalidRequest", "invalid_metadata"],
      ["InvalidRequest", "invalid_metadata"],
      ["FileNotFoundError", null],
      ["AuthenticationError", "invalid_credentials"],
      ["AuthenticationError", "unauthenticated"],
      ["NotAPdf", "not_pdf"],
      ["NotFound", "not_found"],
      ["InvalidRequest", "invalid_request"],
      "queued",
      ["QueueFull", null],
    ]);
    expect(refused).toEqual([
      ["ecg-0.pdf", "invalid_request"],
      ["ecg-0.pdf", "not_found"],
      ["text.pdf", "not_pdf"],
    ]);
    expect([back, again]).toEqual([3, 3]);
    expect(urls).toEqual(Array(3).fill(["ConfigurationError", null]));
    // The credential's report waits for a valid one; nothing is lost, and nobody else may read it.
    expect(readdirSync(join(queue, "waiting")).filter((file) => file.endsWith(".pdf"))).toHaveLength(1);
    expect(readdirSync(join(queue, "refused")).filter((file) => file.endsWith(".pdf"))).toHaveLength(3);
    for (const file of globSync(`${queue}/*/*`)) expect(statSync(file).mode & 0o077, file).toBe(0);
    for (const secret of [patient.credential, DEMO_PASSWORD, "a wrong password", "ecd_unknown"])
      expect(output).not.toContain(secret);
  });

  it("waits as the service asks, and takes no answer of something else for one", async () => {
    const patient = await newPatient();
    const folder = newFolder(1);
    const { result } = await script(
      `
backend = new()
states = []
for mode in ("busy", "sign-in page", "redirect"):
    network(mode)
    now[0] += 1000
    states.append(backend.upload_report("${folder}/ecg-0.pdf", {}).status)
network("busy")
now[0] += 1000
backend.flush()
network("up")
early = backend.flush()
waited = backend.wait_until_sent()
print(json.dumps([states, len(early.sent), type(early.error).__name__, slept, [item.status for item in waited.sent]]))
`,
      patient,
    );
    // Seven seconds, and half of the first second as jitter.
    expect(result).toEqual([["queued", "queued", "queued"], 0, "RateLimited", [8], ["stored"]]);
  });

  it("a queue after a power cut: leftovers are removed, and what cannot be read is kept aside", async () => {
    const patient = await newPatient();
    const folder = newFolder(3);
    const queue = newQueue();
    await script(
      `
network("down")
for n in (0, 1, 2):
    new().upload_report("${folder}/ecg-%d.pdf" % n, {})
print("null")
`,
      patient,
      queue,
    );
    network = "up";
    const [cut = "", changed = ""] = globSync(`${queue}/waiting/*.json`).sort();
    writeFileSync(cut, readFileSync(cut, "utf8").slice(0, 40));
    writeFileSync(changed.replace(".json", ".pdf"), "%PDF-1.4 other bytes");
    writeFileSync(join(queue, "waiting/.new-left"), "half a file");
    const { result } = await script(
      `
import os, time
left = "${queue}/waiting/.new-left"
os.utime(left, (time.time() - 7200, time.time() - 7200))
backend = new()
done = backend.flush()
print(json.dumps([[item.status for item in done.sent], sorted(item["code"] for item in backend.refused()), os.path.exists(left)]))
`,
      patient,
      queue,
    );
    expect(result).toEqual([["stored"], ["damaged_file", "damaged_record"], false]);
    expect(globSync(`${queue}/refused/*.pdf`)).toHaveLength(2);
    expect(await reportsOf(patient)).toHaveLength(1);
  });
});

it("is written for Python 3.8 and needs nothing but its standard library", () => {
  const code = `
import ast, sys
tree = ast.parse(open("${CLIENT}/backend_api.py").read(), feature_version=(3, 8))
names = {name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
names |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
print(sorted(names - set(getattr(sys, "stdlib_module_names", names))))
`;
  expect(spawnSync("python3", ["-c", code], { encoding: "utf8" })).toMatchObject({ status: 0, stdout: "[]\n" });
  expect(existsSync(join(CLIENT, "__pycache__"))).toBe(false);
});
