// API calls for patients: lists, search and one record.
import { hc } from "hono/client";
import type { hospitalRoutes } from "../../../src/organization/hospitals/routes.ts";
import type { practitionerRoutes } from "../../../src/organization/practitioners/routes.ts";
import type { recordRoutes } from "../../../src/patients/record/record-routes.ts";
import type { patientRoutes } from "../../../src/patients/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage, readVersioned } from "../platform/api/client.ts";
import { queryClient } from "../platform/api/query-client.ts";

export const patientApi = hc<typeof patientRoutes>(API_BASE, CLIENT_OPTIONS);
export const recordApi = hc<typeof recordRoutes>(API_BASE, CLIENT_OPTIONS);
const hospitalApi = hc<typeof hospitalRoutes>(API_BASE, CLIENT_OPTIONS);
const practitionerApi = hc<typeof practitionerRoutes>(API_BASE, CLIENT_OPTIONS);

type WithoutPaging<Query> = Omit<Query, "limit" | "offset" | "cursor">;
type ListQuery = NonNullable<Parameters<typeof patientApi.patients.$get>[0]["query"]>;
export type PatientFilters = WithoutPaging<ListQuery>;

/** A page of visible patients, by number; the API cannot sort by name because names are encrypted. */
export const listPatients = (filters: PatientFilters, cursor: string | null, limit = 100) =>
  readPage(patientApi.patients.$get({ query: { ...filters, limit: String(limit), ...(cursor && { cursor }) } }));
/** A page's own list and the names of its alarms need the same patients at the same moment: they are read once. */
const SAME_LOAD_MS = 5_000;
/** The first hundred patients with this monitoring mode. */
export const fetchMonitored = (monitoring: "ward" | "home", filters: PatientFilters = {}) => {
  const all = { ...filters, monitoring, active: "true" } as const;
  return queryClient.fetchQuery({
    queryKey: ["patients", "monitored_page", all],
    queryFn: () => listPatients(all, null),
    staleTime: SAME_LOAD_MS,
  });
};
/** Maximum pages of monitored patients that are sorted by risk; larger hospitals use the search for the rest. */
const MAX_MONITORED_PAGES = 10;
/** All patients with this monitoring mode. */
export async function listMonitored(monitoring: "ward" | "home", filters: PatientFilters) {
  const items: PatientSummary[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < MAX_MONITORED_PAGES && (pages === 0 || cursor); pages++) {
    const page: Awaited<ReturnType<typeof listPatients>> =
      cursor === null
        ? await fetchMonitored(monitoring, filters)
        : await listPatients({ ...filters, monitoring, active: "true" }, cursor);
    items.push(...page.items);
    cursor = page.pagination.next_cursor;
  }
  return { items, complete: cursor === null };
}
export type PatientSummary = Awaited<ReturnType<typeof listPatients>>["items"][number];

/** @param hospitalId required for platform administrators only @param signal cancels an outdated search */
export const searchPatients = (
  q: string,
  hospitalId: string | null,
  cursor: string | null,
  limit: number,
  signal: AbortSignal,
) => {
  const searchScope = { ...(hospitalId && { hospital_id: hospitalId }), ...(cursor && { cursor }) };
  return readPage(patientApi.patients.search.$get({ query: { q, limit: String(limit), ...searchScope } }, { init: { signal } }));
};

/** With the ETag for a change. */
export const readPatient = (patientId: string) =>
  readVersioned(patientApi.patients[":patient_id"].$get({ param: { patient_id: patientId } }));
export type Patient = Awaited<ReturnType<typeof readPatient>>["data"];

export type NewPatient = Parameters<typeof patientApi.patients.$post>[0]["json"];
/** @param key idempotency key per form, so that a retry creates no second record */
export const createPatient = (patient: NewPatient, key: string) =>
  readData(patientApi.patients.$post({ header: { "idempotency-key": key }, json: patient }));

export const listHospitals = () => readPage(hospitalApi.hospitals.$get({ query: { limit: "100", active: "true" } }));
/** Doctors with a profile, to choose from. */
export const listDoctors = (hospitalId: string | null) =>
  readPage(
    practitionerApi.practitioners.$get({
      query: { limit: "100", role: "doctor", active: "true", ...(hospitalId && { hospital_id: hospitalId }) },
    }),
  );

/** Full name in one line. */
export const getFullName = ({ first_name, last_name }: { first_name: string; last_name: string | null }): string =>
  last_name ? `${first_name} ${last_name}` : first_name;
