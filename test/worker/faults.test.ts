// Fails the k-th store or object call of every route of the main job, before it happens and after it committed: for every k in the
// long form (test/long.ts), else for some.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { recordAuditEvent } from "../../src/access/audit.ts";
import { runCleanup } from "../../src/cron.ts";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { isSampled } from "../long.ts";
import { interceptStores, type StoreCall, withStoreFault } from "../stores.ts";
import {
  API,
  type AuditRow,
  env,
  newDevice,
  newPatient,
  newPerson,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
} from "../world.ts";
import { accounts } from "./faults-accounts.ts";
import { careA } from "./faults-care-a.ts";
import { careB } from "./faults-care-b.ts";
import { careC } from "./faults-care-c.ts";
import { careD } from "./faults-care-d.ts";
import { careE } from "./faults-care-e.ts";
import { careF } from "./faults-care-f.ts";
import { careG } from "./faults-care-g.ts";
import { consents } from "./faults-consents.ts";
import { documentRequests } from "./faults-document-requests.ts";
import { documents } from "./faults-documents.ts";
import { emergency } from "./faults-emergency.ts";
import { erasure } from "./faults-erasure.ts";
import { escalation } from "./faults-escalation.ts";
import { factors } from "./faults-factors.ts";
import { hospital } from "./faults-hospital.ts";
import { messages } from "./faults-messages.ts";
import { phoneNumbers } from "./faults-phone.ts";
import { privacy } from "./faults-privacy.ts";
import { reports } from "./faults-reports.ts";
import { vitals } from "./faults-vitals.ts";
import { webhooks } from "./faults-webhooks.ts";
import { countSamples, type FaultCase, queryCount, type RepeatableRequest, setUpWorld, world } from "./faults-world.ts";
import { createSample } from "./monitored-patient.ts";
import { listReferencedKeys, listStoredKeys, verifyEveryReport } from "./storage-evidence.ts";

const routes: FaultCase[] = [
  ...vitals,
  ...reports,
  ...documents,
  ...emergency,
  ...privacy,
  ...consents,
  ...documentRequests,
  ...hospital,
  ...erasure,
  ...escalation,
  ...messages,
  ...webhooks,
  ...accounts,
  ...factors,
  ...phoneNumbers,
  ...careA,
  ...careB,
  ...careC,
  ...careD,
  ...careE,
  ...careF,
  ...careG,
];

beforeAll(setUpWorld);

const countOf = (events: AuditRow[], name: string) => events.filter(({ event }) => event === name).length;

/** @returns the events of the request. A report and its event are stored together or not at all. */
async function expectTraced(response: Response): Promise<AuditRow[]> {
  const id = response.headers.get("x-request-id") ?? "";
  const stored = env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE request_id = ? AND outcome = 'stored'").bind(id);
  const events = await readAuditEvents(id);
  expect(countOf(events, "report.create")).toBe(await queryCount(stored));
  return events;
}

async function expectHonest(response: Response): Promise<AuditRow[]> {
  const text = await response.text();
  expect({ status: response.status, type: response.headers.get("content-type") }).toEqual({
    status: 503,
    type: "application/problem+json",
  });
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(JSON.parse(text)).toMatchObject({ code: "unavailable", errors: [] });
  expect(text).not.toMatch(/canary|D1_ERROR|injected|SELECT|INSERT|First-/);
  return expectTraced(response);
}

type Store = StoreCall["store"];
type Check = (response: Response, attempt: RepeatableRequest, k: number) => Promise<unknown>;

/**
 * Checks a failed request: it says so, and has an event of success if it took effect, and only then. A change outside of D1 that took
 * effect has at least the event of its begin.
 * @returns its effects, at most `most`
 */
async function expectUntold(
  { event, withoutEvent }: FaultCase,
  response: Response,
  attempt: RepeatableRequest,
  most: number,
  k: number,
): Promise<number> {
  const events = await expectHonest(response);
  const effects = (await attempt.effects?.()) ?? 0;
  expect(effects).toBeLessThanOrEqual(most);
  const succeeded = events.some(isSuccessOfChange);
  if (event) {
    if (succeeded) expect(effects, `effect of the success, call ${k}`).toBeGreaterThan(0);
    if (effects > 0) expect(countOf(events, `${event}_begin`), `begin, call ${k}`).toBe(1);
  } else if (!withoutEvent && attempt.effects) expect(succeeded, `success, call ${k}`).toBe(effects > 0);
  return effects;
}

/** Not of a read, and not of a change that is only announced. */
const isSuccessOfChange = ({ event, outcome, action }: AuditRow): boolean =>
  outcome === "success" && action !== "R" && !event.endsWith("_begin");

/** The number of calls per store for one request of a route without failures. */
async function callsOf(route: FaultCase): Promise<Record<Store, number>> {
  const calls = { DB: 0, FILES: 0, KV: 0, OBJECTS: 0, AUDIT: 0, QUEUES: 0 };
  const watched = interceptStores(env, ({ store }, run) => {
    calls[store]++;
    return run();
  });
  const response = await (await route.attempt()).send(watched);
  // Behind the response, staged events are handed over.
  const untilResponse = { ...calls };
  expect(response.status, "without a fault").toBe(route.status);
  await response.body?.cancel();
  return untilResponse;
}

/**
 * Sends requests of a route, each with one failing call to one store. @returns the number of faults that occurred
 * @param calls which of them fail, one per request  @param next the attempt to send with the next fault; a new one if the last one has taken effect
 */
async function failEach(
  route: FaultCase,
  calls: readonly number[],
  when: "before" | "after",
  store: Store,
  next: () => Promise<RepeatableRequest>,
  check: Check,
): Promise<number> {
  let fired = 0;
  let missed = 0;
  for (let i = 0; i < calls.length && missed < 2; ) {
    const k = calls[i] ?? 0;
    const attempt = await next();
    const faulty = withStoreFault(env, k, when, store);
    const response = await attempt.send(faulty.env);
    // A failed append is repeated; test/worker/faults-audit.test.ts fails the repetition too.
    if (faulty.fault.op === "audit.append") {
      expect(response.status, "an append failed").toBe(route.status);
      await response.body?.cancel();
    } else if (faulty.fault.fired) await check(response, attempt, k);
    if (faulty.fault.fired) {
      fired++;
      i++;
      missed = 0;
    } else {
      // A retried request may make fewer calls because of its earlier effects; a new one shows whether this call exists.
      expect(response.status, `call ${k} did not come`).toBe(route.status);
      await response.body?.cancel();
      missed++;
    }
  }
  // The first request of a route may make calls that no later one makes.
  const isMissed = fired === 0 && (calls[0] ?? 1) > 1;
  return isMissed ? failEach(route, [1], when, store, next, check) : fired;
}

const injected: Record<string, number> = {};

const EVERY = 3;
const WHEN = ["before", "after"] as const;
const SAMPLED_STORES = ["DB", "FILES", "OBJECTS", "AUDIT", "KV", "QUEUES"] as const;

/** Of 1 to `count`, all in the long form and else each third; at least one call of D1, without which a route does nothing. */
function chooseCalls(row: number, store: Store, when: "before" | "after", count: number): number[] {
  const column = 2 * SAMPLED_STORES.indexOf(store) + WHEN.indexOf(when);
  const every = store === "DB" ? Math.min(EVERY, count) : EVERY;
  return Array.from({ length: count }, (_, i) => i + 1).filter((k) => isSampled(row, column + k, every));
}

describe.each(routes.map((route, row) => ({ ...route, row })))("$name", (route) => {
  let calls: Record<Store, number>;
  beforeAll(async () => {
    calls = await callsOf(route);
    expect(calls.DB).toBeGreaterThan(0);
  });
  const all = ["DB", "FILES", "OBJECTS", "AUDIT"] as const;
  const chosen = (store: Store, when: "before" | "after") => chooseCalls(route.row, store, when, calls[store]);
  const stores = route.withoutObjects ? (["DB", "FILES"] as const) : all;

  // One request is retried with a different failing call each time: it has no effect until nothing fails.
  it("fails with 503 before each call, and the retry has one effect", async () => {
    let current: RepeatableRequest | undefined;
    const next = async (): Promise<RepeatableRequest> => {
      const attempt = current ?? (await route.attempt());
      current = attempt;
      const send = async (of: Env) => {
        const response = await attempt.send(of);
        if (response.status === route.status) current = undefined;
        return response;
      };
      return { ...attempt, send };
    };
    for (const store of stores.filter((name) => chosen(name, "before").length > 0)) {
      const fired = await failEach(route, chosen(store, "before"), "before", store, next, async (response, attempt, k) => {
        if (!(route.notifies && response.ok)) return void (await expectUntold(route, response, attempt, 0, k));
        expect(await attempt.effects?.()).toBe(1);
        return response.body?.cancel();
      });
      injected[`${route.name} before ${store}`] = fired;
      // The retry of all of them.
      const attempt = await next();
      const again = await attempt.send(env);
      expect(again.status).toBe(route.status);
      if (attempt.effects) expect(await attempt.effects()).toBe(1);
      await again.body?.cancel();
    }
    expect(injected[`${route.name} before DB`]).toBeGreaterThan(0);
  });

  it("fails with 503 after each call, and a retry has one effect", async () => {
    for (const store of stores) {
      const fired = await failEach(route, chosen(store, "after"), "after", store, route.attempt, async (response, attempt, k) => {
        if (route.notifies && response.ok) {
          expect(await attempt.effects?.()).toBe(1);
          return response.body?.cancel();
        }
        const effects = await expectUntold(route, response, attempt, 1, k);
        const again = await attempt.send(env);
        const stale = route.retry === "none" && effects === 1;
        expect(again.status).toBe(stale ? (route.used ?? 412) : route.status);
        if (attempt.effects) expect(await attempt.effects()).toBe(1);
        await again.body?.cancel();
      });
      injected[`${route.name} after ${store}`] = fired;
    }
    expect(injected[`${route.name} after DB`]).toBeGreaterThan(0);
  });

  const succeeds: Check = async (response) => {
    expect(response.status).toBe(route.status);
    await response.body?.cancel();
  };

  if (route.withoutObjects) {
    it("answers also where objects do not", async () => {
      for (const store of ["OBJECTS", "AUDIT"] as const) {
        const each = Array.from({ length: calls[store] }, (_, i) => i + 1);
        injected[`${route.name} before ${store}`] = await failEach(route, each, "before", store, route.attempt, succeeds);
      }
      expect((injected[`${route.name} before OBJECTS`] ?? 0) + (injected[`${route.name} before AUDIT`] ?? 0)).toBeGreaterThan(0);
    });
  }

  it("does not need KV", async () => {
    if (!route.withoutKv) expect(calls.KV).toBeGreaterThan(0);
    for (const when of WHEN) {
      const which = chosen("KV", when);
      const fired = await failEach(route, which, when, "KV", route.attempt, succeeds);
      if (!route.withoutKv && which.length > 0) expect(fired).toBeGreaterThan(0);
      injected[`${route.name} ${when} KV`] = fired;
    }
  });
});

describe("a device whose object knows it", () => {
  it("is answered while D1 is down, and all of it is kept", async () => {
    const nurse = await newPerson("nurse", world.hospitalId);
    const patient = await newPatient(world.hospitalId, nurse);
    const bedside = await newDevice(nurse, patient.id, "bedside_monitor");
    let calls = 0;
    const down = interceptStores(env, (call, run) => {
      if (call.store !== "DB") return run();
      calls++;
      return Promise.reject(new Error("D1_ERROR: Network connection lost. (injected fault)"));
    });
    const send = (seq: number, of: Env) =>
      sendRequest(`${API}/observations`, { as: bedside, json: { samples: [{ ...createSample(70), seq }] }, env: of });
    expect((await send(1, env)).status).toBe(200);
    for (const seq of [2, 3, 4]) {
      const response = await send(seq, down);
      expect(response.status).toBe(200);
      expect((await readJson(response)).data).toMatchObject({ stored: 1, refused: 0 });
    }
    expect(calls).toBe(0);
    expect(await countSamples(patient.id)).toBe(4);
    // A person's access check needs D1.
    await expectHonest(
      await sendRequest(`${API}/observations`, { as: nurse, json: { patient_id: patient.id, ...createSample(71) }, env: down }),
    );
    expect(calls).toBeGreaterThan(0);
    expect(await countSamples(patient.id)).toBe(4);
  });
});

describe("the known-bad twin", () => {
  it("that answers before it has written is caught by the same check", async () => {
    const id = uniqueText();
    const naive: FaultCase = {
      name: "naive",
      status: 201,
      retry: "once",
      attempt: async () => ({
        async send(faulty) {
          const write = faulty.DB.prepare("INSERT INTO deployment (name, value) VALUES (?, 'x')")
            .bind(id + uniqueText())
            .run();
          await write.catch(() => undefined);
          return new Response("{}", { status: 201 });
        },
      }),
    };
    const fail = (check: Check) => failEach(naive, [1], "before", "DB", naive.attempt, check);
    await expect(fail(expectHonest)).rejects.toThrow();
    expect(await fail(async () => {})).toBe(1);
  });

  it("that records a success apart from its change is caught by the same check", async () => {
    const write = (isAtomic: boolean): FaultCase => ({
      name: "apart",
      status: 201,
      retry: "once",
      async attempt() {
        const [requestId, name] = [uniqueText(), uniqueText()];
        const actor = { kind: "system" as const, name: "test", via: { requestId, ip: null } };
        const headers = { "x-request-id": requestId, "retry-after": "1", "content-type": "application/problem+json" };
        return {
          async send(faulty) {
            const db = getDb(faulty.DB);
            const event = recordAuditEvent(db, actor, Date.now(), { event: "test.create", action: "C" });
            const change = db.run(sql`INSERT INTO deployment (name, value) VALUES (${name}, 'x')`);
            try {
              for (const statements of isAtomic ? [[...event, change]] : [event, [change]]) await batch(db, statements);
            } catch {
              return new Response(JSON.stringify({ code: "unavailable", errors: [] }), { status: 503, headers });
            }
            return new Response("{}", { status: 201, headers });
          },
          effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM deployment WHERE name = ?").bind(name)),
        };
      },
    });
    const fail = (route: FaultCase, calls: number[], when: "before" | "after") =>
      failEach(route, calls, when, "DB", route.attempt, (...args) => expectUntold(route, args[0], args[1], 1, args[2]));
    for (const when of ["before", "after"] as const) {
      expect(await fail(write(true), [1], when)).toBe(1);
      await expect(fail(write(false), [1, 2], when)).rejects.toThrow("success");
    }
  });

  it("that records a success before its effect outside of D1 is caught by the same check", async () => {
    const write = (event: string): FaultCase => ({
      name: "ahead",
      status: 201,
      retry: "once",
      event: "test.create",
      async attempt() {
        const [requestId, key] = [uniqueText(), uniqueText()];
        const actor = { kind: "system" as const, name: "test", via: { requestId, ip: null } };
        const headers = { "x-request-id": requestId, "retry-after": "1", "content-type": "application/problem+json" };
        return {
          async send(faulty) {
            const db = getDb(faulty.DB);
            await batch(db, recordAuditEvent(db, actor, Date.now(), { event, action: "C" }));
            const put = await faulty.FILES.put(key, "x").catch(() => null);
            return put
              ? new Response("{}", { status: 201, headers })
              : new Response(JSON.stringify({ code: "unavailable", errors: [] }), { status: 503, headers });
          },
          effects: async () => Number((await env.FILES.head(key)) !== null),
        };
      },
    });
    const fail = (route: FaultCase) =>
      failEach(route, [1], "before", "FILES", route.attempt, (...args) => expectUntold(route, args[0], args[1], 0, args[2]));
    expect(await fail(write("test.create_begin"))).toBe(1);
    await expect(fail(write("test.create"))).rejects.toThrow("effect of the success");
  });
});

describe("after all these faults", () => {
  it("every report opens to its bytes, and a sweep leaves exactly the objects that rows name", async () => {
    const reports = await verifyEveryReport();
    expect(reports).toBeGreaterThan(20);
    const named = new Set(await listReferencedKeys());
    const orphans = (await listStoredKeys()).filter((key) => !named.has(key));
    expect(orphans.length).toBeGreaterThan(0);
    await runCleanup(env, Date.now() + 2 * 3_600_000);
    expect((await listStoredKeys()).sort()).toEqual((await listReferencedKeys()).sort());
    expect(await verifyEveryReport()).toBe(reports);
  });

  it("says how many were injected", async ({ annotate }) => {
    const total = Object.values(injected).reduce((sum, n) => sum + n, 0);
    expect(total).toBeGreaterThan(100);
    await annotate(`${total} faults injected into ${routes.length} routes of the main job`);
  });
});
