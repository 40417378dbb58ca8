// Patients in the order of risk, which stands still while somebody points at a row or has the focus in one.
import { type FocusEvent, useMemo, useState } from "react";
import { placeOf, rankOf, shownScore } from "../live/known.ts";
import { patientOf } from "../live/store.ts";
import { useLink, useOpenAlerts, useServerNow } from "../live/use-live.ts";
import { nameOf, type PatientSummary } from "./api.ts";

const EVERY_MS = 15_000;

export function byName(patients: readonly PatientSummary[]): PatientSummary[] {
  return [...patients].sort((a, b) => nameOf(a).localeCompare(nameOf(b)) || a.patient_number - b.patient_number);
}

export function useRiskOrder(patients: readonly PatientSummary[]) {
  const { status } = useLink();
  const alerts = useOpenAlerts();
  const now = useServerNow(EVERY_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the store changes with `alerts`, and is read anew with `now`
  const fresh = useMemo(() => {
    const ranked = byName(patients).map((patient) => {
      const live = patientOf(patient.patient_id);
      const score = shownScore(live, { now, link: status });
      return { patient, place: placeOf(rankOf(live, score)), score: score.kind === "score" ? score.score : 0 };
    });
    return ranked.sort((a, b) => a.place - b.place || b.score - a.score).map(({ patient }) => patient);
  }, [patients, alerts, status, now]);

  const [held, setHeld] = useState<readonly string[] | null>(null);
  const hold = () => setHeld((before) => before ?? fresh.map(({ patient_id }) => patient_id));
  const release = () => setHeld(null);
  const place = ({ patient_id }: PatientSummary) => held?.indexOf(patient_id) ?? 0;
  const shown = held ? [...fresh].sort((a, b) => place(a) - place(b)) : fresh;
  return {
    shown,
    moved: shown.filter((patient, i) => patient !== fresh[i]).length,
    reorder: () => setHeld(fresh.map(({ patient_id }) => patient_id)),
    holding: {
      onPointerEnter: hold,
      onPointerLeave: (event: { currentTarget: HTMLElement }) => {
        if (!event.currentTarget.contains(document.activeElement)) release();
      },
      onFocus: hold,
      onBlur: (event: FocusEvent<HTMLElement>) => {
        if (!event.currentTarget.contains(event.relatedTarget) && !event.currentTarget.matches(":hover")) release();
      },
    },
  };
}
