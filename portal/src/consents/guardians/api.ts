// API calls for guardians: of a patient, for staff, and of one's own account, on both sides.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { guardianRoutes } from "../../../../src/consents/guardian-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../../platform/api/client.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../../platform/design/data-table.tsx";

const client = hc<typeof guardianRoutes>(API_BASE, CLIENT_OPTIONS);
const ofPatient = client.patients[":patient_id"].guardians;
const oneGuardianship = client.guardianships[":guardianship_id"];

const KEY = ["guardians"];
export const refreshGuardians = (): Promise<void> => queryClient.invalidateQueries({ queryKey: KEY });

const listOfPatient = (patient_id: string, cursor: string | null) =>
  readPage(ofPatient.$get({ param: { patient_id }, query: { ...(cursor && { cursor }) } }));
export type Guardianship = Awaited<ReturnType<typeof listOfPatient>>["items"][number];
export type Side = "guardian" | "person";

/** Ended ones included, newest first. */
export const useGuardiansOf = (patientId: string) =>
  useInfiniteQuery({
    queryKey: [...KEY, "patient", patientId],
    queryFn: ({ pageParam }) => listOfPatient(patientId, pageParam),
    // A colleague confirms what somebody else has recorded.
    refetchOnMount: "always",
    ...CURSOR_PAGINATION,
  });

const listOwn = (caller: Side, cursor: string | null, limit?: string) =>
  readPage(client.guardianships.$get({ query: { caller, ...(cursor && { cursor }), ...(limit && { limit }) } }));

/** `guardian`: those that the account holds; `person`: those over it. Newest first. */
export const useOwnGuardianships = (side: Side) =>
  useInfiniteQuery({
    queryKey: [...KEY, "own", side],
    queryFn: ({ pageParam }) => listOwn(side, pageParam),
    refetchOnMount: "always",
    ...CURSOR_PAGINATION,
  });

/** The records that the account decides about as a guardian: twenty at most, of the newest hundred guardianships. */
export function useWards(): readonly Guardianship[] {
  const { data } = useQuery({ queryKey: [...KEY, "wards"], queryFn: () => listOwn("guardian", null, "100") });
  return data?.items.filter(({ state }) => state === "active") ?? [];
}

export type NewGuardian = Parameters<typeof ofPatient.$post>[0]["json"];

/** @throws Problem not_found (code), conflict (recorded before), forbidden (the own code), limit_reached */
export async function recordGuardian(patient_id: string, json: NewGuardian): Promise<void> {
  await readData(ofPatient.$post({ param: { patient_id }, json }));
  await refreshGuardians();
}

/** @throws Problem conflict: confirmed or ended meanwhile */
export async function confirmGuardian(guardianship_id: string): Promise<void> {
  await readData(oneGuardianship.confirm.$post({ param: { guardianship_id } })).finally(refreshGuardians);
}

/** @param reason required from staff  @throws Problem conflict, hospital_decides */
export async function endGuardian(guardianship_id: string, reason?: string): Promise<void> {
  await readData(oneGuardianship.end.$post({ param: { guardianship_id }, json: { ...(reason && { reason }) } })).finally(
    refreshGuardians,
  );
}

/** The code is in this response alone. */
export const createGuardianCode = () => readData(client["guardian-codes"].$post());
export type NewCode = Awaited<ReturnType<typeof createGuardianCode>>;
