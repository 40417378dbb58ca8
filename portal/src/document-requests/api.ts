// API calls for document requests: lists in both directions, one request, and the steps of both hospitals.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { documentRequestRoutes } from "../../../src/document-requests/routes.ts";
import { DOCUMENT_REQUEST_STATES } from "../../../src/platform/db/vocabulary.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../platform/api/client.ts";
import { fetchAllPages } from "../platform/api/fetch-all-pages.ts";
import { Problem, toProblem } from "../platform/api/problem.ts";
import { NAMES_STALE_MS, queryClient } from "../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../platform/design/data-table.tsx";

const requestClient = hc<typeof documentRequestRoutes>(API_BASE, CLIENT_OPTIONS)["document-requests"];
const oneRequest = requestClient[":document_request_id"];

export { DOCUMENT_REQUEST_STATES as REQUEST_STATES };
export type DocumentRequest = Awaited<ReturnType<typeof readRequest>>;
export type RequestState = DocumentRequest["status"];
export const DIRECTIONS = ["in", "out"] as const;
export type Direction = (typeof DIRECTIONS)[number];
export type RequestFilters = { direction: Direction; status?: RequestState | undefined };

const listRequests = (filters: RequestFilters, cursor: string | null, limit?: string) =>
  readPage(requestClient.$get({ query: { ...filters, ...(limit && { limit }), ...(cursor && { cursor }) } }));

/** Newest first. */
export const useRequests = (filters: RequestFilters) =>
  useInfiniteQuery({
    queryKey: ["document-requests", "list", filters],
    queryFn: ({ pageParam }) => listRequests(filters, pageParam),
    // The person and the other hospital change what is shown here.
    refetchOnMount: "always",
    ...CURSOR_PAGINATION,
  });

/** The number of requests, of which one is read. */
export const useRequestTotal = (filters: RequestFilters) =>
  useQuery({
    queryKey: ["document-requests", "total", filters],
    queryFn: async () => (await listRequests(filters, null, "1")).pagination,
  });

const readRequest = (document_request_id: string) => readData(oneRequest.$get({ param: { document_request_id } }));

export const useRequest = (id: string) =>
  useQuery({ queryKey: ["document-requests", "one", id], queryFn: () => readRequest(id), refetchOnMount: "always" });

export type NewRequest = Parameters<typeof requestClient.$post>[0]["json"];

/** @param key idempotency key, so that a retry asks once  @returns the request's id  @throws Problem */
export async function createRequest(json: NewRequest, key: string): Promise<string> {
  const { document_request_id } = await readData(requestClient.$post({ header: { "idempotency-key": key }, json }));
  await invalidateRequests();
  return document_request_id;
}

const listHospitals = (cursor: string | null) =>
  readPage(requestClient.hospitals.$get({ query: { limit: "100", ...(cursor && { cursor }) } }));

/** Hospitals that can be asked, by name, up to 2000. */
export const useAskableHospitals = () =>
  useQuery({
    queryKey: ["document-request-hospitals"],
    queryFn: async () => (await fetchAllPages(listHospitals, 20)).items.toSorted((a, b) => a.name.localeCompare(b.name)),
    staleTime: NAMES_STALE_MS,
  });

export type Step =
  | { name: "approve" }
  | { name: "reject"; reason: string }
  | { name: "fulfil"; documentIds: readonly string[] }
  | { name: "cancel" };

function sendStep(document_request_id: string, step: Step): Promise<DocumentRequest> {
  const param = { document_request_id };
  switch (step.name) {
    case "approve":
      return readData(oneRequest.approve.$post({ param }));
    case "reject":
      return readData(oneRequest.reject.$post({ param, json: { reason: step.reason } }));
    case "fulfil":
      return readData(oneRequest.fulfil.$post({ param, json: { document_ids: [...step.documentIds] } }));
    case "cancel":
      return readData(oneRequest.cancel.$post({ param }));
  }
}

/**
 * Takes a step and reads the request again, whether or not it was accepted.
 * @throws Problem `request_changed` if another step came first
 */
export async function takeStep({ document_request_id: id }: DocumentRequest, step: Step): Promise<void> {
  try {
    await sendStep(id, step);
  } catch (error) {
    const { code, status, errorId } = toProblem(error);
    // Not there for them any more: the page closes.
    if (status === 404) await invalidateRequests();
    if (code !== "conflict") throw error;
    await invalidateRequests();
    throw new Problem(0, "request_changed", "", errorId);
  }
  await invalidateRequests();
}

/** A step changes the consent of the request too. */
const invalidateRequests = async (): Promise<void> => {
  await Promise.all(["document-requests", "consents"].map((first) => queryClient.invalidateQueries({ queryKey: [first] })));
};
