// API calls of emergency access, and of the delay of its notice to the patient.
import { queryOptions, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { noticeDelayRoutes } from "../../../src/emergency-access/delay-routes.ts";
import type { emergencyAccessRoutes } from "../../../src/emergency-access/routes.ts";
import { syncServerClock } from "../monitoring/live/server-clock.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../platform/api/client.ts";
import { toProblem } from "../platform/api/problem.ts";
import { queryClient } from "../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../platform/design/data-table.tsx";

const emergencyApi = hc<typeof emergencyAccessRoutes>(API_BASE, CLIENT_OPTIONS)["emergency-access"];
const delayApi = hc<typeof noticeDelayRoutes>(API_BASE, CLIENT_OPTIONS).patients[":patient_id"]["notice-delay"];

/** Of reasons, after trimming. */
export const REASON_LENGTH = { min: 20, max: 1_000 };
/** Days for which a notice can be delayed. */
export const MAX_DELAY_DAYS = 30;

/** What is left of an access is counted by the server's clock, also where no live view tells it. */
function syncWith(time: string | null): void {
  const at = Date.parse(time ?? "");
  if (!Number.isNaN(at)) syncServerClock(at);
}

async function withServerTime<R extends { headers: Headers }>(request: Promise<R>): Promise<R> {
  const response = await request;
  syncWith(response.headers.get("Date"));
  return response;
}

const KEY = ["emergency"];
const refreshAccesses = () => queryClient.invalidateQueries({ queryKey: KEY });

const readAccess = (emergency_access_id: string) =>
  readData(withServerTime(emergencyApi[":emergency_access_id"].$get({ param: { emergency_access_id } })));
export type EmergencyAccess = Awaited<ReturnType<typeof readAccess>>;

export const accessQuery = (id: string) => queryOptions({ queryKey: [...KEY, "one", id], queryFn: () => readAccess(id) });
export const useEmergencyAccess = (id: string | null) => useQuery({ ...accessQuery(id ?? ""), enabled: id !== null });

export type AccessStatus = EmergencyAccess["status"];
const listAccesses = (status: AccessStatus | null, cursor: string | null) =>
  readPage(withServerTime(emergencyApi.$get({ query: { ...(status && { status }), ...(cursor && { cursor }) } })));

/** The own accesses; for a privacy officer, those of the hospital. @param status null for all */
export const useEmergencyAccesses = (status: AccessStatus | null, enabled: boolean) =>
  useInfiniteQuery({
    queryKey: [...KEY, "list", status],
    queryFn: ({ pageParam }) => listAccesses(status, pageParam),
    enabled,
    ...CURSOR_PAGINATION,
  });

/** @throws Problem conflict (open anyway, or no new reason), not_found, rate_limited */
export async function startAccess(json: { patient_id: string; reason: string }, key: string): Promise<EmergencyAccess> {
  const header = { "idempotency-key": key };
  const started = await readData(emergencyApi.$post({ header, json: { ...json, purpose: "BTG" } })).finally(refreshAccesses);
  syncWith(started.started_at);
  return started;
}

/** @throws Problem conflict (ended already) */
export const endAccess = (emergency_access_id: string) =>
  readData(emergencyApi[":emergency_access_id"].end.$post({ param: { emergency_access_id } })).finally(refreshAccesses);

const readDelay = (patient_id: string) => readData(delayApi.$get({ param: { patient_id } }));
export type NoticeDelay = Awaited<ReturnType<typeof readDelay>>;

/** Null where no delay runs. The service says the same of a patient of another hospital. */
export const delayQuery = (patientId: string) =>
  queryOptions({
    queryKey: ["privacy", "notice_delay", patientId],
    queryFn: () =>
      readDelay(patientId).catch((error: unknown) => {
        if (toProblem(error).status === 404) return null;
        throw error;
      }),
    // Each read is an audit event.
    refetchOnWindowFocus: false,
  });
const refreshDelay = (patientId: string) => queryClient.invalidateQueries({ queryKey: delayQuery(patientId).queryKey });

/** @throws Problem not_found (no patient of the hospital) */
export const setDelay = (patient_id: string, json: { reason: string; days: number }) =>
  readData(delayApi.$put({ param: { patient_id }, json })).finally(() => refreshDelay(patient_id));
/** @throws Problem not_found (ended already) */
export const endDelay = (patient_id: string) =>
  readData(delayApi.$delete({ param: { patient_id } })).finally(() => refreshDelay(patient_id));
