// What the reads of one patient, device or app may add to an audit log per day, and that staff is never refused a read.
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { AppendOptions, AuditLogEvent } from "../../src/audit-log/contract.ts";
import { STORAGE_LIMITS } from "../../src/platform/storage-quotas.ts";
import { DAY_MS, utcDayOf } from "../../src/platform/time.ts";
import { createRandom } from "../node/alerts-randomness.ts";
import { interceptStores } from "../stores.ts";
import { API, env, newWorld, readAuditEvents, readJson, sendRequest, type World } from "../world.ts";
import { evict, expectWhole, inside, logNamed, newEvent, newEvents, newLog, rowsOf, START } from "./audit-log-world.ts";

afterEach(() => void vi.useRealTimers());

describe("a log", () => {
  beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ["Date"] }));
  const reader = (bytesPerDay: number, id = "reader"): AppendOptions => ({ reader: { id, bytesPerDay } });
  /** The ids of one event in 16 end in 0: these count for the 15 between them. */
  const newRead = (last: string): AuditLogEvent => {
    const event = newEvent();
    return { ...event, id: event.id.slice(0, -1) + last };
  };
  const lengthOf = (event: AuditLogEvent) => JSON.stringify(event).length;

  it("refuses a reader's events beyond the quota, stores none of them, and takes them on the next day", async () => {
    const log = newLog();
    const [counted, next] = [newRead("0"), newRead("0")];
    const quota = reader(16 * lengthOf(counted));
    expect(await log.stub.append([counted], quota)).toBe("stored");
    await evict(log.stub);
    expect(await log.stub.append([next], quota)).toBe("quota_used");
    // Its answer was lost: what the log has is no new event.
    expect(await log.stub.append([counted], quota)).toBe("stored");
    const others = newEvents(2);
    expect(await log.stub.append(others.slice(0, 1), reader(1, "another reader"))).toBe("stored");
    expect(await log.stub.append(others.slice(1))).toBe("stored");
    vi.setSystemTime(START + DAY_MS);
    expect(await log.stub.append([next], quota)).toBe("stored");
    expect(await rowsOf(log.stub, "SELECT day, reader FROM read_quotas")).toEqual([
      { day: utcDayOf(START + DAY_MS), reader: "reader" },
    ]);
    await expectWhole(log, [counted, ...others, next]);
  });

  it("takes what was staged whatever the quota is, and writes one row per event but for one in 16", async () => {
    const { stub } = newLog();
    const events = ["0", "1", "2", "f"].map(newRead);
    for (const event of events) await stub.append([event], reader(lengthOf(event) * 16 + 1));
    expect((await stub.status()).size).toBe(4);
    expect(await rowsOf(stub, "SELECT bytes FROM read_quotas")).toEqual([{ bytes: 16 * lengthOf(events[0] ?? newEvent()) }]);
    expect(await stub.append([newRead("0")])).toBe("stored");
  });

  it("lets a reader add what the quota says, within a tenth", async () => {
    const { stub } = newLog();
    const { next } = createRandom(1);
    const bytesPerDay = 2_000 * lengthOf(newEvent());
    const bytes = await inside(stub, async (object) => {
      for (let sum = 0; ; ) {
        const read = newRead(Math.floor(next() * 16).toString(16));
        if ((await object.append([read], reader(bytesPerDay))) === "quota_used") return sum;
        sum += lengthOf(read);
      }
    });
    expect(Math.abs(bytes / bytesPerDay - 1)).toBeLessThan(0.1);
  });
});

describe("a read", () => {
  let world: World;
  let app: { api_key_id: string; token: string };
  beforeAll(async () => {
    world = await newWorld();
    const json = { name: "reads", scopes: ["patient:read"] };
    app = (await readJson(await sendRequest(`${API}/api-keys`, { as: world.manager, json }))).data;
  });
  const read = (as: { token: string }, bindings = env) =>
    sendRequest(`${API}/patients/${world.patient.id}`, { as, env: bindings });
  const fill = (id: string, bytes: number) =>
    inside(logNamed(world.hospitalId).stub, (_, { storage }) => {
      const query = "INSERT OR REPLACE INTO read_quotas (day, reader, bytes) VALUES (?, ?, ?)";
      storage.sql.exec(query, utcDayOf(Date.now()), id, bytes);
    });
  const expectRefused = async (response: Response) => {
    const text = await response.text();
    expect([response.status, JSON.parse(text).code]).toEqual([429, "quota_exceeded"]);
    expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(text).not.toContain(world.patient.canary);
    expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toEqual([]);
  };

  it.each<[string, () => [{ token: string }, string, number]]>([
    ["a patient", () => [world.self, world.self.id, STORAGE_LIMITS.patient.records.day]],
    ["an app", () => [app, app.api_key_id, STORAGE_LIMITS.app.records.day]],
  ])("of %s beyond the quota of the day is a 429 without data and without an event", async (_, of) => {
    const [as, id, bytes] = of();
    await fill(id, bytes - 1);
    expect((await read(as)).status).toBe(200);
    await fill(id, bytes);
    await expectRefused(await read(as));
    await fill(id, 0);
    expect((await read(as)).status).toBe(200);
  });

  it("of staff is never refused", async () => {
    for (const person of [world.nurse, world.doctor, world.manager]) {
      await fill(person.id, Number.MAX_SAFE_INTEGER);
      expect((await read(person)).status).toBe(200);
    }
  });

  it("counts in D1 while the log fails: within the quota it waits there, beyond it it is refused", async () => {
    const failing = interceptStores(env, ({ op }, run) => (op === "audit.append" ? Promise.reject(new Error("away")) : run()));
    const counter = () =>
      env.DB.prepare("SELECT n FROM counters WHERE scope = 'quota-day:u:' || ? AND name = 'records'")
        .bind(world.self.id)
        .first<number>("n");
    const before = (await counter()) ?? 0;
    expect((await read(world.self, failing)).status).toBe(200);
    expect(await counter()).toBeGreaterThan(before + 200);
    await env.DB.prepare("UPDATE counters SET n = ? WHERE scope = 'quota-day:u:' || ?")
      .bind(STORAGE_LIMITS.patient.records.day, world.self.id)
      .run();
    await expectRefused(await read(world.self, failing));
    expect((await read(world.self)).status).toBe(200);
    await env.DB.prepare("DELETE FROM counters WHERE scope = 'quota-day:u:' || ?").bind(world.self.id).run();
  });
});
