// The search in components: asked when the typing rests, an answer to older words is never shown, and nothing of it is kept.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { PAGES } from "../design/data-table.tsx";
import { useMe } from "../session/use-session.ts";
import { listHospitals, searchPatients } from "./api.ts";

const REST_MS = 200;
/** The API looks for beginnings of at least two characters. */
const SHORTEST = 2;

const wordsOf = (text: string) => text.trim().replace(/\s+/g, " ");
export const isLongEnough = (text: string) => Array.from(wordsOf(text)).length >= SHORTEST;

function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}

/** `waiting`: what is typed has not been answered yet. */
export function usePatientSearch(text: string, limit: number) {
  const words = wordsOf(text);
  const rested = useRested(words);
  const hospital = useSearchedHospital();
  const enabled = isLongEnough(words) && rested === words && hospital.known;
  const query = useInfiniteQuery({
    queryKey: ["patients", "search", hospital.id, rested, limit],
    queryFn: ({ pageParam, signal }) => searchPatients(rested, hospital.id, pageParam, limit, signal),
    ...PAGES,
    enabled,
    gcTime: 0,
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
  return { query, waiting: !enabled || query.isPending };
}

let chosen: string | null = null;
const listeners = new Set<() => void>();
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Administrators of the platform search one hospital at a time: the one that they chose, or else the first. */
export function chooseHospital(hospitalId: string): void {
  chosen = hospitalId;
  for (const listener of listeners) listener();
}

/** `id` is null for people of a hospital: the API takes theirs. */
export function useSearchedHospital() {
  const { role, hospital } = useMe();
  const needed = role === "admin" && !hospital;
  const choice = useSyncExternalStore(subscribe, () => chosen);
  const { data } = useQuery({ queryKey: ["hospitals", "active"], queryFn: listHospitals, enabled: needed });
  const hospitals = data?.items ?? [];
  const id = needed ? (choice ?? hospitals[0]?.hospital_id ?? null) : null;
  return { id, hospitals, known: !needed || id !== null };
}
