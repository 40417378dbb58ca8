// Hospitals by id, their names and time zones.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { useMe } from "../../accounts/session/use-session.ts";
import { NAMES_STALE_MS } from "../../platform/api/query-client.ts";
import { listAllHospitals, readHospital } from "./api.ts";

/** Those that the caller may know; empty until they are here. */
export function useHospitals() {
  return useQuery({ queryKey: ["admin", "hospitals", "all"], queryFn: listAllHospitals, staleTime: NAMES_STALE_MS });
}

/** What a hospital is called, or the beginning of its id where that is not known. */
export function useHospitalName(): (hospitalId: string) => string {
  const { data = [] } = useHospitals();
  return (id) => data.find(({ hospital_id }) => hospital_id === id)?.name ?? id.slice(0, 8);
}

/** One hospital with the ETag that a change of it needs. */
export const hospitalQuery = (hospitalId: string) =>
  queryOptions({ queryKey: ["hospitals", "one", hospitalId], queryFn: () => readHospital(hospitalId) });

/** For its name and time zone; undefined until it is known. */
const useHospital = (hospitalId: string | null | undefined) =>
  useQuery({ ...hospitalQuery(hospitalId ?? ""), enabled: hospitalId != null, staleTime: NAMES_STALE_MS });

/** The IANA zone in which a hospital's times are shown; undefined, for the browser's, until it is known or without a hospital. */
export const useHospitalTimeZone = (hospitalId: string | null | undefined): string | undefined =>
  useHospital(hospitalId).data?.data.time_zone;

/** The time zone of the hospital that the caller acts for. */
export const useOwnTimeZone = (): string | undefined => useHospitalTimeZone(useMe().hospital?.id);

/** Whether `useOwnTimeZone` is final: counts by day wait for it. */
export function useIsOwnTimeZoneKnown(): boolean {
  const { hospital } = useMe();
  const { data, error } = useHospital(hospital?.id);
  return hospital === null || data !== undefined || error !== null;
}
