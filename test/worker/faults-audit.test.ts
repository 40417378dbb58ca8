// Faults of the audit log on every audited GET of the Worker: patient data are answered only when their event is durable.
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { NO_HOSPITAL_LOG } from "../../src/audit-log/contract.ts";
import { handOverStaged } from "../../src/audit-log/hand-over.ts";
import { renewCareF } from "../authz.care-world-f.ts";
import { expectedAuditEvents, expectedDecision, relationTo } from "../authz.matrix.ts";
import { callRoute } from "../authz.requests.ts";
import { ROUTES } from "../authz.routes.ts";
import { type AuthzFixture, createFixture, type TestCaller } from "../authz.world.ts";
import { isSampled } from "../long.ts";
import { newNotification } from "../notification-rows.ts";
import { type AppendCalls, type AppendFault, interceptStores, withAppendFault } from "../stores.ts";
import { env } from "../world.ts";

/** `appends` and `events` of a request without a fault; an event is named with its log. */
type Read = { route: string; caller: TestCaller; appends: number; events: string[] };
type Answer = { read: Read; status: number; type: string | null; text: string; requestId: string; atResponse: AppendCalls };

/** Opening a view stages its events in D1, and appends none. */
const STAGED = ["GET /api/v1/live", "GET /api/v1/live/sse", "GET /api/v1/audit-events"];
/** Shows what the fixture has none of (faults-emergency.ts). */
const ABSENT = ["GET /api/v1/emergency-access/:emergency_access_id", "GET /api/v1/patients/:patient_id/notice-delay"];
const NO_FAULT: AppendFault = { when: "before", count: 0 };

let stage: AuthzFixture;
let reads: Read[] = [];

/** The audited GETs of the matrix, each with the first caller who may call it about the same patient. */
function auditedReads(): Read[] {
  return Object.entries(ROUTES).flatMap(([route, rule]) => {
    if (!route.startsWith("GET ") || [...STAGED, ...ABSENT].includes(route)) return [];
    const caller = stage.players.find(({ principal }) => {
      const decision = expectedDecision(principal, rule, relationTo(principal, "treated"));
      return decision === "allow" && expectedAuditEvents(principal, rule, decision) > 0;
    });
    return caller ? [{ route, caller, appends: 0, events: [] }] : [];
  });
}

async function send(read: Read, fault: AppendFault, wrap = (of: Env) => of): Promise<Answer> {
  const { env: faulty, calls } = withAppendFault(env, fault);
  const { route, caller } = read;
  const treated = stage.handles.treated;
  const handle = (await renewCareF(route, treated, stage, caller)) ?? treated;
  const response = await callRoute(route, handle, caller, "", caller.token, wrap(faulty));
  const atResponse = { ...calls };
  const text = new TextDecoder("latin1").decode(await response.arrayBuffer());
  const [type, requestId] = [response.headers.get("content-type"), response.headers.get("x-request-id") ?? ""];
  return { read, status: response.status, type, text, requestId, atResponse };
}

const showsPatient = (text: string) => Object.values(stage.patients).some(({ canary }) => text.includes(canary));

/** What is wrong with an answer by itself. */
function complaintsOf({ read, status, type, text, atResponse: { stored, staged } }: Answer): string[] {
  const isProblem = status === 503 && type === "application/problem+json";
  return [
    ...(status < 300 && stored < read.appends && staged === 0 ? ["its event is not durable yet"] : []),
    ...(status >= 300 && !isProblem ? [`status ${status}, ${type}`] : []),
    ...(status >= 300 && (showsPatient(text) || text.startsWith("%PDF")) ? ["patient data in an error"] : []),
    ...(status >= 300 && JSON.parse(text).code !== "unavailable" ? [`the error is ${text}`] : []),
  ].map((complaint) => `${read.route}: ${complaint}`);
}

/** Every entry of the logs by its request, as its log and name. An entry that is stored twice is there twice. */
async function readEntries(): Promise<Map<string, string[]>> {
  const found: [requestId: string, entry: string][] = [];
  const { results } = await env.DB.prepare("SELECT id FROM hospitals").all<{ id: string }>();
  for (const log of [NO_HOSPITAL_LOG, ...results.map(({ id }) => id)]) {
    const rows = await runInDurableObject(env.AUDIT_LOG.getByName(log), (_, { storage: { sql } }) => {
      if (sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'entries'").toArray().length === 0) return [];
      return sql
        .exec<{ id: string; name: string }>("SELECT event->>'request_id' AS id, event->>'event' AS name FROM entries")
        .toArray();
    });
    for (const { id, name } of rows) found.push([id, `${log} ${name}`]);
  }
  const byRequest = Map.groupBy(found, ([requestId]) => requestId);
  return new Map([...byRequest].map(([requestId, entries]) => [requestId, entries.map(([, entry]) => entry).sort()]));
}

const countStaged = async (requestId: string) =>
  (await env.DB.prepare("SELECT count(*) AS n FROM audit_staged WHERE event->>'request_id' = ?")
    .bind(requestId)
    .first<number>("n")) ?? -1;

/** Sends the reads with a fault: in the short form each third, others for other faults and days. @param tries of the append to each log that fail */
async function sendAll(tries: number, fault: Omit<AppendFault, "count">, check: (answer: Answer) => Promise<void> | void) {
  const answers: Answer[] = [];
  const column = tries + (fault.when === "before" ? 0 : 1);
  for (const read of reads.filter((_, r) => isSampled(r, column, 3))) {
    const answer = await send(read, { ...fault, count: tries * read.appends });
    expect(complaintsOf(answer)).toEqual([]);
    await check(answer);
    // A list of events hands over first, through the failing log.
    await handOverStaged(env);
    answers.push(answer);
  }
  return answers;
}

/** The events of each answer are in their logs, once. */
async function expectLogged(answers: readonly Answer[]): Promise<void> {
  const entries = await readEntries();
  const wrong = answers.filter(({ read, requestId }) => String(entries.get(requestId)) !== String(read.events));
  expect(wrong.map(({ read, requestId }) => [read.route, entries.get(requestId)])).toEqual([]);
}

beforeAll(async () => {
  stage = await createFixture();
  const { patientId, hospitalId } = stage.handles.treated;
  for (const { person } of stage.players)
    if (person) await newNotification(person, JSON.stringify({ patient_id: patientId }), hospitalId);
  await handOverStaged(env);
  const answers = [];
  for (const read of auditedReads()) answers.push(await send(read, NO_FAULT));
  const entries = await readEntries();
  reads = answers.map(({ read, requestId, atResponse, status }) => {
    expect(status, read.route).toBe(200);
    return { ...read, appends: atResponse.stored, events: entries.get(requestId) ?? [] };
  });
  for (const { route, appends, events } of reads) expect([route, appends]).toEqual([route, Math.max(1, events.length)]);
});

describe("every audited read", () => {
  it("is among the reads of this test, and most show a patient", async () => {
    expect(reads.length).toBeGreaterThan(50);
    const answers = await Promise.all(reads.map((read) => send(read, NO_FAULT)));
    expect(answers.flatMap(complaintsOf)).toEqual([]);
    expect(answers.filter(({ text }) => showsPatient(text)).length).toBeGreaterThan(10);
    expect(reads.some(({ appends }) => appends > 1)).toBe(true);
  });

  it.each(["before", "after"] as const)("is answered when its append fails once, %s its effect", async (when) => {
    const answers = await sendAll(1, { when }, async ({ read, status, atResponse: { failed, stored }, requestId }) => {
      const tries = [failed, stored, await countStaged(requestId)];
      expect([read.route, status, tries]).toEqual([read.route, 200, [read.appends, read.appends, 0]]);
    });
    await expectLogged(answers);
  });

  it.each(["before", "after"] as const)(
    "is answered with a staged event when its append fails twice, %s its effect",
    async (when) => {
      const answers = await sendAll(2, { when }, async ({ read, status, atResponse, requestId }) => {
        expect([read.route, status, atResponse.stored]).toEqual([read.route, 200, 0]);
        expect(await countStaged(requestId), read.route).toBeGreaterThan(0);
      });
      await expectLogged(answers);
    },
  );

  it("is a 503 without patient data when its append and the staging fail", async () => {
    for (const when of ["before", "after"] as const) {
      const answers = await sendAll(2, { when, isStagingDown: true }, ({ read, status, atResponse }) => {
        expect([read.route, status, atResponse]).toEqual([read.route, 503, { failed: 2 * read.appends, stored: 0, staged: 0 }]);
      });
      const entries = await readEntries();
      // An append that took effect leaves the event of a read that was not answered.
      for (const { read, requestId } of answers)
        expect(entries.get(requestId) ?? [], `${read.route}, ${when}`).toEqual(when === "after" ? read.events : []);
    }
  });

  it("waits for a slow append", async () => {
    const answers = await Promise.all(reads.map((read) => send(read, { when: "slow", count: 0 })));
    expect(answers.flatMap(complaintsOf)).toEqual([]);
    expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
    await expectLogged(answers);
  });

  it("is noticed by this check when it is answered before its event is durable", async () => {
    const answerFirst = (of: Env) =>
      interceptStores(of, async ({ op }, run) => {
        if (op !== "audit.append") return run();
        void scheduler.wait(50).then(run);
        return undefined as never;
      });
    const answers = await Promise.all(reads.map((read) => send(read, NO_FAULT, answerFirst)));
    expect(answers.flatMap(complaintsOf)).toEqual(reads.map(({ route }) => `${route}: its event is not durable yet`));
  });
});
