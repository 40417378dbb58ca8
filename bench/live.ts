// Live view under load: one hundred sockets on one hospital while ten monitors send fifty rows per second. Measures the delay
// and checks that every socket gets each sample once. Sockets, simulator and server share the machine. With --stalled N it measures
// instead what N sockets that never read cost in memory.
import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openWebSocket } from "../cli/web-socket.ts";
import { createUnverifiedUserRow, insertStaff } from "../src/accounts/users/users.ts";
import { createAuditLogs } from "../src/audit-log/audit-logs.ts";
import type { LiveFrame } from "../src/monitoring/patient-object/contract.ts";
import { getKeys } from "../src/platform/config.ts";
import { getDb } from "../src/platform/db/client.ts";
import { callApi } from "./api.ts";
import { createUser } from "./people.ts";
import { seedHospitals } from "./seed.ts";
import { startBench } from "./server.ts";
import { openStalled, residentMemory } from "./stalled.ts";

const { values: options } = parseArgs({
  options: {
    duration: { type: "string", default: "60" },
    clients: { type: "string", default: "100" },
    patients: { type: "string", default: "10" },
    rate: { type: "string", default: "50" },
    stalled: { type: "string", default: "0" },
  },
});
const CLIENTS = Number(options.clients);
const PATIENTS = Number(options.patients);
/** Further sockets that never read. */
const STALLED = Number(options.stalled);
const SOCKETS_PER_SESSION = 10;
/** The most that a hundred stalled sockets may add to the growth of the server's resident memory. */
const MAX_GROWTH_MIB = 50;

/** From receipt by the server to receipt by the client, in milliseconds. */
const BUDGET = { p95: 500, max: 1_000 };
/** A client acknowledges after this many frames. */
const ACK_EVERY = 50;
const OPENING_MS = 60_000;
/** Wait for frames in flight after the simulator's last response. */
const LAST_FRAMES_MS = 3_000;
const LOGIN = { email: "simulator@example.org", password: "lanterns over seven hills" };

/** A hospital with monitored patients, a nurse login for the simulator, and viewers. */
async function createWorld(env: Env, url: URL): Promise<string[]> {
  const [hospitalId = ""] = await seedHospitals(env.DB);
  const via = { requestId: "bench", ip: null };
  const actor = { kind: "system", name: "bench", via } as const;
  const call = { db: getDb(env.DB), keys: await getKeys(env), actor, now: Date.now(), auditLog: createAuditLogs(env) };
  await insertStaff(
    call,
    await createUnverifiedUserRow(call, { ...LOGIN, full_name: "Simulator" }),
    hospitalId,
    "nurse",
    "admin",
  );
  const nurses = [];
  const sessions = CLIENTS + Math.ceil(STALLED / SOCKETS_PER_SESSION);
  for (let i = 0; i < sessions; i++) nurses.push(await createUser(env, { role: "nurse", hospitalId, doctorScope: "care_team" }));
  for (let i = 0; i < PATIENTS; i++) {
    const patient = { first_name: `Patient ${i + 1}`, date_of_birth: "1964-03-04", monitoring: "ward" };
    await callApi(url, nurses[0]?.token ?? "", "/api/v1/patients", patient);
  }
  return nurses.map(({ token }) => token);
}

/** Samples of one frame: their local numbers and when the server received them. All sockets get the same text. */
type DecodedFrame = { seq: number; beat: number | undefined; samples: { n: number; received: number }[] };
const numbers = new Map<string, number>();
const recent = new Map<string, DecodedFrame>();
const MAX_RECENT = 1_000;

function decodeFrame(text: string): DecodedFrame {
  const known = recent.get(text);
  if (known) return known;
  const frame: LiveFrame | { type: "view"; seq: number } = JSON.parse(text);
  const samples = frame.type === "samples" ? frame.samples : [];
  const decoded = {
    seq: frame.seq,
    beat: frame.type === "beat" ? frame.beat : undefined,
    samples: samples.map(({ observation_id: id, received_at }) => {
      const n = numbers.get(id) ?? numbers.size;
      numbers.set(id, n);
      return { n, received: Date.parse(received_at) };
    }),
  };
  recent.set(text, decoded);
  const [oldest] = recent.keys();
  if (recent.size > MAX_RECENT && oldest !== undefined) recent.delete(oldest);
  return decoded;
}

/** Number of deliveries per millisecond of delay; the last bin counts all longer ones. */
const lags = new Uint32Array(60_001);
const faults = { twice: 0, disordered: 0, closed: 0 };

/** Maximum number of samples: a row has eight. */
const MAX_SAMPLES = Number(options.rate) * Number(options.duration) * 8;
type Client = { seen: Uint8Array; count: number; ready: boolean; close: () => void };

function openClient(url: URL, token: string): Client {
  const socket = openWebSocket(new URL("/api/v1/live", url), token);
  let frames = 0;
  let last = 0;
  let expected = false;
  const close = () => {
    expected = true;
    socket.close(1000);
  };
  const client: Client = { seen: new Uint8Array(MAX_SAMPLES), count: 0, ready: false, close };
  socket.addEventListener("message", ({ data }) => {
    const now = Date.now();
    const { seq, beat, samples } = decodeFrame(String(data));
    client.ready = true;
    if (seq <= last) faults.disordered++;
    last = seq;
    for (const { n, received } of samples) {
      if (client.seen[n]) faults.twice++;
      else client.count++;
      client.seen[n] = 1;
      const ms = Math.min(lags.length - 1, Math.max(0, now - received));
      lags[ms] = (lags[ms] ?? 0) + 1;
    }
    if (++frames % ACK_EVERY === 0 || beat !== undefined) socket.send(JSON.stringify({ type: "ack", seq, beat }));
  });
  socket.addEventListener("close", ({ code }) => {
    if (expected) return;
    faults.closed++;
    console.log(`a socket was closed: ${code}`);
  });
  return client;
}

/** @returns the simulator's output */
async function runSimulator(url: URL): Promise<string> {
  const { patients, rate, duration } = options;
  const args = { url: url.origin, ...LOGIN, patients, rate, duration };
  const flags = Object.entries(args).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn("node", ["cli/edgecare.ts", "simulate", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const code = await new Promise((resolve) => child.on("exit", resolve));
  if (code !== 0) console.log(`the simulator exited with ${code}`);
  return output;
}

function quantile(share: number): number {
  const total = lags.reduce((sum, n) => sum + n, 0);
  let below = 0;
  for (const [ms, n] of lags.entries()) {
    below += n;
    if (below > 0 && below >= share * total) return ms;
  }
  return Number.NaN;
}

/** @returns whether every bound holds */
function printReport(output: string, clients: readonly Client[]): boolean {
  const [, samples = "0"] = /\d+ rows, (\d+) samples/.exec(output) ?? [];
  const [, stored = "0"] = /^stored (\d+)/m.exec(output.slice(output.search(/\d+ rows, \d+ samples/))) ?? [];
  const refused = [...output.matchAll(/not delivered \((.*?)\)/g)].map(([, why]) => why);
  const sent = Number(samples);
  const lost = clients.reduce((sum, { count }) => sum + sent - count, 0);
  const [p50, p95, p99, max] = [quantile(0.5), quantile(0.95), quantile(0.99), quantile(1)];
  console.log(output.slice(output.search(/\d+ rows, \d+ samples/)));
  console.log(`| sockets | samples | deliveries | lost | twice | out of order | 429 | p50, ms | p95, ms | p99, ms | longest, ms |
|---|---|---|---|---|---|---|---|---|---|---|
| ${clients.length} | ${sent} | ${sent * clients.length - lost} | ${lost} | ${faults.twice} | ${faults.disordered} | ${refused.filter((why) => why === "429").length} | ${p50} | ${p95} | ${p99} | ${max} |`);
  const isComplete = sent > 0 && Number(stored) === sent && lost === 0 && refused.length === 0;
  const isOrderly = faults.twice + faults.disordered + faults.closed === 0;
  return isComplete && isOrderly && (p95 ?? Number.NaN) < BUDGET.p95 && (max ?? Number.NaN) < BUDGET.max;
}

/** Runs the simulator while sockets are stalled, and prints by how much the server's resident memory grew. @returns MiB */
async function measureGrowth(url: URL, tokens: readonly string[], count: number): Promise<number> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    sockets.push(await openStalled(url, tokens[Math.floor(i / SOCKETS_PER_SESSION)] ?? ""));
  }
  const before = residentMemory();
  let max = before;
  const timer = setInterval(() => {
    max = Math.max(max, residentMemory());
  }, 1_000);
  await runSimulator(url);
  clearInterval(timer);
  for (const socket of sockets) socket.destroy();
  const [from, growth] = [before, max - before].map((bytes) => Math.round(bytes / 1024 / 1024));
  console.log(`${count} stalled sockets: resident memory from ${from} MiB, growth ${growth} MiB`);
  return growth ?? Number.NaN;
}

async function main(): Promise<void> {
  const { url, env, close } = await startBench();
  const clients: Client[] = [];
  try {
    const tokens = await createWorld(env, url);
    for (const token of tokens.slice(0, CLIENTS)) clients.push(openClient(url, token));
    const opened = Date.now();
    while (clients.some(({ ready }) => !ready)) {
      if (Date.now() - opened > OPENING_MS) throw new Error("not every socket opened");
      await pause(100);
    }
    if (STALLED > 0) {
      // Memory also grows without them: the first run warms the server up, the second is the control.
      const growths: number[] = [];
      for (const count of [0, 0, STALLED]) growths.push(await measureGrowth(url, tokens.slice(CLIENTS), count));
      const [, control = Number.NaN, stalled = Number.NaN] = growths;
      process.exitCode = stalled - control <= MAX_GROWTH_MIB ? 0 : 1;
      return;
    }
    const output = await runSimulator(url);
    await pause(LAST_FRAMES_MS);
    process.exitCode = printReport(output, clients) ? 0 : 1;
  } finally {
    for (const client of clients) client.close();
    await close();
  }
}

await main();
