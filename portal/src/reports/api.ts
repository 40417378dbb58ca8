// Reports of the API: lists, statistics, one of them, its file, and the names of who sent it.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { userRoutes } from "../../../src/accounts/users/routes.ts";
import type { deviceRoutes } from "../../../src/devices/routes.ts";
import type { reportRoutes } from "../../../src/reports/reading/routes.ts";
import { API, dataOf, OPTIONS, pageOf } from "../api/client.ts";
import { problemOf, unreachable } from "../api/problem.ts";
import { PAGES } from "../design/data-table.tsx";
import { useHospitalZone } from "../patients/shown-patient.ts";
import type { Kind } from "./kinds.ts";

const client = hc<typeof reportRoutes>(API, OPTIONS);
const devices = hc<typeof deviceRoutes>(API, OPTIONS);
const users = hc<typeof userRoutes>(API, OPTIONS);

/** A file may be as large as 100 MB, and a ward's line slow. */
const FILE_DEADLINE_MS = 120_000;
/** Names of devices and people hardly ever change. */
const LASTING_MS = 300_000;

export type Report = Awaited<ReturnType<typeof readReport>>;
export type ListedReport = Awaited<ReturnType<typeof readReports>>["items"][number];
export type Sender = ListedReport["uploaded_by"];

/** `from` and `to`: received at or after, and before. */
export type ReportFilters = {
  patient_id?: string | undefined;
  kind?: Kind | undefined;
  from?: string | undefined;
  to?: string | undefined;
};

const readReports = (filters: ReportFilters, cursor: string | null) =>
  pageOf(client.reports.$get({ query: { ...filters, ...(cursor && { cursor }) } }));

export const useReports = (filters: ReportFilters) =>
  useInfiniteQuery({
    queryKey: ["reports", "list", filters],
    queryFn: ({ pageParam }) => readReports(filters, pageParam),
    ...PAGES,
  });

export const useReportStats = () =>
  useQuery({ queryKey: ["reports", "stats"], queryFn: () => dataOf(client.reports.stats.$get({ query: {} })) });

const readReport = (report_id: string) => dataOf(client.reports[":report_id"].$get({ param: { report_id } }));

export const useReport = (id: string) => useQuery({ queryKey: ["reports", "one", id], queryFn: () => readReport(id) });

/** @throws Problem */
export async function readReportFile(report_id: string, leaving?: AbortSignal): Promise<ArrayBuffer> {
  const asked = client.reports[":report_id"].file.$get(
    { param: { report_id }, query: {}, header: {} },
    { init: { signal: fileSignal(leaving) } },
  );
  return bytesOf(asked);
}

export function fileSignal(leaving: AbortSignal | undefined): AbortSignal {
  const deadline = AbortSignal.timeout(FILE_DEADLINE_MS);
  return leaving ? AbortSignal.any([leaving, deadline]) : deadline;
}

type Answer = { ok: boolean; status: number; arrayBuffer: () => Promise<ArrayBuffer>; json: () => Promise<unknown> };
/** The body of a file's answer. @throws Problem */
export async function bytesOf(asked: Promise<Answer>): Promise<ArrayBuffer> {
  const response = await asked.catch(unreachable);
  if (!response.ok) throw await problemOf(response);
  return response.arrayBuffer().catch(unreachable);
}

export const useDevice = (device_id: string | null) =>
  useQuery({
    queryKey: ["reports", "device", device_id],
    queryFn: () => dataOf(devices.devices[":device_id"].$get({ param: { device_id: device_id ?? "" } })),
    enabled: device_id !== null,
    staleTime: LASTING_MS,
  });

export const useUser = (user_id: string | null) =>
  useQuery({
    queryKey: ["reports", "user", user_id],
    queryFn: () => dataOf(users.users[":user_id"].$get({ param: { user_id: user_id ?? "" } })),
    enabled: user_id !== null,
    staleTime: LASTING_MS,
  });

/** The hospital's time zone; undefined until it is known, or where there is none. */
export const useZone = (hospitalId: string | null | undefined) => useHospitalZone(hospitalId ?? undefined);
