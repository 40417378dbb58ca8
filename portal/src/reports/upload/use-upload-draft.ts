// Draft of a new report, step by step; it survives a new sign-in after an expired session.
import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { currentSession } from "../../accounts/session/session.ts";
import { useMe } from "../../accounts/session/use-session.ts";
import { patientQuery } from "../../patients/record/use-patient-record.ts";
import { createUploadDraftStore, type DraftState } from "./draft-store.ts";
import type { Candidate } from "./patient-picker.tsx";

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** The patient whose page led here. */
    patientId?: string;
  }
}

const draftStore = createUploadDraftStore<Candidate>();

const EMPTY_STATE: DraftState<Candidate> = {
  step: 0,
  file: null,
  patient: null,
  input: { kind: "ecg", timeIs: null, wallTime: "", typedMetrics: {}, interpretation: "" },
  uploadKey: null,
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
    // Leaving the page in any other way discards the draft.
    return () => {
      if (currentSession().status !== "expired") draftStore.clear();
    };
  }, []);
  return {
    entered: draftState,
    updateDraft: (part: Partial<DraftState<Candidate>>) => setDraftState((previous) => ({ ...previous, ...part })),
    patient,
    /** Discards the draft after the report is filed. */
    clearDraft: draftStore.clear,
    isReading: isPreset && query.isPending,
    error: isPreset ? query.error : null,
  };
}
