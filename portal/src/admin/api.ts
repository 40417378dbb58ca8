// What the API says that the overview counts. Where only a number is wanted no row is read: reading one would stand in
// the access log of the patient whose it is.
import { hc } from "hono/client";
import type { deviceRoutes } from "../../../src/devices/routes.ts";
import type { alertRoutes } from "../../../src/monitoring/alerts/routes.ts";
import type { analyticsRoutes } from "../../../src/monitoring/history/analytics-routes.ts";
import type { historyRoutes } from "../../../src/monitoring/history/history-routes.ts";
import type { patientRoutes } from "../../../src/patients/routes.ts";
import type { quarantineRoutes } from "../../../src/reports/quarantine/quarantine-routes.ts";
import type { reportRoutes } from "../../../src/reports/reading/routes.ts";
import type { adminRoutes } from "../../../src/service/admin/routes.ts";
import type { healthRoutes } from "../../../src/service/routes.ts";
import { allPages } from "../api/all-pages.ts";
import { API, bodyOf, dataOf, OPTIONS, pageOf } from "../api/client.ts";
import { unreachable } from "../api/problem.ts";
import { listAuditEvents } from "../audit/api.ts";
import { authorized } from "../session/session.ts";
import { listUsers } from "../users/api.ts";

const { alerts } = hc<typeof alertRoutes>(API, OPTIONS);
const { reports } = hc<typeof reportRoutes>(API, OPTIONS);
const { uploads } = hc<typeof quarantineRoutes>(API, OPTIONS);
const { observations } = hc<typeof historyRoutes>(API, OPTIONS);
const { analytics } = hc<typeof analyticsRoutes>(API, OPTIONS);
const { patients } = hc<typeof patientRoutes>(API, OPTIONS);
const { devices } = hc<typeof deviceRoutes>(API, OPTIONS);
const { admin } = hc<typeof adminRoutes>(API, OPTIONS);
const { health } = hc<typeof healthRoutes>("/", OPTIONS);

const iso = (at: number) => new Date(at).toISOString();

/** Beyond the end of any list that is counted: the answer has the total and no items. */
const PAST_THE_END = { limit: "1", offset: "10000" } as const;
type Counted = { pagination: { total: number; total_is_exact: boolean } };
export type Total = { n: number; exact: boolean };
const totalOf = ({ pagination }: Counted): Total => ({ n: pagination.total, exact: pagination.total_is_exact });

export const countQuarantined = async () => totalOf(await pageOf(uploads.quarantine.$get({ query: PAST_THE_END })));
export const countHeld = async () => totalOf(await pageOf(observations.quarantine.$get({ query: PAST_THE_END })));
export const countReports = async (from: number, to: number) =>
  totalOf(await pageOf(reports.$get({ query: { ...PAST_THE_END, from: iso(from), to: iso(to) } })));
export const countSilentDevices = async () =>
  totalOf(await pageOf(alerts.$get({ query: { ...PAST_THE_END, rule: "device_silence", open: "true" } })));

/** Reports of the last thirty days by the day (UTC), today last. */
export const reportsByDay = async () => (await dataOf(reports.stats.$get({ query: { days: "30" } }))).by_day;

const LOCK_MS = 15 * 60_000;
const LOCKING_FAILURES = 5;

/** Accounts with so many wrong passwords that they are locked, as the trail tells; unlocked ones are left out. */
export async function lockedAccounts(now: number): Promise<string[]> {
  const since = { from: iso(now - LOCK_MS) };
  const [failed, unlocked] = await Promise.all([
    listAuditEvents({ ...since, event: "login.failed" }, null, 100),
    listAuditEvents({ ...since, event: "user.unlock" }, null, 100),
  ]);
  const failures = new Map<string, number>();
  for (const { entity, recorded } of failed.items) {
    const lifted = unlocked.items.some((lift) => lift.entity?.id === entity?.id && lift.recorded > recorded);
    if (entity && !lifted) failures.set(entity.id, (failures.get(entity.id) ?? 0) + 1);
  }
  return [...failures].filter(([, n]) => n >= LOCKING_FAILURES).map(([id]) => id);
}

/** Uploads since then that were refused or failed; `exact` is false beyond a hundred of either. */
export async function failedUploads(since: number): Promise<Total> {
  const pages = await Promise.all(
    (["failed", "refused"] as const).map((outcome) => pageOf(uploads.$get({ query: { outcome, limit: "100" } }))),
  );
  const recent = pages.map(({ items }) => items.filter(({ created_at }) => Date.parse(created_at) >= since));
  return { n: recent.flat().length, exact: recent.every(({ length }) => length < 100) };
}

/** Alarms that were raised since then. */
export const alarmsSince = (since: number) =>
  allPages((cursor) => pageOf(alerts.$get({ query: { from: iso(since), limit: "100", ...(cursor && { cursor }) } })), 10);
export type Alarm = Awaited<ReturnType<typeof alarmsSince>>["items"][number];

/** Of the deployment, for an administrator of the platform; of their hospital, for its administrator. */
export async function standingTotals(ofPlatform: boolean): Promise<{ patients: number; users: number; devices: number }> {
  if (ofPlatform) return dataOf(admin.stats.$get());
  const [inPatients, inUsers, inDevices] = await Promise.all([
    pageOf(patients.$get({ query: PAST_THE_END })),
    listUsers({}, null, 1),
    pageOf(devices.$get({ query: PAST_THE_END })),
  ]);
  return {
    patients: inPatients.pagination.total,
    users: inUsers.pagination.total,
    devices: inDevices.pagination.total,
  };
}

/** The hours of the last day that are closed, each with its samples of every vital. */
export async function samplesByHour() {
  const { data, meta } = await bodyOf(analytics["hourly-stats"].$get({ query: {} }));
  const hours = new Map<number, number>();
  for (let at = Date.parse(meta.from); at < Date.parse(meta.to); at += 3_600_000) hours.set(at, 0);
  for (const { hour, n } of data) hours.set(Date.parse(hour), (hours.get(Date.parse(hour)) ?? 0) + n);
  return [...hours].map(([at, n]) => ({ at, n }));
}

type Check = { status: "ok" | "error"; latency_ms: number };
type Parts = Partial<Record<"keys" | "d1" | "r2" | "kv", Check>>;
const PARTS = ["keys", "d1", "r2", "kv"] as const;

/** Whether it lives and can work, its parts, and how long this browser waited. */
export async function readHealth() {
  const started = performance.now();
  const [alive, ready] = await Promise.all([dataOf(health.$get()), health.ready.$get().catch(unreachable)]);
  const waited_ms = Math.round(performance.now() - started);
  // What is not ready says so with 503, and names its parts all the same.
  const { data } = (await ready.json()) as { data: Parts };
  const parts = PARTS.flatMap((name) => {
    const check = data[name] ?? (name === "keys" ? undefined : alive[name]);
    return check ? [{ name, ...check }] : [];
  });
  return { alive: alive.status === "ok", ready: ready.status === 200, parts, waited_ms, at: Date.now() };
}

/** The version that the API's description tells; null where it cannot be read from here. */
export async function readVersion(): Promise<string | null> {
  const response = await authorized("/openapi.json");
  if (!response.ok || !response.headers.get("Content-Type")?.includes("json")) return null;
  const { info }: { info?: { version?: string } } = await response.json();
  return info?.version ?? null;
}
