// Patients in risk order; the order is frozen while a row is hovered or focused.
import { type FocusEvent, useMemo, useState } from "react";
import { getDisplayScore, getRiskRank, riskRankIndex } from "../monitoring/live/patient-state.ts";
import { getLivePatient } from "../monitoring/live/patient-store.ts";
import { useConnection, useOpenAlerts, useServerNow } from "../monitoring/live/use-live.ts";
import { getFullName, type PatientSummary } from "./api.ts";

const REORDER_MS = 15_000;

export function sortByName(patients: readonly PatientSummary[]): PatientSummary[] {
  return [...patients].sort((a, b) => getFullName(a).localeCompare(getFullName(b)) || a.patient_number - b.patient_number);
}

export function useRiskOrder(patients: readonly PatientSummary[]) {
  const { status } = useConnection();
  const alerts = useOpenAlerts();
  const now = useServerNow(REORDER_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the store changes with `alerts` and is re-read with `now`
  const currentOrder = useMemo(() => {
    const ranked = sortByName(patients).map((patient) => {
      const live = getLivePatient(patient.patient_id);
      const score = getDisplayScore(live, { now, connection: status });
      return { patient, place: riskRankIndex(getRiskRank(live, score)), score: score.kind === "score" ? score.score : 0 };
    });
    return ranked.sort((a, b) => a.place - b.place || b.score - a.score).map(({ patient }) => patient);
  }, [patients, alerts, status, now]);

  const [heldIds, setHeldIds] = useState<readonly string[] | null>(null);
  const holdOrder = () => setHeldIds((before) => before ?? currentOrder.map(({ patient_id }) => patient_id));
  const releaseOrder = () => setHeldIds(null);
  const place = ({ patient_id }: PatientSummary) => heldIds?.indexOf(patient_id) ?? 0;
  const shown = heldIds ? [...currentOrder].sort((a, b) => place(a) - place(b)) : currentOrder;
  return {
    shown,
    movedCount: shown.filter((patient, i) => patient !== currentOrder[i]).length,
    reorder: () => setHeldIds(currentOrder.map(({ patient_id }) => patient_id)),
    holdHandlers: {
      onPointerEnter: holdOrder,
      onPointerLeave: (event: { currentTarget: HTMLElement }) => {
        if (!event.currentTarget.contains(document.activeElement)) releaseOrder();
      },
      onFocus: holdOrder,
      onBlur: (event: FocusEvent<HTMLElement>) => {
        if (!event.currentTarget.contains(event.relatedTarget) && !event.currentTarget.matches(":hover")) releaseOrder();
      },
    },
  };
}
