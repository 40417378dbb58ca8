// What is entered for a new report, step by step; who must sign in again meanwhile finds it as it was.
import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { readPatient } from "../patients/api.ts";
import { current } from "../session/session.ts";
import { useMe } from "../session/use-session.ts";
import { draftKeeper, type Entered } from "./kept-draft.ts";
import type { Candidate } from "./patient-picker.tsx";

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** The patient from whose page somebody comes to send a report. */
    patientId?: string;
  }
}

const drafts = draftKeeper<Candidate>();

const NOTHING: Entered<Candidate> = {
  step: 0,
  file: null,
  patient: null,
  said: { kind: "ecg", wall: "", typed: {}, interpretation: "" },
  keyed: null,
};

export function useEntered() {
  const { user_id: user, hospital } = useMe();
  const { patientId: preset, __TSR_key: visit } = useLocation().state;
  const owner = { user, hospital: hospital?.id ?? null, visit };
  const [entered, setEntered] = useState(() => drafts.of(owner) ?? { ...NOTHING, patient: preset ? ("preset" as const) : null });
  const query = useQuery({
    queryKey: ["uploads", "preset", preset ?? null],
    queryFn: async () => (await readPatient(preset ?? "")).data,
    enabled: entered.patient === "preset",
  });
  const isPreset = entered.patient === "preset";
  const patient: Candidate | null = entered.patient === "preset" ? (query.data ?? null) : entered.patient;
  useEffect(() => drafts.keep(owner, { ...entered, patient: patient ?? entered.patient }));
  useEffect(() => {
    // Who leaves the page otherwise has given it up.
    return () => {
      if (current().status !== "expired") drafts.forget();
    };
  }, []);
  return {
    entered,
    change: (part: Partial<Entered<Candidate>>) => setEntered((before) => ({ ...before, ...part })),
    patient,
    /** It is filed: nothing needs to be kept. */
    forget: drafts.forget,
    reading: isPreset && query.isPending,
    error: isPreset ? query.error : null,
  };
}
