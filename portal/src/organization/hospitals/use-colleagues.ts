// Who works at a hospital, by name: for what somebody did, and for giving somebody something to do.
import { useQuery } from "@tanstack/react-query";
import { listAllMembers } from "./api.ts";

/** Names hardly ever change. */
export const NAMES_STALE_MS = 300_000;

/** @param hospitalId one's own, or any for administrators of the platform, who have none */
export const useColleagues = (hospitalId: string | null | undefined) =>
  useQuery({
    queryKey: ["colleagues", hospitalId],
    queryFn: () => listAllMembers(hospitalId ?? ""),
    staleTime: NAMES_STALE_MS,
    enabled: hospitalId != null,
  });
