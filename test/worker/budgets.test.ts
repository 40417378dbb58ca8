// Cost budget of each request: D1 round trips, rows read and written, R2 and KV operations, object calls. A read takes one round
// trip, writes no row and appends its audit event once (reads of hours of D1 and of the audit log take two trips); a write takes at most 3, a write that notifies objects first as many as that takes; a device's samples take none.
import { beforeAll, describe, expect, it } from "vitest";
import { handOverStaged } from "../../src/audit-log/hand-over.ts";
import { runCleanup } from "../../src/cron.ts";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { type Counts, withCounters } from "../stores.ts";
import { API, env, newDevice, readJson, sendRequest } from "../world.ts";
import { accountReads, accountWrites } from "./budgets-accounts.ts";
import { careA } from "./budgets-care-a.ts";
import { careB } from "./budgets-care-b.ts";
import { careC } from "./budgets-care-c.ts";
import { careD } from "./budgets-care-d.ts";
import { careE } from "./budgets-care-e.ts";
import { careF } from "./budgets-care-f.ts";
import { careG } from "./budgets-care-g.ts";
import { consents } from "./budgets-consents.ts";
import { documentRequests } from "./budgets-document-requests.ts";
import { documents } from "./budgets-documents.ts";
import { emergency } from "./budgets-emergency.ts";
import { erasure } from "./budgets-erasure.ts";
import { escalation } from "./budgets-escalation.ts";
import { factorReads, factorWrites } from "./budgets-factors.ts";
import { hospitalReads, hospitalWrites } from "./budgets-hospital.ts";
import { messageReads, messageWrites } from "./budgets-messages.ts";
import { phoneNumbers } from "./budgets-phone.ts";
import { privacy } from "./budgets-privacy.ts";
import { reports, uploads } from "./budgets-reports.ts";
import { vitals } from "./budgets-vitals.ts";
import { webhookReads, webhookWrites } from "./budgets-webhooks.ts";
import {
  type Budget,
  type BudgetCase,
  budget,
  liveBudget,
  MAX_TRIPS,
  monitoredPatient,
  setUpWorld,
  world,
} from "./budgets-world.ts";
import { createSample } from "./monitored-patient.ts";

/** In this order: some lines depend on data of earlier ones. */
const lines: BudgetCase[] = [
  ...reports,
  ...documents,
  ...privacy,
  ...documentRequests,
  ...hospitalReads,
  ...accountReads,
  ...messageReads,
  ...webhookReads,
  ...factorReads,
  ...phoneNumbers,
  ...vitals,
  ...uploads,
  ...hospitalWrites,
  ...messageWrites,
  ...webhookWrites,
  ...erasure,
  ...escalation,
  ...accountWrites,
  ...factorWrites,
  ...consents,
  ...emergency,
  ...careA,
  ...careB,
  ...careC,
  ...careD,
  ...careE,
  ...careF,
  ...careG,
];

beforeAll(setUpWorld);

/** By request: a repeated test replaces its line. */
const table = new Map<string, string>();
const cells = (...texts: (string | number)[]) => `| ${texts.join(" | ")} |`;
const note = (name: string, counts: Counts) => {
  const { d1, rowsRead, rowsWritten, r2, kv, objects } = counts;
  const lists = [r2, kv, objects].map((list) => list.join(" ") || "-");
  table.set(name, cells(name.padEnd(32), d1, rowsRead, rowsWritten, ...lists));
};

/** Beside a write's own budget: the counters of its storage quotas, a day and a total each for account and hospital. */
const QUOTA_ROWS = { read: 24, written: 4 };

/** Reads without an audit event: about the caller only, or the same for everybody. */
const UNRECORDED = new Set([
  ...factorReads.map(([name]) => name),
  "GET /auth/me",
  "GET /push/key",
  "GET /push/subscriptions",
  "GET /notification-settings",
  "GET /notification-settings/phone",
  "GET /notification-preferences",
  "GET /hospitals/{id}/required-channels",
  // None of these notifications names a patient.
  "GET /notifications",
  "GET /notifications/unread-count",
  "GET /auth/sessions",
  "GET /hospitals",
  "GET /hospitals/{id}",
  "GET /document-requests/hospitals",
  "GET /alert-rules/defaults",
  // Opening a view stages its events.
  "GET /live",
  "GET /live/sse",
]);
/** Reads by POST. */
const RECORDED_POSTS = new Set([
  "POST /patients, same key",
  "POST /patients/{id}/alert-rules/preview",
  "POST /documents/{id}/link",
]);
/** Writes with an effect outside of D1 append the event of their success after it. */
const APPENDED_WRITES = [
  /^POST \/observations, (nurse|first)/,
  /^POST \/wearables\/sync/,
  /^PATCH \/observations\//,
  /^POST \/alerts\/\{id\}\/(acknowledge|snooze|assign|resolve)$/,
  /\/observation-(sets|pause)/,
  /^POST \/uploads\/\{id\}\/discard$/,
];
const isAppend = (op: string) => op === "audit.append";

/** The counts above their budgets. */
function over(counts: Counts, may: Budget): string[] {
  return [
    ...(counts.d1 > may.d1 ? [`${counts.d1} round trips`] : []),
    ...(counts.rowsRead > may.read ? [`${counts.rowsRead} rows read`] : []),
    ...(counts.rowsWritten > may.written ? [`${counts.rowsWritten} rows written`] : []),
    ...(counts.r2.join(" ") !== may.r2 ? [`R2 ${counts.r2.join(" ")}`] : []),
    ...(counts.kv.length > may.kv ? [`KV ${counts.kv.join(" ")}`] : []),
    ...(counts.objects.join(" ") !== may.objects ? [`objects ${counts.objects.join(" ")}`] : []),
  ];
}

describe("the budget of", () => {
  it.each(lines)("%s", async (name, kind, status, may, run) => {
    expect(may.d1).toBeLessThanOrEqual(MAX_TRIPS[kind]);
    // Delivers notifications of earlier lines, which do not belong to this one.
    while ((await deliverChanges(env)) > 0);
    await handOverStaged(env);
    const { env: counted, counts } = withCounters(env);
    const response = await run(counted);
    expect(response.status).toBe(status);
    await response.arrayBuffer();
    note(name, counts);
    const quota = kind === "read" ? { read: 0, written: 0 } : QUOTA_ROWS;
    const isAppended =
      (kind === "read" && !UNRECORDED.has(name)) ||
      RECORDED_POSTS.has(name) ||
      APPENDED_WRITES.some((pattern) => pattern.test(name));
    expect(counts.objects.filter(isAppend)).toHaveLength(isAppended ? 1 : 0);
    const others = { ...counts, objects: counts.objects.filter((op) => !isAppend(op)) };
    expect(over(others, { ...may, read: may.read + quota.read, written: may.written + quota.written })).toEqual([]);
    // Options to sign in with a passkey are signed and not stored.
    expect(counts.d1 > 0).toBe(may.d1 > 0);
  });

  it("samples of a device: no D1, one object; KV is asked where to send them once a minute, and knows when the object does", async () => {
    const bedside = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
    const send = async (value: number) => {
      const { env: counted, counts } = withCounters(env);
      const response = await sendRequest(`${API}/observations`, {
        as: bedside,
        json: { samples: [createSample(value)] },
        env: counted,
      });
      expect((await readJson(response)).data.stored).toBe(1);
      return counts;
    };
    const first = await send(70);
    note("POST /observations, device, first", first);
    expect(over(first, { ...liveBudget(3, 50, 2, "record", "configure", "record"), kv: 3 })).toEqual([]);
    const second = await send(71);
    note("POST /observations, device", second);
    expect(over(second, liveBudget(0, 0, 0, "record"))).toEqual([]);
    expect(second.objects).toHaveLength(1);
  });

  it("what is told behind an answer: one read, each change's facts, one write", async () => {
    while ((await deliverChanges(env)) > 0);
    const { env: counted, counts } = withCounters(env);
    await env.DB.prepare("UPDATE patients SET ward_id = NULL WHERE id = ?").bind(monitoredPatient.id).run();
    expect(await deliverChanges(counted)).toBe(2);
    note("behind an answer: a patient moved", counts);
    expect(counts.d1).toBe(3);
    expect(counts.objects.toSorted()).toEqual(["feed.recheck", "monitor.configure"]);
    const { env: idle, counts: nothing } = withCounters(env);
    expect(await deliverChanges(idle)).toBe(0);
    note("behind an answer: nothing changed", nothing);
    expect(nothing).toMatchObject({ d1: 1, rowsWritten: 0, objects: [] });
  });

  it("a sweep of a day: one list for each hour, and one for what lies in clear", async () => {
    await runCleanup(env, Date.now() + 2 * 3_600_000);
    const { env: counted, counts } = withCounters(env);
    await runCleanup(counted, Date.now() + 2 * 3_600_000);
    note("cron, nothing to sweep", counts);
    expect(counts.d1).toBeLessThanOrEqual(3);
    expect(counts.r2.every((op) => op === "list")).toBe(true);
    expect(counts.r2.length).toBeLessThanOrEqual(27);
  });

  it("an excessive request exceeds its budget (the check works)", async () => {
    const { env: counted, counts } = withCounters(env);
    for (let i = 0; i < 3; i++) await counted.DB.prepare("SELECT * FROM reports").all();
    await counted.FILES.head("x");
    await counted.KV.get("x");
    await counted.KV.get("x");
    await counted.PATIENT_MONITOR.getByName("nobody").snapshot();
    expect(over(counts, budget(2, 100, 0))).toEqual([
      "3 round trips",
      expect.stringMatching(/rows read$/),
      "R2 head",
      "KV get get",
      "objects monitor.snapshot",
    ]);
  });

  it("all, as counted", async ({ annotate }) => {
    expect(table.size).toBe(lines.length + 5);
    const head = cells("request".padEnd(32), "D1 round trips", "rows read", "rows written", "R2", "KV", "objects");
    await annotate([head, "|---|---|---|---|---|---|---|", ...table.values()].join("\n"));
  });
});
