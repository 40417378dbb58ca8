// One hospital of the reference traffic on a metered server: its patients, their devices, its staff.
import { globSync, readFileSync } from "node:fs";
import { newMachineToken } from "../../src/auth/machine-tokens.ts";
import { keysOf } from "../../src/config.ts";
import { database } from "../../src/db/client.ts";
import { careTeam, credentials, deviceAssignments, devices, wards } from "../../src/db/schema.ts";
import { uuidv7 } from "../../src/ids.ts";
import { newUser } from "../people.ts";
import { seedHospitals, seedPatients } from "../seed.ts";
import { type BenchServer, buildBundle, startBench } from "../server.ts";
import type { Counts } from "./counts.ts";

/** 5,000 patients in 20 hospitals. */
const PATIENTS = 250;
const DOCTORS = 5;
const NURSES = 15;
const TEAM = 50;

export type Device = { patientId: string; token: string; seq: number };
export type World = {
  wearables: Device[];
  monitors: Device[];
  cart: Device;
  staff: string[];
  patients: string[];
  reports: string[];
  wardId: string;
};
export type Sizes = { wearables: number; monitors: number };

async function newDevice(env: Env, hospitalId: string, patientId: string, kind: "wearable" | "gateway" | "ecg"): Promise<Device> {
  const db = database(env.DB);
  const made = { createdBy: "bench", createdAt: Date.now() };
  const deviceId = uuidv7();
  const id = uuidv7();
  const { token, secretHash } = await newMachineToken(await keysOf(env), id, null);
  await db.insert(devices).values({ id: deviceId, hospitalId, kind, name: kind, updatedAt: 0, ...made });
  await db.insert(deviceAssignments).values({ id: uuidv7(), deviceId, patientId, startedAt: 0, createdBy: "bench" });
  await db.insert(credentials).values({ id, kind: "device", deviceId, hospitalId, name: kind, secretHash, scopes: "", ...made });
  return { patientId, token, seq: 0 };
}

/** Patients on wearables are watched at home, those on bedside monitors on a ward, as their alarms ask for. */
export async function newWorld(env: Env, { wearables, monitors }: Sizes): Promise<World> {
  const [hospitalId = ""] = await seedHospitals(env.DB);
  const { patients, reports } = await seedPatients(env.DB, await keysOf(env), [hospitalId], 0, PATIENTS);
  const db = database(env.DB);
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
    const { id: userId, token } = await newUser(env, { role, hospitalId, doctorScope: "care_team" });
    staff.push(token);
    const team = role === "doctor" ? patients.slice(0, TEAM) : [];
    for (const patientId of team) await db.insert(careTeam).values({ patientId, userId, addedBy: "bench", startedAt: 0 });
  }
  const made = (ids: string[], kind: "wearable" | "gateway") =>
    Promise.all(ids.map((patientId) => newDevice(env, hospitalId, patientId, kind)));
  const cart = await newDevice(env, hospitalId, patients[0] ?? "", "ecg");
  return {
    wearables: await made(atHome, "wearable"),
    monitors: await made(onWard, "gateway"),
    cart,
    staff,
    patients,
    reports,
    wardId,
  };
}

export type Metered = BenchServer & {
  /** What was counted so far, and the server's clock. */
  counted(): Promise<{ counts: Counts; now: number }>;
  /** Moves the server's clock; alarms that fall due run at their time. */
  advance(ms: number): Promise<void>;
  runClock(cron: string): Promise<void>;
  sizes(): Promise<{ database: number; samples: number }[]>;
  /** One bare request that asks the stores so often. */
  askStores(calls: { kv: number; d1: number }): Promise<void>;
  /** CPU that workerd has used since it started, milliseconds. */
  cpuMs(): number;
};

const TICK_MS = 10;

/** CPU of this process's children named workerd, as Linux tells it (proc(5): fields 4, 14 and 15); 0 elsewhere. */
function childrenCpuMs(): number {
  let ticks = 0;
  for (const stat of globSync("/proc/[0-9]*/stat")) {
    let text = "";
    try {
      text = readFileSync(stat, "utf8");
    } catch {
      continue;
    }
    const [, name = "", rest = ""] = /\((.*)\) \S (.*)$/s.exec(text) ?? [];
    const fields = rest.split(" ").map(Number);
    if (name === "workerd" && fields[0] === process.pid) ticks += (fields[10] ?? 0) + (fields[11] ?? 0);
  }
  return ticks * TICK_MS;
}

/** The production bundle with meters. */
export async function startMetered(): Promise<Metered> {
  const server = await startBench({ main: buildBundle("bench/cost/counting.ts") });
  const control = async <T>(path: string, query: Record<string, string> = {}): Promise<T> => {
    const url = new URL(`/bench/${path}?${new URLSearchParams(query)}`, server.url);
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json() as Promise<T>;
  };
  return {
    ...server,
    counted: () => control("counts"),
    advance: (ms) => control("advance", { ms: String(ms) }),
    runClock: (cron) => control("clock", { cron }),
    sizes: () => control("sizes"),
    askStores: ({ kv, d1 }) => control("stores", { kv: String(kv), d1: String(d1) }),
    cpuMs: childrenCpuMs,
  };
}
