// API calls for retention policies, legal holds on records and erasures.
import { queryOptions, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { erasureRoutes } from "../../../src/erasure/requests/routes.ts";
import type { retentionRoutes } from "../../../src/erasure/retention/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../platform/api/client.ts";
import { queryClient } from "../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../platform/design/data-table.tsx";

const api = hc<typeof erasureRoutes>(API_BASE, CLIENT_OPTIONS);
const erasureApi = api.erasures[":erasure_id"];
const patientApi = api.patients[":patient_id"];
const retentionApi = hc<typeof retentionRoutes>(API_BASE, CLIENT_OPTIONS).hospitals[":hospital_id"].retention;

const readErasure = (erasure_id: string) => readData(erasureApi.$get({ param: { erasure_id } }));
export type Erasure = Awaited<ReturnType<typeof readErasure>>;
export type ErasureState = Erasure["state"];
export const ERASURE_STATES = [
  "requested",
  "restricted",
  "erasing",
  "erased",
  "rejected",
] as const satisfies readonly ErasureState[];

/** Requests for erasure and holds are shown together, and a change of one may end the other's wait. */
const KEY = "erasure";
const invalidate = () => queryClient.invalidateQueries({ queryKey: [KEY] });

export const useErasures = (state: ErasureState | undefined) =>
  useInfiniteQuery({
    queryKey: [KEY, "list", state ?? null],
    queryFn: ({ pageParam: cursor }) =>
      readPage(api.erasures.$get({ query: { ...(state && { state }), ...(cursor && { cursor }) } })),
    ...CURSOR_PAGINATION,
  });

export const useErasure = (id: string) =>
  // Each read is an audit event.
  useQuery({ queryKey: [KEY, "one", id], queryFn: () => readErasure(id), refetchOnWindowFocus: false });

/** The newest request of a patient; null without one. An open one is always the newest. */
export const newestErasureQuery = (patient_id: string) =>
  queryOptions({
    queryKey: [KEY, "newest", patient_id],
    queryFn: async () => (await readPage(api.erasures.$get({ query: { patient_id, limit: "1" } }))).items[0] ?? null,
    refetchOnWindowFocus: false,
  });

const readCertificate = (erasure_id: string) => readData(erasureApi.certificate.$get({ param: { erasure_id } }));
export type Certificate = Awaited<ReturnType<typeof readCertificate>>;
export const useCertificate = (id: string) =>
  useQuery({ queryKey: [KEY, "certificate", id], queryFn: () => readCertificate(id), refetchOnWindowFocus: false });

/** @throws Problem */
export const requestErasure = (patient_id: string, reason: string) =>
  readData(patientApi.erasure.$post({ param: { patient_id }, json: { reason } })).finally(invalidate);
/** @throws Problem conflict when it has been decided, or by who asked for it */
export const approveErasure = (erasure_id: string) =>
  readData(erasureApi.approve.$post({ param: { erasure_id } })).finally(invalidate);
/** @throws Problem conflict when it was rejected, or has begun */
export const rejectErasure = (erasure_id: string, reason: string) =>
  readData(erasureApi.reject.$post({ param: { erasure_id }, json: { reason } })).finally(invalidate);

const listHolds = (cursor: string | null) => readPage(api["patient-holds"].$get({ query: cursor ? { cursor } : {} }));
export type Hold = Awaited<ReturnType<typeof listHolds>>["items"][number];
export const useHolds = () =>
  useInfiniteQuery({ queryKey: [KEY, "holds"], queryFn: ({ pageParam }) => listHolds(pageParam), ...CURSOR_PAGINATION });

/** The newest hold of a patient; null without one. An open one is always the newest. */
export const newestHoldQuery = (patient_id: string) =>
  queryOptions({
    queryKey: [KEY, "hold", patient_id],
    queryFn: async () => (await readPage(api["patient-holds"].$get({ query: { patient_id, limit: "1" } }))).items[0] ?? null,
    refetchOnWindowFocus: false,
  });

/** @throws Problem conflict when the record is held, or its erasure has begun */
export const setHold = (patient_id: string, reason: string) =>
  readData(patientApi.hold.$post({ param: { patient_id }, json: { reason } })).finally(invalidate);
/** @throws Problem conflict when the record is not held */
export const releaseHold = (patient_id: string, reason: string) =>
  readData(patientApi.hold.release.$post({ param: { patient_id }, json: { reason } })).finally(invalidate);

const readRetention = (hospital_id: string) => readData(retentionApi.$get({ param: { hospital_id } }));
export type RetentionSettings = Awaited<ReturnType<typeof readRetention>>;
export type RetentionPolicy = RetentionSettings["minimum"];
export const RECORD_KINDS = [
  "patient_record",
  "reports",
  "documents",
  "observations",
] as const satisfies readonly (keyof RetentionPolicy["years"])[];

export const useRetention = (hospitalId: string) =>
  useQuery({ queryKey: [KEY, "retention", hospitalId], queryFn: () => readRetention(hospitalId), refetchOnWindowFocus: false });
export const useRetentionPreview = (hospital_id: string) =>
  useQuery({
    queryKey: [KEY, "preview", hospital_id],
    queryFn: () => readData(retentionApi.preview.$get({ param: { hospital_id } })),
    refetchOnWindowFocus: false,
  });

/** @param version of the policy that was read; null when the hospital has set none  @throws Problem precondition_failed */
export const saveRetention = (hospital_id: string, version: number | null, json: RetentionPolicy) =>
  readData(
    retentionApi.$put({ param: { hospital_id }, header: version === null ? {} : { "if-match": `"${version}"` }, json }),
  ).finally(invalidate);
