// Alarms for the pages: those that are open as the live view has them, or while there is none as the list does; and the past.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { CURSOR_PAGINATION } from "../../platform/design/data-table.tsx";
import { useConnection, useOpenAlerts, useServerNow } from "../live/use-live.ts";
import { listAlerts, listOpenAlerts } from "./api.ts";

/** So often the list is read while nothing is live. */
const REFRESH_MS = 10_000;

export type OpenAlarms = {
  alerts: readonly AlertView[];
  /** When this was last known to be all, epoch milliseconds; null: never. */
  checkedAt: number | null;
  error: unknown;
};

/** Newest first. */
export function useOpenAlarms(): OpenAlarms {
  const isLive = useConnection().status === "live";
  const liveAlerts = useOpenAlerts();
  const now = useServerNow();
  const list = useQuery({
    queryKey: ["alerts", "open"],
    queryFn: listOpenAlerts,
    enabled: !isLive,
    refetchInterval: REFRESH_MS,
  });
  if (isLive) return { alerts: liveAlerts.toReversed(), checkedAt: now, error: null };
  if (list.data) return { alerts: list.data.items, checkedAt: list.dataUpdatedAt, error: list.error };
  return { alerts: liveAlerts.toReversed(), checkedAt: null, error: list.error };
}

export const useAlarmHistory = (priority: AlertView["priority"] | undefined, enabled: boolean) =>
  useInfiniteQuery({
    queryKey: ["alerts", "history", priority ?? null],
    queryFn: ({ pageParam }) => listAlerts({ state: "cleared", ...(priority && { priority }) }, pageParam),
    ...CURSOR_PAGINATION,
    enabled,
  });
