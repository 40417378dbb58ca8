// The board of one ward: who lies there by REST, read again when the live view changes, and in which order they stand now.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { queries } from "../api/queries.ts";
import { type Moment, rankOf, shownScore } from "../live/known.ts";
import { patientOf } from "../live/store.ts";
import { useLink, useServerNow, useView } from "../live/use-live.ts";
import { type Entry, listWards, readBoard } from "./api.ts";
import { held, movedCount, ordered, sameOrder } from "./order.ts";
import { knownOf } from "./row-view.ts";

const WARDS_MS = 60_000;

export const useWards = () => useQuery({ queryKey: ["wards", "board"], queryFn: listWards, staleTime: WARDS_MS });

export function useBoard(wardId: string | undefined) {
  const view = useView();
  const first = useRef(view);
  useEffect(() => {
    if (view === first.current) return;
    first.current = view;
    void queries.invalidateQueries({ queryKey: ["ward", "board"] });
  }, [view]);
  return useQuery({
    queryKey: ["ward", "board", wardId],
    queryFn: () => readBoard(wardId ?? ""),
    enabled: wardId !== undefined,
  });
}

/** What values are judged by, anew every second. */
export const useMoment = (): Moment => ({ now: useServerNow(), link: useLink().status });

/** @param keep nobody moves: somebody points at a row. Nor does anybody while the line is down: then nothing is known anew. */
export function useOrder(wardId: string | undefined, entries: readonly Entry[], moment: Moment, keep: boolean) {
  const wanted = ordered(
    entries.map((entry) => {
      const { patient_id: id, patient_number: number } = entry;
      const { known, moment: judged } = knownOf(patientOf(id), entry, moment);
      const score = shownScore(known, judged);
      return { id, number, rank: rankOf(known, score), score: score.kind === "score" ? score.score : null };
    }),
  );
  // Before anything was live there is no order to keep.
  const [kept, setKept] = useState({ wardId, order: wanted, isOfLive: false });
  // Who left the ward stays on the board, with a name, until rows may move.
  const named = useRef(new Map<string, Entry>());
  for (const entry of entries) named.current.set(entry.patient_id, entry);
  const stays = (keep || moment.link === "lost") && kept.isOfLive && kept.wardId === wardId;
  const order = stays ? held(kept.order, wanted) : wanted;
  const isOfLive = wanted.length > 0 && (moment.link === "live" || (kept.isOfLive && kept.wardId === wardId));
  if (kept.wardId !== wardId || kept.isOfLive !== isOfLive || !sameOrder(kept.order, order)) setKept({ wardId, order, isOfLive });
  return {
    rows: order.flatMap((id) => named.current.get(id) ?? []),
    moved: movedCount(order, wanted),
    reorder: () => setKept({ wardId, order: wanted, isOfLive }),
  };
}
