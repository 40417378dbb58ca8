// Names of accounts by their ids, for lists of what was done by whom; asked once, not for each.
import { useQuery } from "@tanstack/react-query";
import { fetchAllPages } from "../../platform/api/fetch-all-pages.ts";
import { NAMES_STALE_MS } from "../../platform/api/query-client.ts";
import { listUsers } from "./api.ts";

/** @returns null for who is not among the newest few hundred accounts that the caller manages */
export function useUserNames(): (userId: string) => string | null {
  const { data } = useQuery({
    queryKey: ["admin", "users", "names"],
    queryFn: async () => {
      const { items } = await fetchAllPages((cursor) => listUsers({}, cursor, 100), 3);
      // Of staff alone: who looks through a list of events need not learn who is a patient.
      const staff = items.filter(({ is_admin, memberships }) => is_admin || memberships.length > 0);
      return new Map(staff.map(({ user_id, full_name }) => [user_id, full_name]));
    },
    staleTime: NAMES_STALE_MS,
  });
  return (userId) => data?.get(userId) ?? null;
}
