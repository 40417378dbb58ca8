// The record of one patient, and what titles and times of its pages need.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { readPatient } from "../api.ts";

/** Everything that shows this patient reads this query, so that all of it changes when the patient does. */
export const patientQuery = (patientId: string) =>
  queryOptions({ queryKey: ["patients", patientId, "record"], queryFn: () => readPatient(patientId) });

/** With the ETag that a change of it needs. */
export const usePatientRecord = (patientId: string) => useQuery(patientQuery(patientId));

/** Whether an emergency access alone opens the record, which allows no change. Reads nothing: false until a page has read the record. */
export const useIsReadOnly = (patientId: string): boolean =>
  (useQuery({ ...patientQuery(patientId), enabled: false }).data?.data.emergency_access_id ?? null) !== null;

/** What titles and times need; "…" and undefined until it is known. */
export function usePatientNumberAndZone(patientId: string): { number: string; zone: string | undefined } {
  const { data } = usePatientRecord(patientId);
  const zone = useHospitalTimeZone(data?.data.hospital_id);
  return { number: data ? String(data.data.patient_number) : "…", zone };
}
