// API calls for uploads: log, quarantine, one attempt, its bytes, and assignment or rejection.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import { UPLOAD_OUTCOMES } from "../../../../src/platform/db/vocabulary.ts";
import type { quarantineRoutes } from "../../../../src/reports/quarantine/quarantine-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../../platform/api/client.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../../platform/design/data-table.tsx";
import { readBytes, withFileDeadline } from "../api.ts";
import type { Kind } from "../report-kinds.ts";

const uploadsClient = hc<typeof quarantineRoutes>(API_BASE, CLIENT_OPTIONS);

export type UploadOutcome = (typeof UPLOAD_OUTCOMES)[number];
export const isUploadOutcome = (text: string | undefined): text is UploadOutcome =>
  UPLOAD_OUTCOMES.some((outcome) => outcome === text);

export type UploadListItem = Awaited<ReturnType<typeof listUploads>>["items"][number];
export type UploadDetail = Awaited<ReturnType<typeof readUpload>>;

const listUploads = (outcome: UploadOutcome | undefined, cursor: string | null) =>
  readPage(uploadsClient.uploads.$get({ query: { ...(outcome && { outcome }), ...(cursor && { cursor }) } }));

export const useUploads = (outcome: UploadOutcome | undefined) =>
  useInfiniteQuery({
    queryKey: ["uploads", "list", outcome ?? null],
    queryFn: ({ pageParam }) => listUploads(outcome, pageParam),
    ...CURSOR_PAGINATION,
  });

const listQuarantine = (cursor: string | null) =>
  readPage(uploadsClient.uploads.quarantine.$get({ query: { limit: "100", ...(cursor && { cursor }) } }));

/** The API does not filter by reason; loaded pages are filtered here. */
export const useQuarantine = (reason: string | undefined) =>
  useInfiniteQuery({
    queryKey: ["uploads", "quarantine"],
    queryFn: ({ pageParam }) => listQuarantine(pageParam),
    ...CURSOR_PAGINATION,
    refetchInterval: 60_000,
    select: ({ pages, pageParams }) => ({
      pages: pages.map(({ items, pagination }) => ({
        items: reason ? items.filter((item) => item.reason === reason) : items,
        pagination,
      })),
      pageParams,
    }),
  });

const readUpload = (upload_id: string) => readData(uploadsClient.uploads[":upload_id"].$get({ param: { upload_id } }));

export const useUpload = (id: string) => useQuery({ queryKey: ["uploads", "one", id], queryFn: () => readUpload(id) });

/** Uploads in quarantine. @throws Problem */
export const readUploadFile = (upload_id: string, signal?: AbortSignal): Promise<ArrayBuffer> =>
  readBytes(
    uploadsClient.uploads[":upload_id"].file.$get(
      { param: { upload_id }, header: {} },
      { init: { signal: withFileDeadline(signal) } },
    ),
  );

/** @throws Problem */
export async function assignUpload(
  upload_id: string,
  json: { patient_id: string; kind: Kind; recorded_at?: string; reason?: string },
) {
  const assigned = await readData(uploadsClient.uploads[":upload_id"].assign.$post({ param: { upload_id }, json }));
  await invalidateUploads();
  return assigned;
}

/** @throws Problem */
export async function discardUpload(upload_id: string, reason: string): Promise<void> {
  await readData(uploadsClient.uploads[":upload_id"].discard.$post({ param: { upload_id }, json: { reason } }));
  await invalidateUploads();
}

/** After a change, refetch lists and pages. */
export async function invalidateUploads(): Promise<void> {
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: ["uploads"] }),
    queryClient.invalidateQueries({ queryKey: ["reports"] }),
  ]);
}
