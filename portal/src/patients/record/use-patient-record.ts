// The patient whose pages are open: the record, and the hospital's zone, in which its times are told.
import { useQuery } from "@tanstack/react-query";
import { useMe } from "../../accounts/session/use-session.ts";
import { listWards, readHospital, readPatient } from "../api.ts";

export const patientRecordKey = (patientId: string) => ["patients", patientId, "record"] as const;

/** With the ETag that a change of it names. */
export const usePatientRecord = (patientId: string) =>
  useQuery({ queryKey: patientRecordKey(patientId), queryFn: () => readPatient(patientId) });

const ZONE_STALE_MS = 3_600_000;
export function useHospitalZone(hospitalId: string | undefined): string | undefined {
  const { data } = useQuery({
    queryKey: ["hospitals", hospitalId, "zone"],
    queryFn: () => readHospital(hospitalId ?? ""),
    enabled: hospitalId !== undefined,
    staleTime: ZONE_STALE_MS,
  });
  return data?.time_zone;
}

/** What titles and times need; "…" until it is known. */
export function usePatientNumberAndZone(patientId: string): { number: string; zone: string | undefined } {
  const { data } = usePatientRecord(patientId);
  const zone = useHospitalZone(data?.data.hospital_id);
  return { number: data ? String(data.data.patient_number) : "…", zone };
}

/** Null while it is not known, and for those on no ward. */
export function useWardName(wardId: string | null, hospitalId: string): string | null {
  const { role } = useMe();
  const { data } = useQuery({
    queryKey: ["wards", "of", hospitalId],
    queryFn: () => listWards(role === "admin" ? hospitalId : null),
    enabled: wardId !== null,
    staleTime: ZONE_STALE_MS,
  });
  return data?.items.find((ward) => ward.ward_id === wardId)?.name ?? null;
}
