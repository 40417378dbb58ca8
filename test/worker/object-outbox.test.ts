// The outbox of a patient's object with a row that D1 rejects, damaged documents, and log lines of errors.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  deliverAllDue,
  deliverChanges,
  MAX_ATTEMPTS as MAX_CHANGE_ATTEMPTS,
} from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { deliverToD1 } from "../../src/monitoring/patient-object/delivery/d1-delivery.ts";
import { Delivery } from "../../src/monitoring/patient-object/delivery/delivery.ts";
import { drainOutbox } from "../../src/monitoring/patient-object/delivery/drain.ts";
import { backOff, MAX_ATTEMPTS, type Outbox, PARKED_RETRY_MS } from "../../src/monitoring/patient-object/delivery/outbox.ts";
import { Publisher } from "../../src/monitoring/patient-object/delivery/publisher.ts";
import type { PatientMonitor } from "../../src/monitoring/patient-object/patient-monitor.ts";
import { Store } from "../../src/monitoring/patient-object/samples/store.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { DeadlineError } from "../../src/platform/deadline.ts";
import { errorReport } from "../../src/platform/object-log.ts";
import { renderMetrics } from "../../src/service/metrics.ts";
import { eventually } from "../eventually.ts";
import patientAt1 from "../fixtures/objects/PatientMonitor-1.json";
import { loadStorage } from "../object-storage.ts";
import { interceptStores } from "../stores.ts";
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

  it("is retried with back-off, parked, counted, and retried after hours and on demand", async () => {
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

describe("a D1 that rejects every delivery", () => {
  type D1 = { attempts: number; isDown: boolean };
  /** Runs `work` with the object's outbox and a D1 that is down at first, and counts the attempts to reach it. */
  async function withOutage<T>(work: (newDelivery: () => Delivery, d1: D1, outbox: Outbox) => Promise<T>): Promise<T> {
    return inMonitor(async (_, state) => {
      const d1: D1 = { attempts: 0, isDown: true };
      const down = interceptStores(env, async ({ store }, run) => {
        if (store !== "DB") return run();
        d1.attempts += 1;
        if (d1.isDown) throw new Error("D1_ERROR: Network connection lost. (injected fault)");
        return run();
      });
      const store = new Store(state.storage, (error) => expect.unreachable(error.message));
      const change = (run: () => void) => state.storage.transactionSync(run);
      const report = errorReport(env, "PatientMonitor", state.id);
      return work(() => new Delivery({ env: down, id: state.id, store, change, report }), d1, store.outbox);
    });
  }
  /** Attempts of one minute, when the alarm comes as early as `nextDue` asks. */
  async function runForAMinute(run: () => Promise<void>, nextDue: () => number | null): Promise<void> {
    for (let now = NOW; now < NOW + 60_000; now = Math.max(now + 50, nextDue() ?? Number.POSITIVE_INFINITY)) {
      vi.setSystemTime(now);
      await run();
    }
  }

  it("is retried with growing pauses, parks no row, and gets all rows when it is back", async () => {
    const logs = captureLogs();
    await withOutage(async (newDelivery, d1, outbox) => {
      const delivery = newDelivery();
      const { waiting } = outbox.state();
      let now = NOW;
      for (let outages = 0; outages < MAX_ATTEMPTS * 3; outages += 1) {
        const before = d1.attempts;
        await delivery.run();
        // One batch and three single rows are enough to see that D1 is down.
        expect(d1.attempts - before).toBe(4);
        const pause = backOff(outages, true);
        expect(pause).toBe(Math.min(5_000 * 2 ** outages, 60_000));
        expect(delivery.nextDue()).toBe(now + pause);
        vi.setSystemTime(now + pause - 1);
        await delivery.run();
        expect(d1.attempts - before).toBe(4);
        now += pause;
        vi.setSystemTime(now);
      }
      expect(outbox.state()).toEqual({ waiting, parked: 0 });
      d1.isDown = false;
      await delivery.run();
      expect(outbox.state().parked).toBe(0);
      vi.setSystemTime(now + 60_000);
      await delivery.run();
      expect(outbox.state()).toEqual({ waiting: 0, parked: 0 });
    });
    expect(await told("alerts")).toBeGreaterThan(1);
    const reasons = new Set(linesOf(logs).map(({ reason }) => reason));
    expect([...reasons]).toEqual(["no answer"]);
  });

  it("gets 16 attempts in the first minute, and several times as many without the pause", async () => {
    captureLogs();
    const paused = await withOutage(async (newDelivery, d1) => {
      const delivery = newDelivery();
      const run = () => delivery.run();
      await runForAMinute(run, () => delivery.nextDue());
      return d1.attempts;
    });
    await inMonitor((_, state) => loadStorage(state.storage.sql, patientAt1.storage));
    // Known-bad twin: a delivery that forgets the outage after each attempt.
    const unpaused = await withOutage(async (newDelivery, d1, outbox) => {
      const run = () => newDelivery().run();
      await runForAMinute(run, () => outbox.nextDue());
      return d1.attempts;
    });
    expect(paused).toBe(16);
    expect(unpaused).toBeGreaterThan(4 * paused);
  });

  it("that hangs costs one deadline per row at most twice, not one per row", async () => {
    await inMonitor(async (_, state) => {
      const store = new Store(state.storage, (error) => expect.unreachable(error.message));
      let attempts = 0;
      const reports: boolean[] = [];
      const { pauseUntil } = await drainOutbox(
        {
          outbox: store.outbox,
          now: Date.now,
          deliver: async () => {
            attempts += 1;
            throw new DeadlineError("injected");
          },
          change: (run) => state.storage.transactionSync(run),
          report: ({ isOutage }) => reports.push(isOutage),
        },
        0,
      );
      expect([attempts, reports, pauseUntil]).toEqual([2, [true], NOW + 5_000]);
    });
  });
});

describe("a device's clock", () => {
  it("that waits is replaced by a newer one, so that a late delivery is never older than D1", async () => {
    const before = await rows("SELECT id FROM outbox WHERE kind = 'clock'");
    expect(before).toHaveLength(2);
    const device = Object.keys(JSON.parse(patientAt1.storage.rows.open[0]?.memory ?? "{}").heard).at(-1) ?? "";
    await inMonitor(async (instance) => {
      const origin = { kind: "device", credential: "band-credential" } as const;
      for (let n = 0; n < 2; n++) {
        const sent_at = Date.now() + 700_000 + n;
        const effective_at = new Date(sent_at).toISOString();
        const items = [{ code: "8310-5", value: 37, unit: "Cel", effective_at }];
        instance.record(origin, { items, sent_at, conditions: null });
      }
    });
    const clocks = await rows<{ body: string }>("SELECT body FROM outbox WHERE kind = 'clock'");
    expect(clocks.map(({ body }) => JSON.parse(body).content)).toEqual([{ device, skew: 700_001 }]);
  });
});

describe("a memory that cannot be read", () => {
  const damage = (query: string) =>
    inMonitor((_, state) => void state.storage.sql.exec(query)).then(() => evictDurableObject(monitor()));
  const alertsNow = async () => (await monitor().snapshot())?.alerts.map(({ rule, code }) => `${rule} ${code}`);

  it("keeps every readable part, is logged with its position, and its text is kept", async () => {
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

  it("that is lost starts empty, and D1 stores the next alarm as a new one", async () => {
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
      expect(() => instance.snapshot()).toThrow(/this code knows versions 1 to 5/);
    });
    expect(await rows("SELECT memory FROM open")).toEqual([{ memory: newer }]);
  });

  it("replaces unreadable facts with those of D1", async () => {
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
  const newerMemory = async () => {
    await rows(`UPDATE open SET memory = '{"formatVersion":99,"content":{}}'`);
    await evictDurableObject(monitor());
  };
  const expected = (operation: string) => ({
    levelname: "ERROR",
    object: "PatientMonitor",
    operation,
    object_id: PATIENT,
    cause: "StoredDocumentError",
    document: "memory",
    at: expect.stringMatching(/stored-document\.ts:\d+/),
  });

  it("of its alarm is logged as one line, and the alarm comes again", async () => {
    await newerMemory();
    const logs = captureLogs();
    await alarm();
    expect(linesOf(logs)).toMatchObject([expected("alarm")]);
    expect(await inMonitor((_, state) => state.storage.getAlarm())).not.toBeNull();
  });

  it("of a socket's message is logged as one line, and the socket is closed", async () => {
    await newerMemory();
    const logs = captureLogs();
    const item = { code: "8867-4", value: 80, unit: "/min", effective_at: new Date(NOW).toISOString(), seq: 99_000 };
    const code = await inMonitor(async (instance, state) => {
      const { webSocket } = instance.fetch(new Request("https://monitor", { headers: { "X-Credential": "monitor-credential" } }));
      webSocket?.accept();
      const closed = new Promise<number>((resolve) => webSocket?.addEventListener("close", (event) => resolve(event.code)));
      const [socket] = state.getWebSockets();
      if (!socket) return expect.unreachable("no socket");
      const message = JSON.stringify({ type: "samples", samples: [item] });
      expect(() => instance.webSocketMessage(socket, message)).toThrow(/this code knows/);
      return closed;
    });
    expect(code).toBe(1011);
    expect(linesOf(logs)).toMatchObject([expected("webSocketMessage")]);
  });

  it("of a feed that cannot be reached is logged once, not with every retry", async () => {
    vi.useRealTimers();
    const logs = captureLogs();
    let calls = 0;
    const failingTwice = interceptStores(env, async (_, run) => {
      calls += 1;
      if (calls <= 2) throw new Error("internal error; reference = injected fault");
      return run();
    });
    await inMonitor(async (_, state) => {
      const facts = new Store(state.storage, (error) => expect.unreachable(error.message)).facts();
      const report = errorReport(env, "PatientMonitor", state.id);
      const publisher = new Publisher(failingTwice, () => facts, Number.POSITIVE_INFINITY, report);
      publisher.pushFrames([{ type: "limits", patient_id: PATIENT, limits: [] }], true);
      await eventually(() => expect(calls).toBe(3));
      // Nobody watches, so the feed that answers ends the lease.
      await eventually(() => expect(publisher.isWatched(0)).toBe(false));
    });
    expect(linesOf(logs)).toMatchObject([{ operation: "publish", object_id: PATIENT, cause: "Error" }]);
  });

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
      cause: "ApiError",
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
