// API calls for the history of a patient's identity.
import { useInfiniteQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { changeRoutes } from "../../../../src/patients/record/change-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readPage } from "../../platform/api/client.ts";
import { CURSOR_PAGINATION } from "../../platform/design/data-table.tsx";

const changeApi = hc<typeof changeRoutes>(API_BASE, CLIENT_OPTIONS);

const listChanges = (patient_id: string, cursor: string | null) =>
  readPage(
    changeApi.patients[":patient_id"].changes.$get({ param: { patient_id }, query: { limit: "20", ...(cursor && { cursor }) } }),
  );
export type IdentityChange = Awaited<ReturnType<typeof listChanges>>["items"][number];

/** Newest first, page by page. */
export const useIdentityChanges = (patientId: string) =>
  useInfiniteQuery({
    queryKey: ["patients", patientId, "changes"],
    queryFn: ({ pageParam }) => listChanges(patientId, pageParam),
    ...CURSOR_PAGINATION,
  });
