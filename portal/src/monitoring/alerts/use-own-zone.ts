// The time zone of the hospital that one acts for: times of alarms are told in it, whatever the browser's is.
import { useQuery } from "@tanstack/react-query";
import { useMe } from "../../accounts/session/use-session.ts";
import { readTimeZone } from "./api.ts";

/** Undefined, for the browser's, until it is known and for those without a hospital. */
export function useOwnZone(): string | undefined {
  const { hospital } = useMe();
  const zone = useQuery({
    queryKey: ["alarms", "zone", hospital?.id],
    queryFn: () => readTimeZone(hospital?.id ?? ""),
    staleTime: Number.POSITIVE_INFINITY,
    enabled: hospital !== null,
  });
  return zone.data;
}
