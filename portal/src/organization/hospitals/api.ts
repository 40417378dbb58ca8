// API calls for hospitals, their members and wards.
import { hc } from "hono/client";
import type { hospitalRoutes } from "../../../../src/organization/hospitals/routes.ts";
import type { storageRoutes } from "../../../../src/organization/hospitals/storage-routes.ts";
import type { wardRoutes } from "../../../../src/organization/wards/routes.ts";
import { API_BASE, CLIENT_OPTIONS, formatEtag, readData, readPage, readVersioned } from "../../platform/api/client.ts";
import { fetchAllPages } from "../../platform/api/fetch-all-pages.ts";

const { hospitals } = hc<typeof hospitalRoutes>(API_BASE, CLIENT_OPTIONS);
const { wards } = hc<typeof wardRoutes>(API_BASE, CLIENT_OPTIONS);
const hospitalApi = hospitals[":hospital_id"];
const storageApi = hc<typeof storageRoutes>(API_BASE, CLIENT_OPTIONS).hospitals[":hospital_id"].storage;
const memberApi = hospitalApi.members[":user_id"];
const wardApi = wards[":ward_id"];

/** The system hospital for records that patients created themselves; it cannot be changed. */
export const SELF_CARE_HOSPITAL_ID = "00000000-0000-7000-8000-000000000001";

const pageQuery = (cursor: string | null) => ({ limit: "50", ...(cursor && { cursor }) });

export const listHospitals = (cursor: string | null, limit = "50") =>
  readPage(hospitals.$get({ query: { ...pageQuery(cursor), limit } }));
export type Hospital = Awaited<ReturnType<typeof listHospitals>>["items"][number];

/** Hospitals to choose from, or to look up by id, up to 2000. */
export const listAllHospitals = async () =>
  (await fetchAllPages((cursor) => listHospitals(cursor, "100"), 20)).items.filter(
    (h) => h.hospital_id !== SELF_CARE_HOSPITAL_ID,
  );

export const readHospital = (hospital_id: string) => readVersioned(hospitalApi.$get({ param: { hospital_id } }));

export type NewHospital = Parameters<typeof hospitals.$post>[0]["json"];
export const createHospital = (json: NewHospital, key: string) =>
  readData(hospitals.$post({ header: { "idempotency-key": key }, json }));

export type HospitalChange = Parameters<typeof hospitalApi.$patch>[0]["json"];
export const changeHospital = (hospital_id: string, etag: string, json: HospitalChange) =>
  readData(hospitalApi.$patch({ param: { hospital_id }, header: { "if-match": etag }, json }));

export const readStorage = (hospital_id: string) => readData(storageApi.$get({ param: { hospital_id } }));
export type StorageUse = Awaited<ReturnType<typeof readStorage>>["records"];

export const listMembers = (hospital_id: string, cursor: string | null, limit = "50") =>
  readPage(hospitalApi.members.$get({ param: { hospital_id }, query: { ...pageQuery(cursor), limit } }));
export type Member = Awaited<ReturnType<typeof listMembers>>["items"][number];
export type StaffRole = Member["role"];
export const STAFF_ROLES = ["nurse", "doctor", "hospital_admin"] as const satisfies readonly StaffRole[];
export const isStaffRole = (role: string): role is StaffRole => STAFF_ROLES.some((known) => known === role);

/** Up to 2000 items. */
export const listAllMembers = async (hospitalId: string) =>
  (await fetchAllPages((cursor) => listMembers(hospitalId, cursor, "100"), 20)).items;

export const setMemberRole = (hospital_id: string, user_id: string, role: StaffRole) =>
  readData(memberApi.$put({ param: { hospital_id, user_id }, json: { role } }));
export const removeMember = (hospital_id: string, user_id: string) =>
  readData(memberApi.$delete({ param: { hospital_id, user_id } }));

export const listWards = (hospital_id: string, cursor: string | null) =>
  readPage(wards.$get({ query: { ...pageQuery(cursor), hospital_id } }));
export type Ward = Awaited<ReturnType<typeof listWards>>["items"][number];

/** Those that are open, up to a hundred. @param hospitalId null for the caller's own */
export const listActiveWards = async (hospitalId: string | null) =>
  (await readPage(wards.$get({ query: { limit: "100", active: "true", ...(hospitalId && { hospital_id: hospitalId }) } }))).items;

export const createWard = (hospital_id: string, name: string, key: string) =>
  readData(wards.$post({ header: { "idempotency-key": key }, json: { hospital_id, name } }));

export type WardChange = Parameters<typeof wardApi.$patch>[0]["json"];
export const changeWard = ({ ward_id, version }: Ward, json: WardChange) =>
  readData(wardApi.$patch({ param: { ward_id }, header: { "if-match": formatEtag(version) }, json }));
export const deleteWard = ({ ward_id, version }: Ward) =>
  readData(wardApi.$delete({ param: { ward_id }, header: { "if-match": formatEtag(version) } }));
