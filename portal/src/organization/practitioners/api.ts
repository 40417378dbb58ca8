// API calls for practitioners: public profiles of doctors and nurses.
import { hc } from "hono/client";
import type { practitionerRoutes } from "../../../../src/organization/practitioners/routes.ts";
import { API_BASE, CLIENT_OPTIONS, formatEtag, readData, readPage } from "../../platform/api/client.ts";

const { practitioners } = hc<typeof practitionerRoutes>(API_BASE, CLIENT_OPTIONS);
const practitionerApi = practitioners[":practitioner_id"];

type ListQuery = NonNullable<Parameters<typeof practitioners.$get>[0]["query"]>;
export type PractitionerFilters = Pick<ListQuery, "specialty" | "role" | "hospital_id">;

export const listPractitioners = (filters: PractitionerFilters, cursor: string | null) =>
  readPage(practitioners.$get({ query: { ...filters, limit: "50", ...(cursor && { cursor }) } }));
export type Practitioner = Awaited<ReturnType<typeof listPractitioners>>["items"][number];

export type NewPractitioner = Parameters<typeof practitioners.$post>[0]["json"];
export const createPractitioner = (json: NewPractitioner, key: string) =>
  readData(practitioners.$post({ header: { "idempotency-key": key }, json }));

export type PractitionerChange = Parameters<typeof practitionerApi.$patch>[0]["json"];
export const changePractitioner = ({ practitioner_id, version }: Practitioner, json: PractitionerChange) =>
  readData(practitionerApi.$patch({ param: { practitioner_id }, header: { "if-match": formatEtag(version) }, json }));
