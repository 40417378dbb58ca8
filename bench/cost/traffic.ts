// A small part of the reference traffic through the API of the metered product, one kind after another.
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { openWebSocket } from "../../cli/web-socket.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { addCounts, type Counts, subtractCounts, ZERO_COUNTS } from "./counts.ts";
import { measureGrowth, measureLogs, measurePacking, type RowBytes } from "./lasting.ts";
import { createWorld, type Device, type MeteredServer, STORES, type Store, type World } from "./world.ts";

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;
/** Syncs before the measurement, every quarter of an hour, until the engine has compiled hot code: 1,500 in total. */
const WARM_ROUNDS = 75;
/** One whole day, because the end of a day causes work of its own. */
const ROUNDS = 96;
const ROUNDS_BEFORE_READS = 2;
const WEARABLES = 20;
const MONITORS = 2;
const UPLOADS = 20;
const READS = 72;
/** Warm-up of reads and uploads. Tokens last an hour of the simulated clock, so these come first. */
const WARM_READS = 360;
const WARM_UPLOADS = 200;
const CLOCK_RUNS = 5;
const FLOOR_RUNS = 100;
const FLOOR_CALLS = 5;
const RECORD_ROUNDS = 15;
const RING_MS = 100;
const ACK_S = 12;
const ECG_BYTES = 400_000;
const SMALL_ECG_BYTES = 2_000;
export const EVERY_MINUTE = "* * * * *";
export const EVERY_QUARTER = "*/15 * * * *";

const VITALS: readonly [code: string, unit: string, value: number][] = [
  [CODES.heart_rate, "/min", 72],
  [CODES.spo2, "%", 97],
  [CODES.respiratory_rate, "/min", 16],
  [CODES.systolic, "mm[Hg]", 121],
  [CODES.diastolic, "mm[Hg]", 78],
  [CODES.temperature, "Cel", 36.8],
];
const WEARABLE_VITALS = 5;

/** Total cost of `units` of one kind of traffic; `cpuMs`: of the whole local platform. */
export type TrafficCost = { units: number; counts: Counts; cpuMs: number };
export const TRAFFIC_KINDS = [
  "first sync",
  "sync",
  "patient-hour",
  "upload",
  "read",
  "monitor-second",
  "minute clock",
  "quarter clock",
  "log-hour",
  "packed day",
] as const;
export type TrafficKind = (typeof TRAFFIC_KINDS)[number];
/**
 * CPU milliseconds that production does not bill to the Worker: a bare request, one call of each store, and
 * the work of an object on a sync (`record`) beyond an empty call.
 */
export type PlatformOverhead = Record<"request" | "record" | Store, number>;
/**
 * `objectBytes`: size of a patient's object before samples; `sampleBytes`: size of one packed sample; `logBytes`: files of one event
 * in R2; `rowBytes`: what stays in D1.
 */
export type Counted = {
  stretches: Record<TrafficKind, TrafficCost>;
  floors: PlatformOverhead;
  objectBytes: number;
  sampleBytes: number;
  logBytes: number;
  rowBytes: RowBytes;
};

export type Run = { server: MeteredServer; world: World; stretches: Map<TrafficKind, TrafficCost> };

/** Adds the cost of `work` to a kind. */
export async function measureTraffic(
  { server, stretches }: Run,
  kind: TrafficKind,
  units: number,
  work: () => Promise<unknown>,
): Promise<void> {
  const before = (await server.counted()).counts;
  const cpuBefore = server.cpuMs();
  await work();
  const cpuMs = server.cpuMs() - cpuBefore;
  const counts = subtractCounts((await server.counted()).counts, before);
  const known = stretches.get(kind) ?? { units: 0, counts: ZERO_COUNTS, cpuMs: 0 };
  stretches.set(kind, { units: known.units + units, counts: addCounts(known.counts, counts), cpuMs: known.cpuMs + cpuMs });
}

/** One request. @throws Error for a status other than 2xx */
async function sendRequest(
  server: MeteredServer,
  token: string,
  path: string,
  body?: string | Buffer<ArrayBuffer>,
): Promise<void> {
  const sends: Record<string, string> | undefined =
    typeof body === "string"
      ? { "Content-Type": "application/json" }
      : body && { "Content-Type": "application/pdf", "X-Content-SHA256": createHash("sha256").update(body).digest("hex") };
  const response = await fetch(new URL(`/api/v1${path}`, server.url), {
    method: body === undefined ? "GET" : "POST",
    headers: { Authorization: `Bearer ${token}`, ...sends },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
}

/** One value per vital, slightly different each time. */
function createSamples(device: Device, vitals: typeof VITALS, at: number) {
  return vitals.map(([code, unit, value]) => {
    const seq = ++device.seq;
    const wobble = unit === "Cel" ? (seq % 3) / 10 : seq % 3;
    return { code, unit, value: Math.round((value + wobble) * 10) / 10, effective_at: new Date(at).toISOString(), seq };
  });
}

/** A wearable's sync: one value of each of its vitals per minute since the last sync. */
export async function sendSync(server: MeteredServer, device: Device, now: number): Promise<void> {
  const samples = createQuarterSamples(device, now);
  await sendRequest(server, device.token, "/observations", JSON.stringify({ samples, sent_at: new Date(now).toISOString() }));
}

function createQuarterSamples(device: Device, now: number) {
  const vitals = VITALS.filter(([code]) => code !== CODES.respiratory_rate).slice(0, WEARABLE_VITALS);
  const minutes = Array.from({ length: QUARTER_MS / MINUTE_MS }, (_, i) => now - QUARTER_MS + (i + 1) * MINUTE_MS);
  return minutes.flatMap((at) => createSamples(device, vitals, at));
}

/** Each wearable once, spread over the quarter of an hour; background work of objects in between counts as patient-hours. */
async function runSyncRound(run: Run, kind: "first sync" | "sync" | "warm-up"): Promise<void> {
  const { server, world } = run;
  for (const device of world.wearables) {
    const between = () => server.advance(QUARTER_MS / world.wearables.length);
    if (kind === "sync") await measureTraffic(run, "patient-hour", QUARTER_MS / (60 * MINUTE_MS), between);
    else await between();
    const { now } = await server.counted();
    if (kind === "warm-up") await sendSync(server, device, now);
    else await measureTraffic(run, kind, 1, () => sendSync(server, device, now));
  }
}

function createEcg(bytes: number): Buffer<ArrayBuffer> {
  const text = `%PDF-1.7\n${randomBytes(bytes / 2)
    .toString("hex")
    .slice(0, bytes - 16)}\n%%EOF\n`;
  return Buffer.from(text);
}

/** Reads during a shift: lists and searches, a patient's page, the ward. */
function toReadPath({ patients, reports, wearables, wardId }: World, n: number): string {
  const patient = wearables[n % wearables.length]?.patientId ?? "";
  const paths = [
    "/patients?limit=20",
    `/patients/search?q=${encodeURIComponent(`First${n}`)}`,
    `/patients/${patient}`,
    `/patients/${patient}/summary`,
    `/patients/${patient}/observations/latest`,
    `/patients/${patient}/observations?limit=100`,
    `/patients/${patient}/observations?buckets=60`,
    `/patients/${patient}/scores/news2`,
    "/alerts?limit=20",
    `/wards/${wardId}/board`,
    "/reports?limit=20",
    `/reports/${reports[patients.indexOf(patient)]}`,
  ];
  return paths[n % paths.length] ?? "";
}

async function connectMonitor(url: URL, token: string): Promise<WebSocket> {
  const socket = openWebSocket(new URL("/api/v1/observations/stream", url), token);
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve(socket));
    socket.addEventListener("close", ({ code }) => reject(new Error(`the socket of a monitor closed with ${code}`)));
  });
}

/** Bedside monitors for some real seconds, one frame per second; alarms run on time. */
async function runMonitors(run: Run, seconds: number): Promise<void> {
  const { server, world } = run;
  const sockets = await Promise.all(world.monitors.map(({ token }) => connectMonitor(server.url, token)));
  let acknowledged = 0;
  for (const socket of sockets) {
    socket.addEventListener("message", ({ data }) => {
      acknowledged = Math.max(acknowledged, Number(JSON.parse(String(data)).upto ?? 0));
    });
  }
  const { now } = await server.counted();
  const ahead = now - Date.now();
  let running = true;
  const ringing = (async () => {
    while (running) {
      await server.advance(0);
      await pause(RING_MS);
    }
  })();
  const send = async (count: number) => {
    const started = Date.now();
    for (let second = 0; second < count; second++) {
      const at = Date.now() + ahead;
      for (const [i, device] of world.monitors.entries()) {
        const samples = createSamples(device, VITALS, at);
        sockets[i]?.send(JSON.stringify({ type: "samples", samples, sent_at: new Date(at).toISOString() }));
      }
      await pause(Math.max(0, started + (second + 1) * 1_000 - Date.now()));
    }
  };
  try {
    // Measures from one acknowledgement on, so that the first frames' extra work is not charged to every minute.
    await send(ACK_S);
    await measureTraffic(run, "monitor-second", seconds * sockets.length, () => send(seconds));
    if (acknowledged === 0) throw new Error("the monitors' samples were not acknowledged");
  } finally {
    running = false;
    await ringing;
    for (const socket of sockets) socket.close();
  }
}

async function runCrons(run: Run): Promise<void> {
  const { server } = run;
  // Deliveries left over from the set-up do not belong to a quiet minute.
  await server.runClock(EVERY_MINUTE);
  for (const [kind, cron] of [
    ["minute clock", EVERY_MINUTE],
    ["quarter clock", EVERY_QUARTER],
  ] as const) {
    await measureTraffic(run, kind, CLOCK_RUNS, async () => {
      for (let i = 0; i < CLOCK_RUNS; i++) await server.runClock(cron);
    });
  }
}

/** CPU of the object for one sync: the same body with and without the call. */
async function measureRecordCpu({ server, world }: Run): Promise<number> {
  let [asked, read] = [0, 0];
  for (let i = 0; i < RECORD_ROUNDS; i++) {
    await server.advance(QUARTER_MS);
    const { now } = await server.counted();
    const bodies = world.wearables.map((device) => {
      const { patientId: patient, credentialId: credential } = device;
      return { patient, credential, sentAt: now, items: createQuarterSamples(device, now) };
    });
    const start = server.cpuMs();
    for (const body of bodies) await server.record({ ...body, sendRequest: true });
    const middle = server.cpuMs();
    for (const body of bodies) await server.record({ ...body, sendRequest: false });
    asked += middle - start;
    read += server.cpuMs() - middle;
  }
  return (asked - read) / RECORD_ROUNDS / world.wearables.length;
}

async function measureOverhead(run: Run): Promise<PlatformOverhead> {
  const { server } = run;
  const cpuOf = async (calls: Partial<Record<Store, number>>) => {
    const before = server.cpuMs();
    for (let i = 0; i < FLOOR_RUNS; i++) await server.callStores(calls);
    return (server.cpuMs() - before) / FLOOR_RUNS;
  };
  await cpuOf({ kv: 1, d1: 1, cache: 1, limit: 1, object: 1 });
  const floors = { request: await cpuOf({}), record: 0, kv: 0, d1: 0, cache: 0, limit: 0, object: 0 };
  for (const store of STORES) {
    floors[store] = Math.max(0, (await cpuOf({ [store]: FLOOR_CALLS })) - floors.request) / FLOOR_CALLS;
  }
  floors.record = Math.max(0, (await measureRecordCpu(run)) - floors.object);
  return floors;
}

async function measureStorage({ server, world }: Run): Promise<{ objectBytes: number; sampleBytes: number }> {
  const sizes = (await server.sizes()).filter(({ samples }) => samples > 0);
  const samples = [...world.wearables, ...world.monitors].reduce((total, { seq }) => total + seq, 0);
  const packed = sizes.reduce((total, size) => total + size.samples, 0);
  const databases = sizes.reduce((total, size) => total + size.database, 0);
  return { objectBytes: (databases - packed) / sizes.length, sampleBytes: packed / samples };
}

/** @param seconds how long the bedside monitors send */
export async function countTraffic(server: MeteredServer, seconds: number, logLine: (line: string) => void): Promise<Counted> {
  const world = await createWorld(server.env, { wearables: WEARABLES, monitors: MONITORS });
  const run: Run = { server, world, stretches: new Map() };
  logLine(`${WEARABLES} wearables, ${WARM_ROUNDS} syncs each to warm up, then ${ROUNDS}`);
  await server.runClock(EVERY_MINUTE);
  await runSyncRound(run, "first sync");
  for (let i = 0; i < ROUNDS_BEFORE_READS; i++) await runSyncRound(run, "warm-up");
  logLine(`${READS} reads by staff, ${UPLOADS} ECG uploads`);
  const reads = async (from: number, count: number) => {
    for (let n = from; n < from + count; n++) {
      await sendRequest(server, world.staff[n % world.staff.length] ?? "", toReadPath(world, n));
    }
  };
  await reads(0, WARM_READS);
  await measureTraffic(run, "read", READS, () => reads(WARM_READS, READS));
  const upload = async (ecg: Buffer<ArrayBuffer>) =>
    sendRequest(server, world.cart.token, `/reports?patient_id=${world.cart.patientId}`, ecg);
  // Of a patient each, as in the reference traffic: counters have a row per patient and day.
  const nurses = world.staff.slice(world.staff.length / 2);
  const uploaded = await measureGrowth(server, WARM_UPLOADS, async () => {
    for (const [n, patientId] of world.patients.slice(0, WARM_UPLOADS).entries()) {
      const nurse = nurses[n % nurses.length] ?? "";
      await sendRequest(server, nurse, `/reports?patient_id=${patientId}`, createEcg(SMALL_ECG_BYTES));
    }
  });
  const ecgs = Array.from({ length: UPLOADS }, () => createEcg(ECG_BYTES));
  await measureTraffic(run, "upload", UPLOADS, async () => {
    for (const ecg of ecgs) await upload(ecg);
  });
  for (let i = 0; i < WARM_ROUNDS; i++) await runSyncRound(run, "warm-up");
  for (let i = 0; i < ROUNDS; i++) await runSyncRound(run, "sync");
  // Hands over the day's events of the devices.
  await measureTraffic(run, "patient-hour", 0, () => server.runClock(EVERY_MINUTE));
  await runCrons(run);
  const floors = await measureOverhead(run);
  logLine(`${MONITORS} bedside monitors for ${seconds} s`);
  await runMonitors(run, seconds);
  const storage = await measureStorage(run);
  // Before the month of the log, after which all hours would be due at once.
  logLine("hours older than 60 days");
  const packed = await measurePacking(run);
  logLine("a month of one hospital's audit log");
  const logBytes = await measureLogs(run);
  const kinds = TRAFFIC_KINDS.map((kind) => [kind, run.stretches.get(kind) ?? { units: 1, counts: ZERO_COUNTS, cpuMs: 0 }]);
  const rowBytes = { upload: uploaded, ...packed };
  return { stretches: Object.fromEntries(kinds), floors, ...storage, logBytes, rowBytes };
}
