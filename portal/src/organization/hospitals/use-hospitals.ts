// Hospitals by their ids, and the zone that times are told in.
import { useQuery } from "@tanstack/react-query";
import { useMe } from "../../accounts/session/use-session.ts";
import { listAllHospitals, readHospital } from "./api.ts";

const HOSPITALS_STALE_MS = 5 * 60_000;

/** Those that the caller may know; empty until they are here. */
export function useHospitals() {
  return useQuery({ queryKey: ["admin", "hospitals", "all"], queryFn: listAllHospitals, staleTime: HOSPITALS_STALE_MS });
}

/** What a hospital is called, or the beginning of its id where that is not known. */
export function useHospitalName(): (hospitalId: string) => string {
  const { data = [] } = useHospitals();
  return (id) => data.find(({ hospital_id }) => hospital_id === id)?.name ?? id.slice(0, 8);
}

function useOwnHospital() {
  const { hospital } = useMe();
  return useQuery({
    queryKey: ["admin", "hospital", hospital?.id],
    queryFn: () => readHospital(hospital?.id ?? ""),
    enabled: hospital !== null,
    staleTime: HOSPITALS_STALE_MS,
  });
}

/** The zone of the hospital that the caller works for; undefined, the browser's, for who works for none. */
export const useOwnHospitalZone = (): string | undefined => useOwnHospital().data?.data.time_zone;

/** Whether `useZone` will say nothing else: what is counted by the day waits for it. */
export function useIsOwnZoneKnown(): boolean {
  const { hospital } = useMe();
  const { data, error } = useOwnHospital();
  return hospital === null || data !== undefined || error !== null;
}
