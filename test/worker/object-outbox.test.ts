// The outbox of a patient's object with a row that D1 rejects, damaged documents, and log lines of errors.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  deliverAllDue,
  deliverChanges,
  MAX_ATTEMPTS as MAX_CHANGE_ATTEMPTS,
} from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { deliverToD1 } from "../../src/monitoring/patient-object/delivery/d1-delivery.ts";
import { backOff, MAX_ATTEMPTS, PARKED_RETRY_MS } from "../../src/monitoring/patient-object/delivery/outbox.ts";
import type { PatientMonitor } from "../../src/monitoring/patient-object/patient-monitor.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { renderMetrics } from "../../src/service/metrics.ts";
import patientAt1 from "../fixtures/objects/PatientMonitor-1.json";
import { loadStorage } from "../object-storage.ts";
import { captureLogs } from "../token-forge.ts";
import { env, newWorld } from "../world.ts";
import { HOSPITAL, MORNING, PATIENT } from "./object-lives.ts";

const NOW = MORNING + 41 * 60_000;
const monitor = () => env.PATIENT_MONITOR.getByName(PATIENT);
const inMonitor = <T>(work: (instance: PatientMonitor, state: DurableObjectState) => T | Promise<T>) =>
  runInDurableObject(monitor(), work);
const rows = <T extends Record<string, SqlStorageValue>>(query: string, ...values: SqlStorageValue[]) =>
  inMonitor((_, state) => state.storage.sql.exec<T>(query, ...values).toArray());
const alarm = () => inMonitor((instance) => instance.alarm());
const told = async (table: "alerts" | "vital_hours") => {
  const statement =
    table === "alerts"
      ? env.DB.prepare("SELECT count(*) AS n FROM alerts")
      : env.DB.prepare("SELECT count(*) AS n FROM vital_hours WHERE hour = 1140992");
  return statement.first<number>("n");
};
/** The lines that the objects logged. */
const linesOf = (logs: () => string) =>
  logs()
    .split("\n")
    .filter((line) => line.includes("object failed"))
    .map((line) => JSON.parse(line)[0]);
const gauge = async (name: string) => {
  const text = await renderMetrics({ db: getDb(env.DB), now: Date.now() });
  return Number(new RegExp(`^edgecare_${name} (\\S+)$`, "m").exec(text)?.[1]);
};

beforeEach(async () => {
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
  await env.DB.batch([
    env.DB.prepare("DELETE FROM alerts"),
    env.DB.prepare("DELETE FROM alert_events"),
    env.DB.prepare("DELETE FROM vital_hours"),
    env.DB.prepare("DELETE FROM held_observations"),
    env.DB.prepare("DELETE FROM outbox"),
  ]);
  await inMonitor((_, state) => loadStorage(state.storage.sql, patientAt1.storage));
  await evictDurableObject(monitor());
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Changes the first row to one that D1 always rejects. */
const poison = {
  "is not JSON": "UPDATE outbox SET body = 'no JSON' WHERE id = (SELECT min(id) FROM outbox)",
  "lacks a field":
    "UPDATE outbox SET body = json_remove(body, '$.transition.alert.priority') WHERE id = (SELECT min(id) FROM outbox)",
  "is of a kind that nobody knows": "UPDATE outbox SET kind = 'new' WHERE id = (SELECT min(id) FROM outbox)",
  "breaks a rule of D1":
    "UPDATE outbox SET body = json_set(body, '$.transition.at', 1.5) WHERE id = (SELECT min(id) FROM outbox)",
};
type Poison = keyof typeof poison;

describe("a row that D1 refuses", () => {
  it.each(Object.keys(poison).filter((name): name is Poison => name in poison))(
    "and that %s blocks none behind it",
    async (name) => {
      captureLogs();
      await rows(poison[name]);
      const { waiting } = await monitor().outboxState();
      await alarm();
      expect(await monitor().outboxState()).toEqual({ waiting: 1, parked: 0 });
      expect(waiting).toBeGreaterThan(10);
      expect(await told("alerts")).toBeGreaterThan(1);
      expect(await told("vital_hours")).toBe(1);
    },
  );

  it("blocked all of them while rows went in one batch and in order", async () => {
    await rows(poison["is not JSON"]);
    const waiting = await rows<{ id: number; kind: string; body: string }>(
      "SELECT id, kind, body FROM outbox ORDER BY id LIMIT 50",
    );
    const home = { patient: PATIENT, hospital: HOSPITAL };
    await expect(deliverToD1(env, getDb(env.DB), home, waiting, NOW)).rejects.toThrow("outbox alert");
    expect(await told("alerts")).toBe(0);
  });

  it("is tried ever later, parked, counted, and tried again after hours and on demand", async () => {
    const logs = captureLogs();
    await rows(poison["is not JSON"]);
    let now = NOW;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      await alarm();
      const [row] = await rows<{ attempts: number; due_at: number }>(
        "SELECT attempts, due_at FROM outbox WHERE body = 'no JSON'",
      );
      const wait = attempt === MAX_ATTEMPTS ? PARKED_RETRY_MS : backOff(attempt - 1, false);
      expect(row).toEqual({ attempts: attempt, due_at: now + wait });
      // Before the delay has passed, nothing is tried.
      vi.setSystemTime(now + wait - 1);
      await alarm();
      expect(await rows("SELECT attempts FROM outbox WHERE body = 'no JSON'")).toEqual([{ attempts: attempt }]);
      now += wait;
      vi.setSystemTime(now);
    }
    expect(await monitor().outboxState()).toMatchObject({ parked: 1 });
    expect(await gauge("monitor_outbox_parked")).toBe(1);
    const lines = linesOf(logs);
    expect(lines.map(({ reason }) => reason)).toEqual([...Array(MAX_ATTEMPTS - 1).fill("will retry"), "parked"]);
    expect(lines[0]).toMatchObject({
      operation: "deliver",
      object_id: PATIENT,
      code: "alert",
      count: 1,
      document: "outbox alert",
    });
    // Six hours later it is retried and fails; newer rows do not wait for it.
    await alarm();
    expect(await rows("SELECT attempts FROM outbox WHERE body = 'no JSON'")).toEqual([{ attempts: MAX_ATTEMPTS + 1 }]);
    const [good] = await rows<{ id: number }>("SELECT id FROM outbox WHERE body = 'no JSON'");
    const [alert = { body: "" }] = patientAt1.storage.rows.outbox.filter(({ kind }) => kind === "alert");
    await rows("UPDATE outbox SET body = ? WHERE id = ?", alert.body, good?.id ?? 0);
    expect(await monitor().retryParked()).toBe(1);
    await alarm();
    expect(await monitor().outboxState()).toEqual({ waiting: 0, parked: 0 });
    expect(await gauge("monitor_outbox_parked")).toBe(0);
  });

  it("is not blamed for a D1 that does not answer", async () => {
    captureLogs();
    await env.DB.exec("ALTER TABLE alerts RENAME TO alerts_away");
    await alarm();
    await env.DB.exec("ALTER TABLE alerts_away RENAME TO alerts");
    // A missing table is a fault of EdgeCare, and it affects every alert row: the others are delivered.
    const { waiting } = await monitor().outboxState();
    expect(waiting).toBe(patientAt1.storage.rows.outbox.filter(({ kind }) => kind === "alert").length);
    vi.setSystemTime(NOW + 60_000);
    await alarm();
    expect(await monitor().outboxState()).toEqual({ waiting: 0, parked: 0 });
  });
});

describe("a device's clock", () => {
  it("that waits is replaced by a newer one, so that a late delivery is never older than D1", async () => {
    const before = await rows("SELECT id FROM outbox WHERE kind = 'clock'");
    expect(before).toHaveLength(2);
    const device = Object.keys(JSON.parse(patientAt1.storage.rows.open[0]?.memory ?? "{}").heard).at(-1) ?? "";
    await inMonitor(async (instance) => {
      const origin = { kind: "device", credential: "band-credential" } as const;
      instance.record(origin, { items: [], sent_at: Date.now() + 700_000, conditions: null });
    });
    const clocks = await rows<{ body: string }>("SELECT body FROM outbox WHERE kind = 'clock'");
    expect(clocks.map(({ body }) => JSON.parse(body).content)).toEqual([{ device, skew: 700_000 }]);
  });
});

describe("a memory that cannot be read", () => {
  const damage = (query: string) =>
    inMonitor((_, state) => void state.storage.sql.exec(query)).then(() => evictDurableObject(monitor()));
  const alertsNow = async () => (await monitor().snapshot())?.alerts.map(({ rule, code }) => `${rule} ${code}`);

  it("keeps every part that can be, is logged with its place, and its text stays", async () => {
    const logs = captureLogs();
    await damage("UPDATE open SET memory = json_set(memory, '$.alarm.vitals.\"8867-4\".v', 'high')");
    expect(await alertsNow()).toEqual(["technical null", "limit 2708-6", "limit 8867-4"]);
    const [line] = linesOf(logs);
    expect(line).toMatchObject({
      levelname: "ERROR",
      object: "PatientMonitor",
      operation: "read",
      object_id: PATIENT,
      cause: "StoredDocumentError",
      document: "memory",
      position: "alarm.vitals.8867-4.lastValue",
    });
    expect(line.at).toContain("stored-document.ts");
    await alarm();
    const [kept] = await rows<{ value: string }>("SELECT value FROM settings WHERE name = 'memory.damaged'");
    expect(JSON.parse(kept?.value ?? "{}").alarm.vitals["8867-4"].v).toBe("high");
    const [now] = await rows<{ memory: string }>("SELECT memory FROM open");
    expect(Object.keys(JSON.parse(now?.memory ?? "{}").content.alarm.vitals)).not.toContain("8867-4");
  });

  it("that is lost altogether begins anew, and D1 takes the next alarm as a new one", async () => {
    captureLogs();
    await damage("UPDATE open SET memory = 'no JSON'");
    const origin = { kind: "device", credential: "monitor-credential" } as const;
    const item = { code: "8867-4", value: 190, unit: "/min", effective_at: new Date(NOW).toISOString(), seq: 99_000 };
    await monitor().record(origin, { items: [item], sent_at: NOW, conditions: null });
    expect(await alertsNow()).toEqual(["limit 8867-4"]);
    await alarm();
    const open = env.DB.prepare("SELECT count(*) AS n FROM alerts WHERE code = '8867-4' AND state = 'active' AND version >= ?");
    expect(await open.bind(NOW).first("n")).toBe(1);
  });

  it("of newer code is left as it is", async () => {
    captureLogs();
    const newer = '{"formatVersion":99,"content":{}}';
    await damage(`UPDATE open SET memory = '${newer}'`);
    await inMonitor((instance) => {
      expect(() => instance.snapshot()).toThrow(/this code knows versions 1 to 3/);
    });
    expect(await rows("SELECT memory FROM open")).toEqual([{ memory: newer }]);
  });

  it("does not leave facts that cannot be read in the way: D1 is asked again", async () => {
    const logs = captureLogs();
    await damage("UPDATE settings SET value = '[]' WHERE name = 'facts'");
    const item = { code: "8867-4", value: 80, unit: "/min", effective_at: new Date(NOW).toISOString() };
    const answer = await monitor().record(
      { kind: "device", credential: "monitor-credential" },
      { items: [item], sent_at: NOW, conditions: null },
    );
    expect(answer).toEqual({ known: false });
    expect(linesOf(logs)[0]).toMatchObject({ document: "facts", operation: "read" });
  });
});

describe("an error in an object", () => {
  it("leaves one line with the class, the operation, the object and the place, and no value", async () => {
    const logs = captureLogs();
    await rows("UPDATE open SET data = x'01020304'");
    await evictDurableObject(monitor());
    await inMonitor(async (instance) => {
      await expect(instance.history({ codes: null, from: 0, to: NOW, limit: 10, after: null })).rejects.toThrow("damaged");
    });
    const lines = linesOf(logs);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      levelname: "ERROR",
      object: "PatientMonitor",
      operation: "history",
      object_id: PATIENT,
      cause: "Error",
    });
    expect(lines[0].at).toMatch(/blocks\.ts:\d+/);
    expect(logs()).not.toContain("too short");
  });
});

describe("changes that wait in D1", () => {
  const insertDue = () =>
    env.DB.prepare("INSERT INTO outbox (id, topic, payload, attempts, created_at, due_at) VALUES (?, ?, ?, ?, 1, 1)");

  it("are delivered behind a hundred and more that fail, in the same go", async () => {
    vi.useRealTimers();
    const logs = captureLogs();
    const world = await newWorld();
    await env.DB.prepare("DELETE FROM outbox").run();
    // An unknown topic that sorts before all others, with more rows than one round takes.
    await env.DB.batch(Array.from({ length: 130 }, (_, i) => insertDue().bind(`bad${i}`, "a", "x", 0)));
    await insertDue().bind(`feed:${world.hospitalId}`, "feed", world.hospitalId, 0).run();
    await deliverAllDue(env);
    const left = await env.DB.prepare("SELECT topic, count(*) AS n FROM outbox GROUP BY topic").all();
    expect(left.results).toEqual([{ topic: "a", n: 130 }]);
    expect(logs()).toContain('"reason":"will retry"');
  });

  it("are parked after many failures, and counted", async () => {
    vi.useRealTimers();
    captureLogs();
    await insertDue()
      .bind("bad", "a", "x", MAX_CHANGE_ATTEMPTS - 1)
      .run();
    expect(await gauge("outbox_parked")).toBe(0);
    expect(await deliverChanges(env)).toBe(0);
    expect(await gauge("outbox_parked")).toBe(1);
    const at = await env.DB.prepare("SELECT due_at FROM outbox WHERE id = 'bad'").first<number>("due_at");
    expect((at ?? 0) - Date.now()).toBeGreaterThan(5 * 3_600_000);
  });
});
