// The own second factors, and what a change of them changes in the session.
import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { reloadMe } from "../session/session.ts";
import { listFactors } from "./api.ts";

export const factorsQuery = (userId: string) => queryOptions({ queryKey: ["account", "factors", userId], queryFn: listFactors });

/** Reads factors and session again; the change is done even if that fails. */
export function useFactorsChanged(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await Promise.allSettled([client.invalidateQueries({ queryKey: ["account", "factors"] }), reloadMe()]);
  };
}
