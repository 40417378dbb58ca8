// Which of their records a patient looks at; kept until the page is loaded again.
import { useSyncExternalStore } from "react";
import { useMe } from "../../accounts/session/use-session.ts";

let chosenRecordId: string | null = null;
const listeners = new Set<() => void>();
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setChosenRecord(patientId: string): void {
  chosenRecordId = patientId;
  for (const listener of listeners) listener();
}

/** Null for who has no record, and for staff. The live view shows one hospital's records, so it follows this choice. */
export function useChosenRecord(): string | null {
  const { patients, role } = useMe();
  const choice = useSyncExternalStore(subscribe, () => chosenRecordId);
  if (role !== "patient") return null;
  return patients.find(({ patient_id }) => patient_id === choice)?.patient_id ?? patients[0]?.patient_id ?? null;
}
