// API calls for a patient's record: summary, intakes, care team and linked accounts.
import { queryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { practitionerRoutes } from "../../../../src/organization/practitioners/routes.ts";
import type { claimRoutes } from "../../../../src/patients/record/claim-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../../platform/api/client.ts";
import { fetchAllPages } from "../../platform/api/fetch-all-pages.ts";
import { CURSOR_PAGINATION } from "../../platform/design/data-table.tsx";
import { patientApi, recordApi } from "../api.ts";

const claimClient = hc<typeof claimRoutes>(API_BASE, CLIENT_OPTIONS).patients[":patient_id"];
const recordClient = recordApi.patients[":patient_id"];
const practitionerApi = hc<typeof practitionerRoutes>(API_BASE, CLIENT_OPTIONS);

export const readSummary = (patient_id: string) => readData(recordClient.summary.$get({ param: { patient_id } }));

export type PatientChange = Parameters<(typeof patientApi.patients)[":patient_id"]["$patch"]>[0]["json"];
/** @param etag of the version that was read last */
export const changePatient = (patient_id: string, etag: string, json: PatientChange) =>
  readData(patientApi.patients[":patient_id"].$patch({ param: { patient_id }, header: { "if-match": etag }, json }));

const listIntakes = (patient_id: string, cursor: string | null) =>
  readPage(recordClient.intake.$get({ param: { patient_id }, query: { limit: "20", ...(cursor && { cursor }) } }));
export type Intake = Awaited<ReturnType<typeof listIntakes>>["items"][number];
/** Newest first, page by page. */
export const useIntakes = (patientId: string) =>
  useInfiniteQuery({
    queryKey: ["patients", patientId, "intakes"],
    queryFn: ({ pageParam }) => listIntakes(patientId, pageParam),
    ...CURSOR_PAGINATION,
  });
export type NewIntake = Parameters<typeof recordClient.intake.$post>[0]["json"];
/** @param key idempotency key per form, so that a retry creates no second intake */
export const recordIntake = (patient_id: string, json: NewIntake, key: string) =>
  readData(recordClient.intake.$post({ param: { patient_id }, header: { "idempotency-key": key }, json }));

/** All members, of which the service allows 200. */
const listCareTeam = async (patient_id: string) =>
  (
    await fetchAllPages((cursor) =>
      readPage(recordClient["care-team"].$get({ param: { patient_id }, query: { limit: "100", ...(cursor && { cursor }) } })),
    )
  ).items;
export const careTeamQuery = (patient_id: string) =>
  queryOptions({ queryKey: ["patients", patient_id, "care_team"], queryFn: () => listCareTeam(patient_id) });
export type CareTeamMember = Awaited<ReturnType<typeof listCareTeam>>[number];
export const addCareTeamMember = (patient_id: string, user_id: string) =>
  readData(recordClient["care-team"][":user_id"].$put({ param: { patient_id, user_id } }));
export const removeCareTeamMember = (patient_id: string, user_id: string) =>
  readData(recordClient["care-team"][":user_id"].$delete({ param: { patient_id, user_id } }));
/** Doctors and nurses who may be added. @param hospitalId required for platform administrators only */
export const listAssignableStaff = (hospitalId: string | null) =>
  readPage(
    practitionerApi.practitioners.$get({
      query: { limit: "100", active: "true", ...(hospitalId && { hospital_id: hospitalId }) },
    }),
  );

/** All of them, of which the service allows 100. */
export const listLogins = async (patient_id: string) =>
  (await readPage(claimClient.links.$get({ param: { patient_id }, query: { limit: "100" } }))).items;
export type Login = Awaited<ReturnType<typeof listLogins>>[number];
export const unlinkLogin = (patient_id: string, user_id: string) =>
  readData(claimClient.links[":user_id"].$delete({ param: { patient_id, user_id } }));
export const issueClaimCode = (patient_id: string) => readData(claimClient["claim-codes"].$post({ param: { patient_id } }));
export type ClaimCode = Awaited<ReturnType<typeof issueClaimCode>>;
/** All that are kept, newest first. */
export const listClaimCodes = async (patient_id: string) =>
  (await readPage(claimClient["claim-codes"].$get({ param: { patient_id }, query: { limit: "100" } }))).items;
export type IssuedCode = Awaited<ReturnType<typeof listClaimCodes>>[number];
