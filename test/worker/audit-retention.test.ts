// Deletion after the retention time by the cron job, legal holds, and exports that are too long or that the client leaves.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import docs from "../../docs/audit-log.md?raw";
import { exportAuditEvents, MAX_EXPORTED_EVENTS } from "../../src/audit/export-audit-events.ts";
import { LOGS_PER_PRUNE, pruneAuditLogs } from "../../src/audit/retention.ts";
import { NO_HOSPITAL_LOG } from "../../src/audit-log/contract.ts";
import { STORAGE_LIMITS } from "../../src/platform/storage-quotas.ts";
import { DAY_MS } from "../../src/platform/time.ts";
import { interceptStores, type StoreCall } from "../stores.ts";
import { captureLogs } from "../token-forge.ts";
import {
  API,
  createCall,
  env,
  findEvents,
  newHospital,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";
import { HOUR, inside, logNamed, newEvents, runDue } from "./audit-log-world.ts";

const YEAR = 365.25 * DAY_MS;
let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => void vi.useRealTimers());

const list = async (as: Person, query: string) =>
  (await readJson(await sendRequest(`${API}/audit-events?limit=100&${query}`, { as }))).data;

/** A segment of events that were recorded so long ago. */
async function closeOld(hospitalId: string, age: number, count = 3): Promise<void> {
  const { stub } = logNamed(hospitalId);
  const now = Date.now();
  const events = newEvents(count, { recorded: now - age, hospital_id: hospitalId, event: "old.event", subjects: [] });
  for (let i = 0; i < count; i += 200) await stub.append(events.slice(i, i + 200));
  vi.useFakeTimers({ now: Date.now() + HOUR, toFake: ["Date"] });
  await runDue(stub);
  vi.useRealTimers();
}

/** Runs the cron job until it has visited every log. */
async function visitAll(): Promise<void> {
  const logs = await env.DB.prepare("SELECT count(*) + 1 AS n FROM hospitals").first<number>("n");
  const now = Date.now();
  for (let turn = 0; turn < Math.ceil((logs ?? 0) / LOGS_PER_PRUNE); turn++) await pruneAuditLogs(env, now + turn * 15 * 60_000);
}

it("the cron job visits every log once per round, a bounded number of them at a time", async () => {
  for (let i = 0; i < 2 * LOGS_PER_PRUNE; i++) await newHospital();
  const { results } = await env.DB.prepare("SELECT id FROM hospitals").all<{ id: string }>();
  const turns = Math.ceil((results.length + 1) / LOGS_PER_PRUNE);
  const visited: string[][] = [];
  const start = Date.now();
  for (let turn = 0; turn < turns; turn++) {
    const ofTurn: string[] = [];
    visited.push(ofTurn);
    const AUDIT_LOG = new Proxy(env.AUDIT_LOG, {
      get: (target, name) => {
        if (name !== "getByName") return Reflect.get(target, name);
        return (id: string) => {
          ofTurn.push(id);
          return target.getByName(id);
        };
      },
    });
    await pruneAuditLogs({ ...env, AUDIT_LOG }, start + turn * 15 * 60_000);
  }
  expect(visited.flat().sort()).toEqual([...results.map(({ id }) => id), NO_HOSPITAL_LOG].sort());
  for (const ofTurn of visited) expect(ofTurn.length).toBeLessThanOrEqual(LOGS_PER_PRUNE);
});

it("the cron job wakes a log with segments under a former key; the retention route counts them", async () => {
  const hospitalId = await newHospital();
  const manager = await newPerson("hospital_admin", hospitalId);
  for (let i = 0; i < 2; i++) await closeOld(hospitalId, DAY_MS);
  const { stub } = logNamed(hospitalId);
  // As in an object of the first version, which did not know its keys.
  await inside(stub, (_, { storage }) => void storage.sql.exec("UPDATE segments SET kid = ''"));
  const left = async () =>
    (await readJson(await sendRequest(`${API}/audit-events/retention`, { as: manager }))).data.segments_to_reseal;
  expect(await left()).toBe(2);
  const logged = captureLogs();
  await visitAll();
  expect(logged()).toMatch(/audit segments wait for the current key.*"count":2/);
  vi.restoreAllMocks();
  await runDue(stub);
  expect(await left()).toBe(0);
});

describe("a legal hold", () => {
  const put = (as: Person, hospitalId: string, json: object) =>
    sendRequest(`${API}/hospitals/${hospitalId}/legal-hold`, { as, method: "PUT", json });
  const end = (as: Person, hospitalId: string) =>
    sendRequest(`${API}/hospitals/${hospitalId}/legal-hold`, { as, method: "DELETE" });
  const recordedFrom = (age: number) => new Date(Date.now() - age).toISOString();

  it("keeps its events beyond the retention time; the cron job deletes them after its end, and no younger ones", async () => {
    const hospitalId = await newHospital();
    const manager = await newPerson("hospital_admin", hospitalId);
    for (const age of [9, 7.5, 5]) await closeOld(hospitalId, age * YEAR);
    const left = async () => (await list(manager, "event=old.event")).length;
    expect(await left()).toBe(9);
    const held = await put(world.admin, hospitalId, { reason: "Proceedings", recorded_from: recordedFrom(8 * YEAR) });
    expect(held.status).toBe(200);
    await visitAll();
    expect(await left()).toBe(6);
    await visitAll();
    expect(await left()).toBe(6);
    expect((await end(world.admin, hospitalId)).status).toBe(200);
    await visitAll();
    expect(await left()).toBe(3);
    const { data } = await readJson(await sendRequest(`${API}/audit-events/retention`, { as: manager }));
    expect(data).toMatchObject({ pruned_up_to: 6, legal_hold: null });
    const verified = await readJson(await sendRequest(`${API}/audit-events/verify`, { as: manager }));
    expect(verified.data).toMatchObject({ is_intact: true, pruned_up_to: 6 });
  });

  it("holds although the log did not hear of it: the job tells the log before it asks it to delete", async () => {
    const hospitalId = await newHospital();
    const manager = await newPerson("hospital_admin", hospitalId);
    await closeOld(hospitalId, 7 * YEAR);
    const deaf = interceptStores(env, ({ op }, run) => (op === "audit.setHold" ? Promise.reject(new Error("away")) : run()));
    const path = `${API}/hospitals/${hospitalId}/legal-hold`;
    const json = { reason: "Proceedings" };
    expect((await sendRequest(path, { as: world.admin, method: "PUT", json, env: deaf })).status).toBe(200);
    expect((await logNamed(hospitalId).stub.status()).heldFrom).toBeNull();
    const logged = captureLogs();
    await visitAll();
    expect(logged()).toMatch(/WARNING.*legal hold of the audit log follows D1/);
    vi.restoreAllMocks();
    expect(await list(manager, "event=old.event")).toHaveLength(3);
  });

  it("from the future is refused; from now it is not", async () => {
    const hospitalId = await newHospital();
    const refused = await put(world.admin, hospitalId, { reason: "Proceedings", recorded_from: recordedFrom(-DAY_MS) });
    expect(refused.status).toBe(400);
    expect((await readJson(refused)).errors).toEqual([expect.objectContaining({ path: "recorded_from", code: "out_of_range" })]);
    expect((await logNamed(hospitalId).stub.status()).heldFrom).toBeNull();
    expect((await put(world.admin, hospitalId, { reason: "Proceedings", recorded_from: recordedFrom(0) })).status).toBe(200);
  });

  it("set many times at once is one hold, the last one; D1 and the log agree after the next visit", async () => {
    const hospitalId = await newHospital();
    const manager = await newPerson("hospital_admin", hospitalId);
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((year) =>
        put(world.admin, hospitalId, { reason: `R${year}`, recorded_from: recordedFrom(year * YEAR) }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    await visitAll();
    const { data } = await readJson(await sendRequest(`${API}/audit-events/retention`, { as: manager }));
    expect((await logNamed(hospitalId).stub.status()).heldFrom).toBe(Date.parse(data.legal_hold.recorded_from));
    expect(await findEvents({ event: "legal_hold.set", hospital_id: hospitalId })).toHaveLength(5);
  });

  it("is for platform administrators and for hospitals that exist", async () => {
    const other = await newPerson("hospital_admin", await newHospital());
    for (const as of [world.manager, other, world.nurse, world.self]) {
      expect((await put(as, world.hospitalId, { reason: "Proceedings" })).status).toBe(403);
      expect((await end(as, world.hospitalId)).status).toBe(403);
    }
    expect((await put(world.admin, crypto.randomUUID(), { reason: "Proceedings" })).status).toBe(404);
    expect((await end(world.admin, crypto.randomUUID())).status).toBe(404);
  });
});

describe("an export", () => {
  it.each(["csv", "ndjson"] as const)(
    "as %s of more events than a file may hold ends in a notice and an error",
    async (format) => {
      const hospitalId = await newHospital();
      const manager = await newPerson("hospital_admin", hospitalId);
      await closeOld(hospitalId, DAY_MS, 30);
      const call = await createCall(manager, { role: "hospital_admin", hospitalId, doctorScope: "care_team" });
      const read = async (max: number) => {
        const { body } = await exportAuditEvents(env, call, { format, event: "old.event" }, max);
        const reader = body?.pipeThrough(new TextDecoderStream()).getReader() ?? expect.unreachable();
        let text = "";
        try {
          for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
          return { lines: text.trim().split(/\r?\n/), isComplete: true };
        } catch {
          return { lines: text.trim().split(/\r?\n/), isComplete: false };
        }
      };
      const header = format === "csv" ? 1 : 0;
      const whole = await read(30);
      expect([whole.isComplete, whole.lines.length]).toEqual([true, 30 + header]);
      const part = await read(29);
      expect([part.isComplete, part.lines.length]).toEqual([false, 29 + header + 1]);
      expect(part.lines.slice(0, -1)).toEqual(whole.lines.slice(0, -1));
      expect(part.lines.at(-1)).toContain("more than 29 events");
      if (format === "ndjson") expect(JSON.parse(part.lines.at(-1) ?? "")).toMatchObject({ resourceType: "OperationOutcome" });
    },
  );

  it("that the client leaves reads no more files, and is no error", async () => {
    const hospitalId = await newHospital();
    const manager = await newPerson("hospital_admin", hospitalId);
    for (const age of [4, 3, 2, 1]) await closeOld(hospitalId, age * DAY_MS, 600);
    const logged = captureLogs();
    const reads: StoreCall[] = [];
    const counting = interceptStores(env, (call, run) => {
      if (call.store === "FILES") reads.push(call);
      return run();
    });
    const download = async () =>
      (await sendRequest(`${API}/audit-events/export?event=old.event`, { as: manager, env: counting })).body?.getReader() ??
      expect.unreachable();
    const whole = await download();
    for (let part = await whole.read(); !part.done; ) part = await whole.read();
    const all = reads.splice(0).length;
    const reader = await download();
    await reader.read();
    await reader.cancel();
    await scheduler.wait(50);
    const atCancel = reads.length;
    await scheduler.wait(200);
    expect(reads.length).toBe(atCancel);
    expect(atCancel).toBeLessThan(all);
    expect(logged()).not.toMatch(/aborted|ERROR/);
    vi.restoreAllMocks();
  });
});

describe("docs/audit-log.md", () => {
  const sections = new Map(
    docs
      .split(/^## /m)
      .slice(1)
      .map((text) => [text.slice(0, text.indexOf("\n")), text]),
  );
  const examples = (title: string) => (sections.get(title) ?? "").match(/^(curl|SELECT) .*$/gm) ?? [];

  it.each([
    ["Export", 2],
    ["Retention and legal hold", 3],
  ])("has examples in section %s that work as written", async (title, count) => {
    const commands = examples(title);
    expect(commands).toHaveLength(count);
    for (const command of commands) {
      const path = /"\$API(\/[^"]+)"/.exec(command)?.[1]?.replace("$HOSPITAL", world.hospitalId) ?? "";
      const method = /-X (\w+)/.exec(command)?.[1] ?? "GET";
      const body = /-d '([^']+)'/.exec(command)?.[1];
      const sent = { as: world.admin, method, ...(body && { json: JSON.parse(body) }) };
      const response = await sendRequest(API + path, sent);
      expect([command, response.status]).toEqual([command, 200]);
      await response.text();
    }
  });

  it("has a query for the rows that are left to move, and the numbers of the code", async () => {
    const [query = ""] = examples("Moving over");
    // biome-ignore lint/plugin: a constant of the docs.
    expect(await env.DB.prepare(query).first<number>("rows_left")).toBe(0);
    expect(sections.get("Export")).toContain(`at most ${MAX_EXPORTED_EVENTS.toLocaleString("en")} events`);
    const quotas = (["patient", "device", "app"] as const).map((kind) => STORAGE_LIMITS[kind].records.day / 1024 ** 2);
    expect(sections.get("Limits of what reads add")).toContain(`${quotas[0]}, ${quotas[1]} and ${quotas[2]} MiB`);
    expect(sections.get("Retention and legal hold")).toContain(`visits ${LOGS_PER_PRUNE} logs`);
  });
});
