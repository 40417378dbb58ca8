// Patient search hook: debounced, drops outdated responses and caches nothing.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { CURSOR_PAGINATION } from "../platform/design/data-table.tsx";
import { listHospitals, type PatientSummary, searchPatients } from "./api.ts";

const DEBOUNCE_MS = 200;
/** The API requires two characters, or one letter or digit: there are names of one letter. */
const SEARCHABLE = /^(?:.{2,}|[\p{L}\p{N}])$/u;

const normalizeSearch = (text: string) => text.trim().replace(/\s+/g, " ");
export const isSearchable = (text: string) => SEARCHABLE.test(normalizeSearch(text));

function useDebounced(text: string): string {
  const [debouncedText, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return debouncedText;
}

/**
 * `waiting`: the current text has no response yet. `rested`: the debounced text, null while typing.
 * @param hospitalId hospital of the item that needs a patient; default: the one that platform administrators chose
 */
export function usePatientSearch(text: string, limit: number, hospitalId: string | null = null) {
  const searchText = normalizeSearch(text);
  const debouncedText = useDebounced(searchText);
  const hospital = useSearchHospital(hospitalId);
  const enabled = isSearchable(searchText) && debouncedText === searchText && hospital.isReady;
  const query = useInfiniteQuery({
    queryKey: ["patients", "search", hospital.id, debouncedText, limit],
    queryFn: ({ pageParam, signal }) => searchPatients(debouncedText, hospital.id, pageParam, limit, signal),
    ...CURSOR_PAGINATION,
    enabled,
    gcTime: 0,
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
  const isSearching = !enabled || query.isPending;
  const results: PatientSummary[] = isSearching ? [] : (query.data?.pages.flatMap(({ items }) => items) ?? []);
  return {
    query,
    waiting: isSearching,
    found: results,
    debouncedText: debouncedText === searchText ? searchText : null,
    hospitalId: hospital.id,
  };
}

let chosenHospitalId: string | null = null;
const listeners = new Set<() => void>();
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Platform administrators search one hospital at a time: the chosen one, or else the first. */
export function setSearchHospital(hospitalId: string): void {
  chosenHospitalId = hospitalId;
  for (const listener of listeners) listener();
}

/** `id` is null for hospital staff: the API uses their hospital. */
export function useSearchHospital(fixedHospitalId: string | null = null) {
  const { role, hospital } = useMe();
  const mustChoose = role === "admin" && !hospital;
  const choice = useSyncExternalStore(subscribe, () => chosenHospitalId);
  const { data } = useQuery({
    queryKey: ["hospitals", "active"],
    queryFn: listHospitals,
    enabled: mustChoose && fixedHospitalId === null,
  });
  const hospitals = data?.items ?? [];
  const id = mustChoose ? (fixedHospitalId ?? choice ?? hospitals[0]?.hospital_id ?? null) : null;
  return { id, hospitals, isReady: !mustChoose || id !== null };
}
