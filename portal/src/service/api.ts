// API calls for the overview. Where only a count is needed no row is read: each row read would add an entry
// to the access log of its patient.
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
import { authorizedFetch } from "../accounts/session/session.ts";
import { listUsers } from "../accounts/users/api.ts";
import { listAuditEvents } from "../audit/api.ts";
import { API_BASE, CLIENT_OPTIONS, readBody, readData, readPage } from "../platform/api/client.ts";
import { fetchAllPages } from "../platform/api/fetch-all-pages.ts";
import { throwUnreachable } from "../platform/api/problem.ts";
import { HOUR_MS } from "../platform/durations.ts";

const { alerts } = hc<typeof alertRoutes>(API_BASE, CLIENT_OPTIONS);
const { reports } = hc<typeof reportRoutes>(API_BASE, CLIENT_OPTIONS);
const { uploads } = hc<typeof quarantineRoutes>(API_BASE, CLIENT_OPTIONS);
const { observations } = hc<typeof historyRoutes>(API_BASE, CLIENT_OPTIONS);
const { analytics } = hc<typeof analyticsRoutes>(API_BASE, CLIENT_OPTIONS);
const { patients } = hc<typeof patientRoutes>(API_BASE, CLIENT_OPTIONS);
const { devices } = hc<typeof deviceRoutes>(API_BASE, CLIENT_OPTIONS);
const { admin } = hc<typeof adminRoutes>(API_BASE, CLIENT_OPTIONS);
const { health } = hc<typeof healthRoutes>("/", CLIENT_OPTIONS);

const toIso = (at: number) => new Date(at).toISOString();

/** Past the end of any counted list: the response has the total and no items. */
const COUNT_ONLY = { limit: "1", offset: "10000" } as const;
type CountedPage = { pagination: { total: number; total_is_exact: boolean } };
export type ApproximateCount = { n: number; exact: boolean };
const toCount = ({ pagination }: CountedPage): ApproximateCount => ({ n: pagination.total, exact: pagination.total_is_exact });

export const countQuarantined = async () => toCount(await readPage(uploads.quarantine.$get({ query: COUNT_ONLY })));
export const countQuarantinedObservations = async () =>
  toCount(await readPage(observations.quarantine.$get({ query: { ...COUNT_ONLY, state: "held" } })));
export const countReports = async (from: number, to: number) =>
  toCount(await readPage(reports.$get({ query: { ...COUNT_ONLY, from: toIso(from), to: toIso(to) } })));
export const countSilentDevices = async () =>
  toCount(await readPage(alerts.$get({ query: { ...COUNT_ONLY, rule: "device_silence", open: "true" } })));

/** Reports of the last thirty days per day (UTC), today last. */
export const readReportsByDay = async () => (await readData(reports.stats.$get({ query: { days: "30" } }))).by_day;

const LOCK_WINDOW_MS = 15 * 60_000;
const FAILURES_TO_LOCK = 5;

/** Accounts locked by failed passwords, derived from the audit log; unlocked accounts are left out. */
export async function listLockedAccounts(now: number): Promise<string[]> {
  const since = { from: toIso(now - LOCK_WINDOW_MS) };
  const failed = await listAuditEvents({ ...since, event: "login.failed" }, null, 100);
  if (failed.items.length < FAILURES_TO_LOCK) return [];
  const unlocked = await listAuditEvents({ ...since, event: "user.unlock" }, null, 100);
  const failures = new Map<string, number>();
  for (const { entity, recorded } of failed.items) {
    const isUnlocked = unlocked.items.some(
      (unlockEvent) => unlockEvent.entity?.id === entity?.id && unlockEvent.recorded > recorded,
    );
    if (entity && !isUnlocked) failures.set(entity.id, (failures.get(entity.id) ?? 0) + 1);
  }
  return [...failures].filter(([, n]) => n >= FAILURES_TO_LOCK).map(([id]) => id);
}

/** Uploads since then that were refused or failed; `exact` is false above 100 of either. */
export async function countFailedUploads(since: number): Promise<ApproximateCount> {
  const pages = await Promise.all(
    (["failed", "refused"] as const).map((outcome) => readPage(uploads.$get({ query: { outcome, limit: "100" } }))),
  );
  const recent = pages.map(({ items }) => items.filter(({ created_at }) => Date.parse(created_at) >= since));
  return { n: recent.flat().length, exact: recent.every(({ length }) => length < 100) };
}

/** Alarms raised since then. */
export const listAlarmsSince = (since: number) =>
  fetchAllPages(
    (cursor) => readPage(alerts.$get({ query: { from: toIso(since), limit: "100", ...(cursor && { cursor }) } })),
    10,
  );
export type Alarm = Awaited<ReturnType<typeof listAlarmsSince>>["items"][number];

/** All hospitals for a platform administrator; one hospital for its administrator. */
export async function readTotals(isPlatformAdmin: boolean): Promise<{ patients: number; users: number; devices: number }> {
  if (isPlatformAdmin) return readData(admin.stats.$get());
  const [patientPage, userPage, devicePage] = await Promise.all([
    readPage(patients.$get({ query: COUNT_ONLY })),
    listUsers({}, null, 1),
    readPage(devices.$get({ query: COUNT_ONLY })),
  ]);
  return {
    patients: patientPage.pagination.total,
    users: userPage.pagination.total,
    devices: devicePage.pagination.total,
  };
}

/** Completed hours of the last day, each with its sample count over all vitals. */
export async function readSamplesByHour() {
  // A day has one row per hour and vital sign: one page holds them all.
  const { data, meta } = await readBody(analytics["hourly-stats"].$get({ query: { limit: "1000" } }));
  const hours = new Map<number, number>();
  for (let at = Date.parse(meta.from); at < Date.parse(meta.to); at += HOUR_MS) hours.set(at, 0);
  for (const { hour, n } of data) hours.set(Date.parse(hour), (hours.get(Date.parse(hour)) ?? 0) + n);
  return [...hours].map(([at, n]) => ({ at, n }));
}

type HealthCheck = { status: "ok" | "error"; latency_ms: number };
type HealthChecks = Partial<Record<"keys" | "d1" | "r2" | "kv", HealthCheck>>;
const HEALTH_CHECKS = ["keys", "d1", "r2", "kv"] as const;

/** Liveness, readiness, components and the response time seen by this browser. */
export async function readHealth() {
  const started = performance.now();
  const [alive, ready] = await Promise.all([readData(health.$get()), health.ready.$get().catch(throwUnreachable)]);
  const responseMs = Math.round(performance.now() - started);
  // A service that is not ready returns 503 and still lists its components.
  const { data } = (await ready.json()) as { data: HealthChecks };
  const parts = HEALTH_CHECKS.flatMap((name) => {
    const check = data[name] ?? (name === "keys" ? undefined : alive[name]);
    return check ? [{ name, ...check }] : [];
  });
  return { alive: alive.status === "ok", ready: ready.status === 200, parts, waited_ms: responseMs, at: Date.now() };
}

/** API version from the OpenAPI description; null when it cannot be read. */
export async function readVersion(): Promise<string | null> {
  const response = await authorizedFetch("/openapi.json");
  if (!response.ok || !response.headers.get("Content-Type")?.includes("json")) return null;
  const { info }: { info?: { version?: string } } = await response.json();
  return info?.version ?? null;
}
