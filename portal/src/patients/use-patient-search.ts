// The search in components: asked when the typing rests, an answer to older words is never shown, and nothing of it is kept.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { PAGES } from "../design/data-table.tsx";
import { useMe } from "../session/use-session.ts";
import { listHospitals, type PatientSummary, searchPatients } from "./api.ts";

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

/**
 * `waiting`: what is typed has not been answered yet. `rested`: the words, and null while they are being typed.
 * @param hospitalId the hospital of what a patient is looked for; without it the one that administrators of the platform search
 */
export function usePatientSearch(text: string, limit: number, hospitalId: string | null = null) {
  const words = wordsOf(text);
  const rested = useRested(words);
  const hospital = useSearchedHospital(hospitalId);
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
  const waiting = !enabled || query.isPending;
  const found: PatientSummary[] = waiting ? [] : (query.data?.pages.flatMap(({ items }) => items) ?? []);
  return { query, waiting, found, rested: rested === words ? words : null, hospitalId: hospital.id };
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
export function useSearchedHospital(given: string | null = null) {
  const { role, hospital } = useMe();
  const needed = role === "admin" && !hospital;
  const choice = useSyncExternalStore(subscribe, () => chosen);
  const { data } = useQuery({ queryKey: ["hospitals", "active"], queryFn: listHospitals, enabled: needed && given === null });
  const hospitals = data?.items ?? [];
  const id = needed ? (given ?? choice ?? hospitals[0]?.hospital_id ?? null) : null;
  return { id, hospitals, known: !needed || id !== null };
}
