// API calls for a patient's own record.
import { hc } from "hono/client";
import type { auditRoutes } from "../../../../src/audit/routes.ts";
import type { practitionerRoutes } from "../../../../src/organization/practitioners/routes.ts";
import type { claimRoutes } from "../../../../src/patients/record/claim-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../../platform/api/client.ts";
import { recordApi } from "../api.ts";

const auditApi = hc<typeof auditRoutes>(API_BASE, CLIENT_OPTIONS);
const practitionerApi = hc<typeof practitionerRoutes>(API_BASE, CLIENT_OPTIONS);

export const readSummary = (patientId: string) =>
  readData(recordApi.patients[":patient_id"].summary.$get({ param: { patient_id: patientId } }));

const claimApi = hc<typeof claimRoutes>(API_BASE, CLIENT_OPTIONS);

/** Links the caller's account to the record of the code. @throws Problem not_found, password_given */
export const claimRecord = (code: string, proof: { date_of_birth: string } | { phone: string }) =>
  readData(claimApi.patients.claim.$post({ json: { code, ...proof } }));

/** `from` is inclusive, `to` is exclusive. */
export type AccessFilters = { from?: string; to?: string };
/** Audit events of this record, newest first. */
export const listAccess = (patientId: string, filters: AccessFilters, cursor: string | null, limit = 100) =>
  readPage(
    auditApi["audit-events"].$get({
      query: { patient_id: patientId, ...filters, limit: String(limit), ...(cursor && { cursor }) },
    }),
  );
export type AccessEvent = Awaited<ReturnType<typeof listAccess>>["items"][number];

/** Doctors and nurses with a public profile. */
export const listPractitioners = () => readPage(practitionerApi.practitioners.$get({ query: { limit: "100" } }));
