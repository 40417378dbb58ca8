// The staff of a hospital by name: for who did something, and for assigning something to somebody.
import { useQuery } from "@tanstack/react-query";
import { NAMES_STALE_MS } from "../../platform/api/query-client.ts";
import { listAllMembers } from "./api.ts";

/**
 * The key begins with that of the list of members, so that a change of a member reads the names again.
 * @param hospitalId one's own, or any for administrators of the platform, who have none
 */
export const useColleagues = (hospitalId: string | null | undefined) =>
  useQuery({
    queryKey: ["admin", "members", hospitalId, "all"],
    queryFn: () => listAllMembers(hospitalId ?? ""),
    staleTime: NAMES_STALE_MS,
    enabled: hospitalId != null,
  });

/** Undefined for who is not on the hospital's staff, and until the staff is known. */
export function useColleagueName(hospitalId: string | null | undefined): (userId: string | null) => string | undefined {
  const { data } = useColleagues(hospitalId);
  return (userId) => data?.find(({ user_id }) => user_id === userId)?.full_name;
}
