// Board of one ward: patients by REST, refetched when the live view changes, and their current order.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { queryClient } from "../../platform/api/query-client.ts";
import { getDisplayScore, getRiskRank, type ViewContext } from "../live/patient-state.ts";
import { getLivePatient } from "../live/patient-store.ts";
import { useConnection, useServerNow, useWatchedIds } from "../live/use-live.ts";
import { type BoardEntry, readBoard } from "./api.ts";
import { countMoved, isSameOrder, keepOrder, sortByRisk } from "./board-order.ts";
import { toPatientState } from "./board-row-view.ts";

export function useBoard(wardId: string | undefined) {
  const view = useWatchedIds();
  const isLive = useConnection().status === "live";
  const known = useRef<typeof view | null>(null);
  useEffect(() => {
    if (!isLive) return;
    // The first view is no change: the board is read while the connection opens.
    if (known.current !== null && known.current !== view) void queryClient.invalidateQueries({ queryKey: ["ward", "board"] });
    known.current = view;
  }, [view, isLive]);
  return useQuery({
    queryKey: ["ward", "board", wardId],
    queryFn: () => readBoard(wardId ?? ""),
    enabled: wardId !== undefined,
  });
}

/** Reference times and limits for values, updated every second. */
export const useViewContext = (): ViewContext => ({ now: useServerNow(), connection: useConnection().status });

/** @param isHeld freezes the order: the user points at a row. It is also frozen while the connection is down. */
export function useBoardOrder(wardId: string | undefined, entries: readonly BoardEntry[], moment: ViewContext, isHeld: boolean) {
  const targetOrder = sortByRisk(
    entries.map((entry) => {
      const { patient_id: id, patient_number: number } = entry;
      const { patient: known, moment: patientContext } = toPatientState(getLivePatient(id), entry, moment);
      const score = getDisplayScore(known, patientContext);
      return { id, number, rank: getRiskRank(known, score), score: score.kind === "score" ? score.score : null };
    }),
  );
  // Before the first live data there is no order to keep.
  const [currentOrder, setCurrentOrder] = useState({ wardId, order: targetOrder, wasLive: false });
  // A patient who left the ward stays listed until rows may move.
  const entriesById = useRef(new Map<string, BoardEntry>());
  for (const entry of entries) entriesById.current.set(entry.patient_id, entry);
  const keepsOrder = (isHeld || moment.connection === "lost") && currentOrder.wasLive && currentOrder.wardId === wardId;
  const order = keepsOrder ? keepOrder(currentOrder.order, targetOrder) : targetOrder;
  const wasLive =
    targetOrder.length > 0 && (moment.connection === "live" || (currentOrder.wasLive && currentOrder.wardId === wardId));
  if (currentOrder.wardId !== wardId || currentOrder.wasLive !== wasLive || !isSameOrder(currentOrder.order, order))
    setCurrentOrder({ wardId, order, wasLive });
  return {
    rows: order.flatMap((id) => entriesById.current.get(id) ?? []),
    moved: countMoved(order, targetOrder),
    reorder: () => setCurrentOrder({ wardId, order: targetOrder, wasLive }),
  };
}
