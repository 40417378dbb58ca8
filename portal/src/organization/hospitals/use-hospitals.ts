// Hospitals by id, their names and time zones.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { useMe } from "../../accounts/session/use-session.ts";
import { NAMES_STALE_MS } from "../../platform/api/query-client.ts";
import { useScreenZone } from "../../platform/design/screen-zone.ts";
import { listAllHospitals, readHospital, SELF_CARE_HOSPITAL_ID } from "./api.ts";

/** Those that the caller may know; empty until they are here. */
export function useHospitals(enabled = true) {
  return useQuery({ queryKey: ["admin", "hospitals", "all"], queryFn: listAllHospitals, staleTime: NAMES_STALE_MS, enabled });
}

/**
 * What a hospital is called, or the beginning of its id where that is not known.
 * @param onlyId the one that is asked about, if there is but one: the own hospital's name comes with the session
 */
export function useHospitalName(onlyId?: string): (hospitalId: string) => string {
  const { hospital } = useMe();
  const { data = [] } = useHospitals(onlyId === undefined || onlyId !== hospital?.id);
  return (id) =>
    (hospital?.id === id ? hospital.name : data.find(({ hospital_id }) => hospital_id === id)?.name) ?? id.slice(0, 8);
}

/** One hospital with the ETag that a change of it needs. */
export const hospitalQuery = (hospitalId: string) =>
  queryOptions({ queryKey: ["hospitals", "one", hospitalId], queryFn: () => readHospital(hospitalId) });

/**
 * The IANA zone in which a hospital's times are shown; undefined until it is known, and for a record at no hospital. That of the own
 * hospital, and of those that have the own records, comes with the session.
 */
export function useHospitalTimeZone(hospitalId: string | null | undefined): string | undefined {
  const { hospital, patients } = useMe();
  const known = [...(hospital ? [{ ...hospital, hospital_id: hospital.id }] : []), ...patients].find(
    ({ hospital_id }) => hospital_id === hospitalId,
  );
  const { data } = useQuery({
    ...hospitalQuery(hospitalId ?? ""),
    enabled: hospitalId != null && known === undefined && hospitalId !== SELF_CARE_HOSPITAL_ID,
    staleTime: NAMES_STALE_MS,
  });
  return known ? (known.time_zone ?? undefined) : data?.data.time_zone;
}

/** The time zone of the screen: of the hospital that the caller acts for, unless the page shows something of another one. */
export const useOwnTimeZone = useScreenZone;
