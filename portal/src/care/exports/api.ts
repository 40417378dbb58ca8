// API calls for exports: a report as a document, and a whole record with its progress.
import { useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { reportExportRoutes } from "../../../../src/care/exports/routes.ts";
import type { recordExportRoutes } from "../../../../src/service/record-exports/routes.ts";
import type { Language } from "../../accounts/session/preferences.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../../platform/api/client.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { readBytes, withFileDeadline } from "../../reports/api.ts";

const reportClient = hc<typeof reportExportRoutes>(API_BASE, CLIENT_OPTIONS).reports[":report_id"].export;
const recordClient = hc<typeof recordExportRoutes>(API_BASE, CLIENT_OPTIONS).patients[":patient_id"].export;

export const DOCUMENT_FORMATS = ["pdf", "docx"] as const;
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];
export const RECORD_FORMATS = ["zip", "pdf", "json"] as const;
export type RecordFormat = (typeof RECORD_FORMATS)[number];
export type RecordExport = Awaited<ReturnType<typeof listExports>>[number];

/** How often the progress of an export is read, ms. */
const POLL_MS = 2_000;

/** @throws Problem */
export const readReportDocument = (report_id: string, format: DocumentFormat, language: Language): Promise<ArrayBuffer> =>
  readBytes(
    reportClient.$get({ param: { report_id }, query: { format, language } }, { init: { signal: withFileDeadline(undefined) } }),
  );

/** The newest: a page has as many as a hospital may begin in a day. */
const listExports = async (patient_id: string) => (await readPage(recordClient.$get({ param: { patient_id }, query: {} }))).items;
const exportsKey = (patientId: string) => ["exports", patientId];

/** Read again while one is being made. */
export const useExports = (patientId: string) =>
  useQuery({
    queryKey: exportsKey(patientId),
    queryFn: () => listExports(patientId),
    refetchInterval: ({ state: { data } }) => (data?.some(isOpen) ? POLL_MS : false),
  });

export const isOpen = ({ state }: Pick<RecordExport, "state">): boolean => state === "queued" || state === "running";

/** @throws Problem */
export async function startExport(patient_id: string, json: { format: RecordFormat; language: Language }, key: string) {
  await readData(recordClient.$post({ param: { patient_id }, header: { "idempotency-key": key }, json }));
  await queryClient.invalidateQueries({ queryKey: exportsKey(patient_id) });
}

/** A signed address, since a file of this size does not fit into the page's memory. @throws Problem */
export async function findDownloadPath(patient_id: string, export_id: string): Promise<string | null> {
  const { download_url } = await readData(recordClient[":export_id"].$get({ param: { patient_id, export_id } }));
  if (download_url === null) return null;
  const { pathname, search } = new URL(download_url);
  return pathname + search;
}
