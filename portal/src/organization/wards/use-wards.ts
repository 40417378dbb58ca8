// The open wards of a hospital, for choices and names.
import { useQuery } from "@tanstack/react-query";
import { useMe } from "../../accounts/session/use-session.ts";
import { listActiveWards } from "../hospitals/api.ts";

const WARDS_STALE_MS = 60_000;

/** @param hospitalId null for the caller's own, and for all that an administrator of the platform may see */
export function useActiveWards(hospitalId: string | null, enabled = true) {
  const { hospital } = useMe();
  const id = hospitalId ?? hospital?.id ?? null;
  return useQuery({
    queryKey: ["wards", "active", id],
    queryFn: () => listActiveWards(id),
    staleTime: WARDS_STALE_MS,
    enabled,
  });
}
