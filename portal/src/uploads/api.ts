// Uploads of the API: the log, the quarantine, one attempt, its bytes, and what a person makes of it.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import { UPLOAD_OUTCOMES } from "../../../src/platform/db/vocabulary.ts";
import type { quarantineRoutes } from "../../../src/reports/quarantine/quarantine-routes.ts";
import { API, dataOf, OPTIONS, pageOf } from "../api/client.ts";
import { queries } from "../api/queries.ts";
import { PAGES } from "../design/data-table.tsx";
import { bytesOf, fileSignal } from "../reports/api.ts";
import type { Kind } from "../reports/kinds.ts";

const client = hc<typeof quarantineRoutes>(API, OPTIONS);

export type Outcome = (typeof UPLOAD_OUTCOMES)[number];
export const isOutcome = (text: string | undefined): text is Outcome => UPLOAD_OUTCOMES.some((outcome) => outcome === text);

export type ListedUpload = Awaited<ReturnType<typeof readUploads>>["items"][number];
export type KeptUpload = Awaited<ReturnType<typeof readUpload>>;

const readUploads = (outcome: Outcome | undefined, cursor: string | null) =>
  pageOf(client.uploads.$get({ query: { ...(outcome && { outcome }), ...(cursor && { cursor }) } }));

export const useUploads = (outcome: Outcome | undefined) =>
  useInfiniteQuery({
    queryKey: ["uploads", "list", outcome ?? null],
    queryFn: ({ pageParam }) => readUploads(outcome, pageParam),
    ...PAGES,
  });

const readQuarantine = (cursor: string | null) =>
  pageOf(client.uploads.quarantine.$get({ query: { limit: "100", ...(cursor && { cursor }) } }));

/** The API does not filter by reason: what has been read is filtered here. */
export const useQuarantine = (reason: string | undefined) =>
  useInfiniteQuery({
    queryKey: ["uploads", "quarantine"],
    queryFn: ({ pageParam }) => readQuarantine(pageParam),
    ...PAGES,
    refetchInterval: 60_000,
    select: ({ pages, pageParams }) => ({
      pages: pages.map(({ items, pagination }) => ({
        items: reason ? items.filter((item) => item.reason === reason) : items,
        pagination,
      })),
      pageParams,
    }),
  });

const readUpload = (upload_id: string) => dataOf(client.uploads[":upload_id"].$get({ param: { upload_id } }));

export const useUpload = (id: string) => useQuery({ queryKey: ["uploads", "one", id], queryFn: () => readUpload(id) });

/** What waits in quarantine. @throws Problem */
export const readUploadFile = (upload_id: string, leaving?: AbortSignal): Promise<ArrayBuffer> =>
  bytesOf(
    client.uploads[":upload_id"].file.$get({ param: { upload_id }, header: {} }, { init: { signal: fileSignal(leaving) } }),
  );

/** @throws Problem */
export async function assignUpload(upload_id: string, patient_id: string, kind: Kind) {
  const assigned = await dataOf(client.uploads[":upload_id"].assign.$post({ param: { upload_id }, json: { patient_id, kind } }));
  await readAgain();
  return assigned;
}

/** @throws Problem */
export async function discardUpload(upload_id: string, reason: string): Promise<void> {
  await dataOf(client.uploads[":upload_id"].discard.$post({ param: { upload_id }, json: { reason } }));
  await readAgain();
}

/** After a change, lists and pages say what is so now. */
export async function readAgain(): Promise<void> {
  await Promise.all([queries.invalidateQueries({ queryKey: ["uploads"] }), queries.invalidateQueries({ queryKey: ["reports"] })]);
}
