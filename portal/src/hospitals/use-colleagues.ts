// Who works at a hospital, by name: for what somebody did, and for giving somebody something to do.
import { useQuery } from "@tanstack/react-query";
import { everyMember } from "./api.ts";

/** Names hardly ever change. */
export const LASTING_MS = 300_000;

/** @param hospitalId one's own, or any for administrators of the platform, who have none */
export const useColleagues = (hospitalId: string | null | undefined) =>
  useQuery({
    queryKey: ["colleagues", hospitalId],
    queryFn: () => everyMember(hospitalId ?? ""),
    staleTime: LASTING_MS,
    enabled: hospitalId != null,
  });
