// The record that a patient with several records has selected; kept until the page is reloaded.
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

/** Null for staff and for patients without a record. The live view covers one hospital, so it follows this choice. */
export function useChosenRecord(): string | null {
  const { patients, role } = useMe();
  const choice = useSyncExternalStore(subscribe, () => chosenRecordId);
  if (role !== "patient") return null;
  return patients.find(({ patient_id }) => patient_id === choice)?.patient_id ?? patients[0]?.patient_id ?? null;
}
