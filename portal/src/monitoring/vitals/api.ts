// API calls for one patient's vital signs: charts, samples, latest values and alarms of a period.
import { hc } from "hono/client";
import type { alertRoutes } from "../../../../src/monitoring/alerts/routes.ts";
import type { historyRoutes } from "../../../../src/monitoring/history/history-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readBody, readData, readPage } from "../../platform/api/client.ts";
import { DAY_MS } from "../../platform/durations.ts";
import { bucketsOf, type ChartSample, samplesOf } from "./columns.ts";
import type { TimeWindow } from "./time-window.ts";

const historyApi = hc<typeof historyRoutes>(API_BASE, CLIENT_OPTIONS);
const alertApi = hc<typeof alertRoutes>(API_BASE, CLIENT_OPTIONS);

type HistoryData = Awaited<ReturnType<typeof readHistory>>["data"];
type HistoryItem = Extract<HistoryData, readonly unknown[]>[number];
export type Observation = Extract<HistoryItem, { observation_id: string }>;

const toIso = (at: number) => new Date(at).toISOString();
type HistoryQuery = NonNullable<Parameters<(typeof historyApi.patients)[":patient_id"]["observations"]["$get"]>[0]["query"]>;

const readHistory = (patientId: string, query: HistoryQuery) =>
  readBody(historyApi.patients[":patient_id"].observations.$get({ param: { patient_id: patientId }, query }));

/** Buckets per vital sign, oldest first, and the limits in force. @param vitals names from the catalogue */
export async function readBuckets(patientId: string, vitals: readonly string[], { from, to }: TimeWindow, buckets: number) {
  const range = { code: vitals.join(","), from: toIso(from), to: toIso(to) };
  const { data, meta } = await readHistory(patientId, { ...range, buckets: String(buckets), format: "columns" });
  const items = "from" in data ? bucketsOf(data) : [];
  return { items, hours: meta.resolution === "hour", uncounted: meta.uncounted_hours ?? 0, limits: meta.limits ?? [] };
}

/** Samples, newest first. */
export async function listSamples(
  patientId: string,
  vitals: readonly string[],
  { from, to }: TimeWindow,
  cursor: string | null,
  limit = 100,
) {
  const query = { code: vitals.join(","), from: toIso(from), to: toIso(to), limit: String(limit), ...(cursor && { cursor }) };
  const { data, meta } = await readHistory(patientId, query);
  const items = Array.isArray(data) ? data.filter((item): item is Observation => "observation_id" in item) : [];
  const emptyPagination = { total: items.length, total_is_exact: true, next_cursor: null };
  return { items, pagination: meta.pagination ?? emptyPagination };
}

/** All samples of a short window, newest first; null when there are more than `pages` thousand. */
export async function readSamples(patientId: string, vitals: readonly string[], window: TimeWindow, pages: number) {
  const range = { code: vitals.join(","), from: toIso(window.from), to: toIso(window.to), limit: "1000" };
  const samples: ChartSample[] = [];
  let cursor: string | null = null;
  for (let pagesLeft = pages; pagesLeft > 0; pagesLeft--) {
    const query: HistoryQuery = { ...range, format: "columns", ...(cursor && { cursor }) };
    const { data, meta }: Awaited<ReturnType<typeof readHistory>> = await readHistory(patientId, query);
    if ("times" in data) samples.push(...samplesOf(data));
    cursor = meta.pagination?.next_cursor ?? null;
    if (cursor === null) return samples;
  }
  return null;
}

/** Of a record that the caller sees whole: by a consent another hospital's staff gets the samples alone. */
export async function readLatest(patientId: string) {
  const latest = await readData(
    historyApi.patients[":patient_id"].observations.latest.$get({ param: { patient_id: patientId } }),
  );
  if (!("news2" in latest)) throw new TypeError("latest values without a score");
  return latest;
}
export type Latest = Awaited<ReturnType<typeof readLatest>>;

const MAX_ALARM_MS = DAY_MS;
/** Alarms that may overlap a window; older ones that are still open come from the live view. */
export const listAlarms = (patientId: string, { from, to }: TimeWindow) =>
  readPage(
    alertApi.alerts.$get({
      query: { patient_id: patientId, from: toIso(from - MAX_ALARM_MS), to: toIso(to), limit: "100" },
    }),
  );
export const listOpenAlarms = (patientId: string) =>
  readPage(alertApi.alerts.$get({ query: { patient_id: patientId, open: "true", limit: "100" } }));
export const listPatientAlarms = (patientId: string, cursor: string | null) =>
  readPage(alertApi.alerts.$get({ query: { patient_id: patientId, limit: "50", ...(cursor && { cursor }) } }));
export type Alarm = Awaited<ReturnType<typeof listAlarms>>["items"][number];

export type Amendment = Parameters<(typeof historyApi.observations)[":observation_id"]["$patch"]>[0]["json"];
export const amendObservation = (observationId: string, json: Amendment) =>
  readData(historyApi.observations[":observation_id"].$patch({ param: { observation_id: observationId }, json }));
