// Alarms for the pages: those that are open as the live view has them, or while there is none as the list does; and the past.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { CURSOR_PAGINATION } from "../../platform/design/data-table.tsx";
import { sortedByUrgency } from "../live/patient-state.ts";
import { useConnection, useLivePatient, useOpenAlerts, useServerNow } from "../live/use-live.ts";
import { listOpenAlarms } from "../vitals/api.ts";
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

/** How often the alarms of a patient are read who is not in the live view. */
const PATIENT_POLL_MS = 15_000;

export type PatientOpenAlarms = {
  /** The most urgent first; undefined until they are known. */
  alerts: readonly AlertView[] | undefined;
  /** When this was known to be all, epoch milliseconds. */
  checkedAt: number;
  /** Why they are not known for now: that none are shown then does not mean that there are none. */
  error: unknown;
  refetch: () => void;
};

/** Of the live view; read from the API for who is not in it, and while the connection is lost. */
export function usePatientOpenAlarms(patientId: string): PatientOpenAlarms {
  const live = useLivePatient(patientId);
  const { status } = useConnection();
  const isLive = status === "live" && live !== undefined;
  const query = useQuery({
    queryKey: ["alerts", "open_of", patientId],
    queryFn: () => listOpenAlarms(patientId),
    enabled: !isLive && status !== "connecting",
    refetchInterval: PATIENT_POLL_MS,
  });
  const refetch = () => void query.refetch();
  if (isLive) return { alerts: sortedByUrgency(live.alerts.values()), checkedAt: Date.now(), error: null, refetch };
  // What was read before the connection was lost is older than what the live view had last.
  const isCurrent = query.error === null && Date.now() - query.dataUpdatedAt < 2 * PATIENT_POLL_MS;
  const known = (isCurrent ? query.data?.items : null) ?? live?.alerts.values() ?? query.data?.items;
  return { alerts: known && sortedByUrgency(known), checkedAt: query.dataUpdatedAt, error: query.error, refetch };
}

export const useAlarmHistory = (priority: AlertView["priority"] | undefined, enabled: boolean) =>
  useInfiniteQuery({
    queryKey: ["alerts", "history", priority ?? null],
    queryFn: ({ pageParam }) => listAlerts({ state: "cleared", ...(priority && { priority }) }, pageParam),
    ...CURSOR_PAGINATION,
    enabled,
  });
