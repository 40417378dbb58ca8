// One hospital of the reference traffic on a metered server: patients, devices and staff.
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DEVICE_SCOPES } from "../../src/access/permissions.ts";
import { createCredentialToken } from "../../src/accounts/sessions/credential-tokens.ts";
import type { AuditLogEvent } from "../../src/audit-log/contract.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { careTeam, credentials, deviceAssignments, devices, wards } from "../../src/platform/db/schema.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import { createUser } from "../people.ts";
import { seedHospitals, seedPatients } from "../seed.ts";
import { type BenchServer, buildBundle, chooseStoresFolder, startBench } from "../server.ts";
import type { Counts } from "./counts.ts";

/** 5,000 patients in 20 hospitals. */
const PATIENTS = 250;
const DOCTORS = 5;
const NURSES = 15;
const TEAM_SIZE = 50;

export type Device = { patientId: string; credentialId: string; token: string; seq: number };
export type World = {
  wearables: Device[];
  monitors: Device[];
  cart: Device;
  staff: string[];
  patients: string[];
  reports: string[];
  wardId: string;
  hospitalId: string;
};
export type Sizes = { wearables: number; monitors: number };

async function createDevice(
  env: Env,
  hospitalId: string,
  patientId: string,
  kind: "wearable" | "gateway" | "ecg",
): Promise<Device> {
  const db = getDb(env.DB);
  const made = { createdBy: "bench", createdAt: Date.now() };
  const scopes = DEVICE_SCOPES.join(" ");
  const deviceId = uuidv7();
  const id = uuidv7();
  const { token, secretHash } = await createCredentialToken(await getKeys(env), id, null);
  await db.insert(devices).values({ id: deviceId, hospitalId, kind, name: kind, updatedAt: 0, ...made });
  await db.insert(deviceAssignments).values({ id: uuidv7(), deviceId, patientId, startedAt: 0, createdBy: "bench" });
  await db.insert(credentials).values({ id, kind: "device", deviceId, hospitalId, name: kind, secretHash, scopes, ...made });
  return { patientId, credentialId: id, token, seq: 0 };
}

/** Wearable patients are monitored at home, the others on a ward, so that their alarms differ as in production. */
export async function createWorld(env: Env, { wearables, monitors }: Sizes): Promise<World> {
  const [hospitalId = ""] = await seedHospitals(env.DB);
  const { patients, reports } = await seedPatients(env.DB, await getKeys(env), [hospitalId], 0, PATIENTS);
  const db = getDb(env.DB);
  const wardId = uuidv7();
  await db.insert(wards).values({ id: wardId, hospitalId, name: "Ward", createdAt: 0, updatedAt: 0 });
  const atHome = patients.slice(0, wearables);
  const onWard = patients.slice(wearables, wearables + monitors);
  await env.DB.prepare("UPDATE patients SET monitoring = 'home', ward_id = ?1 WHERE id IN (SELECT value FROM json_each(?2))")
    .bind(wardId, JSON.stringify(atHome))
    .run();
  await env.DB.prepare("UPDATE patients SET monitoring = 'ward', ward_id = ?1 WHERE id IN (SELECT value FROM json_each(?2))")
    .bind(wardId, JSON.stringify(onWard))
    .run();
  const staff: string[] = [];
  for (let i = 0; i < DOCTORS + NURSES; i++) {
    const role = i < DOCTORS ? ("doctor" as const) : ("nurse" as const);
    const { id: userId, token } = await createUser(env, { role, hospitalId, doctorScope: "care_team" });
    staff.push(token);
    const team = role === "doctor" ? patients.slice(0, TEAM_SIZE) : [];
    for (const patientId of team) await db.insert(careTeam).values({ patientId, userId, addedBy: "bench", startedAt: 0 });
  }
  const made = (ids: string[], kind: "wearable" | "gateway") =>
    Promise.all(ids.map((patientId) => createDevice(env, hospitalId, patientId, kind)));
  const cart = await createDevice(env, hospitalId, patients[0] ?? "", "ecg");
  return {
    wearables: await made(atHome, "wearable"),
    monitors: await made(onWard, "gateway"),
    cart,
    staff,
    patients,
    reports,
    wardId,
    hospitalId,
  };
}

/** Calls of the local emulators. `object`: an empty call. */
export const STORES = ["kv", "d1", "cache", "limit", "object"] as const;
export type Store = (typeof STORES)[number];

export type MeteredServer = BenchServer & {
  /** The counts so far, and the server's clock. */
  counted(): Promise<{ counts: Counts; now: number }>;
  /** Advances the server's clock; alarms that become due run at their time. */
  advance(ms: number): Promise<void>;
  /** As `advance`, but only alarms of audit logs run. */
  advanceLogs(ms: number): Promise<void>;
  /** Appends events to an audit log; not counted. */
  append(log: string, events: AuditLogEvent[]): Promise<void>;
  /** Bytes of the files in R2 whose keys begin so. */
  fileBytes(prefix: string): Promise<number>;
  /** Bytes of each table and index of D1 that rows occupy, by name. */
  tableBytes(): Record<string, number>;
  runClock(cron: string): Promise<void>;
  sizes(): Promise<{ database: number; samples: number }[]>;
  /** One bare request with this many calls of the stores. */
  callStores(calls: Partial<Record<Store, number>>): Promise<void>;
  /** One sync sent directly to the patient's object, or (`ask` false) only a request with the same body. */
  record(direct: {
    patient: string;
    credential: string;
    sentAt: number;
    items: object[];
    sendRequest: boolean;
  }): Promise<unknown>;
  /** CPU time of workerd since its start, in milliseconds. */
  cpuMs(): number;
};

const TICK_MS = 10;

type Process = { name: string; parent: number; ticks: number };

/** From /proc (proc(5): fields 2, 4, 14 and 15); null if the process has ended. */
function readProcess(stat: string): Process | null {
  let text = "";
  try {
    text = readFileSync(stat, "utf8");
  } catch {
    return null;
  }
  const [, name = "", rest = ""] = /\((.*)\) \S (.*)$/s.exec(text) ?? [];
  const fields = rest.split(" ").map(Number);
  return { name, parent: fields[0] ?? 0, ticks: (fields[10] ?? 0) + (fields[11] ?? 0) };
}

/** CPU time of the workerd processes that this one has started; 0 on systems other than Linux. */
function createCpuReader(): () => number {
  const workerdStats = globSync("/proc/[0-9]*/stat").filter((stat) => {
    const found = readProcess(stat);
    return found?.name === "workerd" && found.parent === process.pid;
  });
  return () => TICK_MS * workerdStats.reduce((sum, stat) => sum + (readProcess(stat)?.ticks ?? 0), 0);
}

/** Bytes in use by the cells of each B-tree of D1's file (`dbstat`): free space of pages is left out. */
function readTableBytes(state: string): Record<string, number> {
  for (const file of globSync(join(state, "**/*.sqlite"))) {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      if (!database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'patients'").get()) continue;
      const rows = database.prepare("SELECT name, sum(pgsize - unused) AS bytes FROM dbstat GROUP BY name").all();
      return Object.fromEntries(rows.map(({ name, bytes }) => [String(name), Number(bytes)]));
    } finally {
      database.close();
    }
  }
  throw new Error("no file of D1");
}

/** The production bundle with meters. */
export async function startMetered(): Promise<MeteredServer> {
  const main = buildBundle("bench/cost/counting.ts");
  const state = mkdtempSync(join(chooseStoresFolder(), "edgecare-cost-"));
  const server = await startBench({ main, state });
  const control = async <T>(path: string, query: Record<string, string> = {}, body?: string): Promise<T> => {
    const url = new URL(`/bench/${path}?${new URLSearchParams(query)}`, server.url);
    const response = await fetch(url, body === undefined ? {} : { method: "POST", body });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json() as Promise<T>;
  };
  return {
    ...server,
    counted: () => control("counts"),
    advance: (ms) => control("advance", { ms: String(ms) }),
    advanceLogs: (ms) => control("advance", { ms: String(ms), alarms: "AUDIT_LOG" }),
    append: (log, events) => control("append", {}, JSON.stringify({ log, events })),
    // In the Worker: the platform's proxy of the bindings closes connections that are idle for minutes.
    fileBytes: (prefix) => control("files", { prefix }),
    tableBytes: () => readTableBytes(state),
    runClock: (cron) => control("clock", { cron }),
    sizes: () => control("sizes"),
    callStores: (calls) => control("stores", Object.fromEntries(Object.entries(calls).map(([store, n]) => [store, String(n)]))),
    record: (direct) => control("record", {}, JSON.stringify(direct)),
    cpuMs: createCpuReader(),
    close: async () => {
      await server.close();
      rmSync(state, { recursive: true, force: true });
    },
  };
}
