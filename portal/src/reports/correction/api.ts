// API calls that correct a report: changed fields, another patient, history, marks of moved reports.
import { useInfiniteQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { correctionRoutes } from "../../../../src/reports/correction/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../../platform/api/client.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../../platform/design/data-table.tsx";
import type { Kind } from "../report-kinds.ts";

const client = hc<typeof correctionRoutes>(API_BASE, CLIENT_OPTIONS);

export type ReportVersion = { report_id: string; version: number };
export type CorrectionInput = {
  recorded_at?: string;
  kind?: Kind;
  comment?: string | null;
  status?: "preliminary" | "entered-in-error";
  reason: string;
};

const ifMatch = ({ version }: ReportVersion) => ({ "if-match": `"${version}"` });

/** @throws Problem */
export async function correctReport(report: ReportVersion, json: CorrectionInput): Promise<void> {
  const { report_id } = report;
  await readData(client.reports[":report_id"].$patch({ param: { report_id }, header: ifMatch(report), json }));
  await queryClient.invalidateQueries({ queryKey: ["reports"] });
}

/** @throws Problem */
export async function moveReport(report: ReportVersion, patient_id: string, reason: string): Promise<void> {
  const { report_id } = report;
  const json = { patient_id, reason };
  await readData(client.reports[":report_id"].move.$post({ param: { report_id }, header: ifMatch(report), json }));
  await queryClient.invalidateQueries({ queryKey: ["reports"] });
}

const listChanges = (report_id: string, cursor: string | null) =>
  readPage(client.reports[":report_id"].changes.$get({ param: { report_id }, query: { ...(cursor && { cursor }) } }));
export type ReportChange = Awaited<ReturnType<typeof listChanges>>["items"][number];

export const useReportChanges = (report_id: string) =>
  useInfiniteQuery({
    queryKey: ["reports", "changes", report_id],
    queryFn: ({ pageParam }) => listChanges(report_id, pageParam),
    ...CURSOR_PAGINATION,
  });

export const useMovedReports = (patient_id: string) =>
  useInfiniteQuery({
    queryKey: ["reports", "moved", patient_id],
    queryFn: ({ pageParam }) =>
      readPage(
        client.patients[":patient_id"]["moved-reports"].$get({
          param: { patient_id },
          query: { ...(pageParam && { cursor: pageParam }) },
        }),
      ),
    ...CURSOR_PAGINATION,
  });
