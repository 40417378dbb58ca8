// What the API says of hospitals, who works there, and their wards.
import { hc } from "hono/client";
import type { hospitalRoutes } from "../../../src/organization/hospitals/routes.ts";
import type { wardRoutes } from "../../../src/organization/wards/routes.ts";
import { allPages } from "../api/all-pages.ts";
import { API, dataOf, etagOf, OPTIONS, pageOf, versionOf } from "../api/client.ts";

const { hospitals } = hc<typeof hospitalRoutes>(API, OPTIONS);
const { wards } = hc<typeof wardRoutes>(API, OPTIONS);
const one = hospitals[":hospital_id"];
const seat = one.members[":user_id"];
const place = wards[":ward_id"];

/** The organisation of records that nobody but their patients made; nothing of it can be changed. */
export const SELF_CARE = "00000000-0000-7000-8000-000000000001";

const paged = (cursor: string | null) => ({ limit: "50", ...(cursor && { cursor }) });

export const listHospitals = (cursor: string | null) => pageOf(hospitals.$get({ query: paged(cursor) }));
export type Hospital = Awaited<ReturnType<typeof listHospitals>>["items"][number];

/** Hospitals to choose from, or to name by their id. */
export const everyHospital = async () => (await allPages(listHospitals)).items.filter((h) => h.hospital_id !== SELF_CARE);

export const readHospital = (hospital_id: string) => versionOf(one.$get({ param: { hospital_id } }));

export type NewHospital = Parameters<typeof hospitals.$post>[0]["json"];
export const createHospital = (json: NewHospital, key: string) =>
  dataOf(hospitals.$post({ header: { "idempotency-key": key }, json }));

export type HospitalChange = Parameters<typeof one.$patch>[0]["json"];
export const changeHospital = (hospital_id: string, etag: string, json: HospitalChange) =>
  dataOf(one.$patch({ param: { hospital_id }, header: { "if-match": etag }, json }));

export const listMembers = (hospital_id: string, cursor: string | null, limit = "50") =>
  pageOf(one.members.$get({ param: { hospital_id }, query: { ...paged(cursor), limit } }));
export type Member = Awaited<ReturnType<typeof listMembers>>["items"][number];
export type StaffRole = Member["role"];
export const STAFF_ROLES = ["nurse", "doctor", "hospital_admin"] as const satisfies readonly StaffRole[];
export const isStaffRole = (role: string): role is StaffRole => STAFF_ROLES.some((known) => known === role);

/** Up to two thousand of them. */
export const everyMember = async (hospitalId: string) =>
  (await allPages((cursor) => listMembers(hospitalId, cursor, "100"), 20)).items;

export const setMember = (hospital_id: string, user_id: string, role: StaffRole) =>
  dataOf(seat.$put({ param: { hospital_id, user_id }, json: { role } }));
export const endMember = (hospital_id: string, user_id: string) => dataOf(seat.$delete({ param: { hospital_id, user_id } }));

export const listWards = (hospital_id: string, cursor: string | null) =>
  pageOf(wards.$get({ query: { ...paged(cursor), hospital_id } }));
export type Ward = Awaited<ReturnType<typeof listWards>>["items"][number];

export const createWard = (hospital_id: string, name: string, key: string) =>
  dataOf(wards.$post({ header: { "idempotency-key": key }, json: { hospital_id, name } }));

export type WardChange = Parameters<typeof place.$patch>[0]["json"];
export const changeWard = ({ ward_id, version }: Ward, json: WardChange) =>
  dataOf(place.$patch({ param: { ward_id }, header: { "if-match": etagOf(version) }, json }));
export const deleteWard = ({ ward_id, version }: Ward) =>
  dataOf(place.$delete({ param: { ward_id }, header: { "if-match": etagOf(version) } }));
