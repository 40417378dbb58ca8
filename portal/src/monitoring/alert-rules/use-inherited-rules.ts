// Inherited limits: the defaults of the age group and the ward's limits.
import { useQuery } from "@tanstack/react-query";
import type { LimitProfile } from "../../../../src/monitoring/vitals/home-limits.ts";
import type { AgeBand } from "../../../../src/monitoring/vitals/model.ts";
import { readDefaults, readWardRules } from "./api.ts";

/** The defaults change only with a new version of the API. */
export const useDefaults = (band: AgeBand, profile: LimitProfile = "ward") =>
  useQuery({
    queryKey: ["rules", "defaults", band, profile],
    queryFn: () => readDefaults(band, profile),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** `adults`: the defaults with every vital sign that can have limits; younger ages may lack some. */
export function useInheritedRules(band: AgeBand, wardId: string | null, profile: LimitProfile = "ward") {
  const defaults = useDefaults(band, profile);
  const adultDefaults = useDefaults("adult", profile);
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
