// What lies beneath somebody's own limits: the defaults of their age and the ward's, read together.
import { useQuery } from "@tanstack/react-query";
import type { AgeBand } from "../../../../src/monitoring/vitals/model.ts";
import { readDefaults, readWardRules } from "./api.ts";

/** The defaults change only with a new version of the API. */
export const useDefaults = (band: AgeBand) =>
  useQuery({ queryKey: ["rules", "defaults", band], queryFn: () => readDefaults(band), staleTime: Number.POSITIVE_INFINITY });

/** `adults`: the defaults that name every vital which can have limits; a younger age may lack some. */
export function useInheritedRules(band: AgeBand, wardId: string | null) {
  const defaults = useDefaults(band);
  const adultDefaults = useDefaults("adult");
  const ward = useQuery({
    queryKey: ["rules", "ward", wardId],
    queryFn: () => (wardId === null ? [] : readWardRules(wardId)),
  });
  const all = [defaults, adultDefaults, ward];
  return {
    data:
      defaults.data && ward.data && adultDefaults.data
        ? { defaults: defaults.data, ward: ward.data, adultDefaults: adultDefaults.data }
        : undefined,
    error: all.find(({ error }) => error)?.error ?? null,
    isPending: all.some(({ isPending }) => isPending),
    refetch: () => Promise.all(all.map(({ refetch }) => refetch())),
  };
}
