// API calls for reports: lists, statistics, one report, its file and sender names.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { deviceRoutes } from "../../../src/devices/routes.ts";
import type { reportRoutes } from "../../../src/reports/reading/routes.ts";
import { userQuery } from "../accounts/users/use-user.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../platform/api/client.ts";
import { parseProblem, throwUnreachable } from "../platform/api/problem.ts";
import { NAMES_STALE_MS } from "../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../platform/design/data-table.tsx";
import type { Kind } from "./report-kinds.ts";

const reportsClient = hc<typeof reportRoutes>(API_BASE, CLIENT_OPTIONS);
const devices = hc<typeof deviceRoutes>(API_BASE, CLIENT_OPTIONS);

/** Timeout for a file of up to 100 MB on a slow network, ms. */
const FILE_DEADLINE_MS = 120_000;

export type Report = Awaited<ReturnType<typeof readReport>>;
export type ReportListItem = Awaited<ReturnType<typeof listReports>>["items"][number];
export type ReportSender = ReportListItem["uploaded_by"];

/** Filters on the time of receipt: `from` is inclusive, `to` is exclusive. */
export type ReportFilters = {
  patient_id?: string | undefined;
  kind?: Kind | undefined;
  from?: string | undefined;
  to?: string | undefined;
};

const listReports = (filters: ReportFilters, cursor: string | null) =>
  readPage(reportsClient.reports.$get({ query: { ...filters, ...(cursor && { cursor }) } }));

export const useReports = (filters: ReportFilters) =>
  useInfiniteQuery({
    queryKey: ["reports", "list", filters],
    queryFn: ({ pageParam }) => listReports(filters, pageParam),
    ...CURSOR_PAGINATION,
  });

export const useReportStats = () =>
  useQuery({ queryKey: ["reports", "stats"], queryFn: () => readData(reportsClient.reports.stats.$get({ query: {} })) });

async function readReport(report_id: string) {
  const report = await readData(reportsClient.reports[":report_id"].$get({ param: { report_id } }));
  if (!("patient" in report)) throw new Error("only devices get a report without its patient");
  return report;
}

export const useReport = (id: string) => useQuery({ queryKey: ["reports", "one", id], queryFn: () => readReport(id) });

/** @throws Problem */
export async function readReportFile(report_id: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const request = reportsClient.reports[":report_id"].file.$get(
    { param: { report_id }, query: {}, header: {} },
    { init: { signal: withFileDeadline(signal) } },
  );
  return readBytes(request);
}

export function withFileDeadline(signal: AbortSignal | undefined): AbortSignal {
  const deadline = AbortSignal.timeout(FILE_DEADLINE_MS);
  return signal ? AbortSignal.any([signal, deadline]) : deadline;
}

type FileResponse = { ok: boolean; status: number; arrayBuffer: () => Promise<ArrayBuffer>; json: () => Promise<unknown> };
/** The body of a file response. @throws Problem */
export async function readBytes(request: Promise<FileResponse>): Promise<ArrayBuffer> {
  const response = await request.catch(throwUnreachable);
  if (!response.ok) throw await parseProblem(response);
  return response.arrayBuffer().catch(throwUnreachable);
}

/** @param isOneOfMany reads the devices of the hospital together, and alone only one that is not among the first hundred */
export function useDeviceName(device_id: string | null, isOneOfMany: boolean): string | undefined {
  const list = useQuery({
    queryKey: ["devices", "names"],
    queryFn: () => readPage(devices.devices.$get({ query: { limit: "100" } })),
    enabled: device_id !== null && isOneOfMany,
    staleTime: NAMES_STALE_MS,
  });
  const listed = list.data?.items.find((device) => device.device_id === device_id);
  const single = useQuery({
    queryKey: ["reports", "device", device_id],
    queryFn: () => readData(devices.devices[":device_id"].$get({ param: { device_id: device_id ?? "" } })),
    enabled: device_id !== null && (!isOneOfMany || (!list.isPending && !listed)),
    staleTime: NAMES_STALE_MS,
  });
  return listed?.name ?? single.data?.name;
}

export const useUser = (user_id: string | null) =>
  useQuery({ ...userQuery(user_id ?? ""), enabled: user_id !== null, staleTime: NAMES_STALE_MS });
