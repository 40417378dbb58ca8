// API calls for documents: list, one document with its versions, its file, and the mark of an error.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import { DOCUMENT_TYPE_CODES, type DocumentTypeCode } from "../../../src/documents/document-types.ts";
import type { documentRoutes } from "../../../src/documents/reading/routes.ts";
import { API_BASE, CLIENT_OPTIONS, formatEtag, readData, readPage } from "../platform/api/client.ts";
import { toProblem } from "../platform/api/problem.ts";
import { queryClient } from "../platform/api/query-client.ts";
import { readStreamedFile } from "../platform/api/streamed-file.ts";
import { CURSOR_PAGINATION } from "../platform/design/data-table.tsx";

const documentClient = hc<typeof documentRoutes>(API_BASE, CLIENT_OPTIONS).documents;

export { DOCUMENT_TYPE_CODES, type DocumentTypeCode };
export const isDocumentType = (code: string | undefined): code is DocumentTypeCode =>
  DOCUMENT_TYPE_CODES.some((known) => known === code);

export type DocumentListItem = Awaited<ReturnType<typeof listDocuments>>["items"][number];
export type DocumentDetail = Awaited<ReturnType<typeof readDocument>>;
export type DocumentVersion = DocumentDetail["versions"][number];

export type DocumentFilters = {
  patient_id: string;
  type?: DocumentTypeCode | undefined;
  status?: "current" | "entered-in-error" | undefined;
};

const listDocuments = (filters: DocumentFilters, cursor: string | null) =>
  readPage(documentClient.$get({ query: { ...filters, ...(cursor && { cursor }) } }));

export const useDocuments = (filters: DocumentFilters) =>
  useInfiniteQuery({
    queryKey: ["documents", "list", filters],
    queryFn: ({ pageParam }) => listDocuments(filters, pageParam),
    ...CURSOR_PAGINATION,
  });

const readDocument = (document_id: string) => readData(documentClient[":document_id"].$get({ param: { document_id } }));

const documentQuery = (id: string) => ({ queryKey: ["documents", "one", id], queryFn: () => readDocument(id) });

export const useDocument = (id: string) => useQuery(documentQuery(id));

/** The current version of the document that has this version; the newest of one that was entered in error. */
export function useCurrentDocument(id: string) {
  const named = useDocument(id);
  const currentId = named.data?.versions.at(-1)?.document_id ?? id;
  const current = useQuery({ ...documentQuery(currentId), enabled: currentId !== id });
  return currentId === id ? named : current;
}

/** @throws Problem */
export const readDocumentFile = (document_id: string, cancel: AbortSignal): Promise<Blob> =>
  readStreamedFile(
    (signal) => documentClient[":document_id"].file.$get({ param: { document_id }, query: {}, header: {} }, { init: { signal } }),
    cancel,
  );

/** Marks all versions; `document` is the current one, as it was read. @throws Problem */
export async function markInError({ document_id, version }: DocumentDetail, reason: string): Promise<void> {
  const request = documentClient[":document_id"].$delete({
    param: { document_id },
    header: { "if-match": formatEtag(version) },
    json: { reason },
  });
  try {
    await readData(request);
  } catch (error) {
    if (isOutdated(error)) await invalidateDocuments();
    throw error;
  }
  await invalidateDocuments();
}

/** Whether a change was refused because the document was changed since it was read. */
export const isOutdated = (error: unknown): boolean => ["precondition_failed", "conflict"].includes(toProblem(error).code);

/** After a change, lists and pages are read again. */
export const invalidateDocuments = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ["documents"] });
