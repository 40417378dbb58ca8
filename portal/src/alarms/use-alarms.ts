// Alarms for the pages: those that are open as the live view has them, or while there is none as the list does; and the past.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import { PAGES } from "../design/data-table.tsx";
import { useLink, useOpenAlerts, useServerNow } from "../live/use-live.ts";
import { listAlerts, listOpen } from "./api.ts";

/** So often the list is read while nothing is live. */
const REREAD_MS = 10_000;

export type OpenAlarms = {
  alerts: readonly AlertView[];
  /** When this was last known to be all, epoch milliseconds; null: never. */
  checkedAt: number | null;
  error: unknown;
};

/** Newest first. */
export function useOpenAlarms(): OpenAlarms {
  const live = useLink().status === "live";
  const known = useOpenAlerts();
  const now = useServerNow();
  const list = useQuery({
    queryKey: ["alerts", "open"],
    queryFn: listOpen,
    enabled: !live,
    refetchInterval: REREAD_MS,
  });
  if (live) return { alerts: known.toReversed(), checkedAt: now, error: null };
  if (list.data) return { alerts: list.data.items, checkedAt: list.dataUpdatedAt, error: list.error };
  return { alerts: known.toReversed(), checkedAt: null, error: list.error };
}

export const useHistory = (priority: AlertView["priority"] | undefined, enabled: boolean) =>
  useInfiniteQuery({
    queryKey: ["alerts", "history", priority ?? null],
    queryFn: ({ pageParam }) => listAlerts({ state: "cleared", ...(priority && { priority }) }, pageParam),
    ...PAGES,
    enabled,
  });
