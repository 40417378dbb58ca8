// What is entered for a new report, step by step; who must sign in again meanwhile finds it as it was.
import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { currentSession } from "../../accounts/session/session.ts";
import { useMe } from "../../accounts/session/use-session.ts";
import { patientQuery } from "../../patients/record/use-patient-record.ts";
import { createDraftStore, type DraftState } from "./draft-store.ts";
import type { Candidate } from "./patient-picker.tsx";

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** The patient from whose page somebody comes to send a report. */
    patientId?: string;
  }
}

const draftStore = createDraftStore<Candidate>();

const EMPTY_STATE: DraftState<Candidate> = {
  step: 0,
  file: null,
  patient: null,
  said: { kind: "ecg", wall: "", typed: {}, interpretation: "" },
  keyed: null,
};

export function useUploadDraft() {
  const { user_id: user, hospital } = useMe();
  const { patientId: presetPatientId, __TSR_key: visit } = useLocation().state;
  const owner = { user, hospital: hospital?.id ?? null, visit };
  const [draftState, setDraftState] = useState(
    () => draftStore.load(owner) ?? { ...EMPTY_STATE, patient: presetPatientId ? ("preset" as const) : null },
  );
  const query = useQuery({
    ...patientQuery(presetPatientId ?? ""),
    select: ({ data }) => data,
    enabled: draftState.patient === "preset",
  });
  const isPreset = draftState.patient === "preset";
  const patient: Candidate | null = draftState.patient === "preset" ? (query.data ?? null) : draftState.patient;
  useEffect(() => draftStore.save(owner, { ...draftState, patient: patient ?? draftState.patient }));
  useEffect(() => {
    // Who leaves the page otherwise has given it up.
    return () => {
      if (currentSession().status !== "expired") draftStore.clear();
    };
  }, []);
  return {
    entered: draftState,
    updateDraft: (part: Partial<DraftState<Candidate>>) => setDraftState((previous) => ({ ...previous, ...part })),
    patient,
    /** It is filed: nothing needs to be kept. */
    clearDraft: draftStore.clear,
    isReading: isPreset && query.isPending,
    error: isPreset ? query.error : null,
  };
}
