// The patient whose page it is, and the zone that their hospital's times are told in.
import { useQuery } from "@tanstack/react-query";
import { readHospital } from "../../organization/hospitals/api.ts";
import { readPatient } from "../../patients/api.ts";

const HOSPITAL_STALE_MS = 5 * 60_000;

export const usePatient = (patientId: string) =>
  useQuery({ queryKey: ["patients", "one", patientId], queryFn: () => readPatient(patientId) });

/** Undefined, the browser's, until it is known. */
export function useHospitalTimeZone(hospitalId: string | undefined): string | undefined {
  const { data } = useQuery({
    queryKey: ["admin", "hospital", hospitalId],
    queryFn: () => readHospital(hospitalId ?? ""),
    enabled: hospitalId !== undefined,
    staleTime: HOSPITAL_STALE_MS,
  });
  return data?.data.time_zone;
}
