// Alarms for the pages: the open ones from the live view, or from the API for who is in none; and the past.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { CURSOR_PAGINATION } from "../../platform/design/data-table.tsx";
import { sortedByUrgency } from "../live/patient-state.ts";
import { useConnection, useIsUnwatched, useLivePatient, useOpenAlerts, useServerNow } from "../live/use-live.ts";
import { listOpenAlarms } from "../vitals/api.ts";
import { listAlerts, listOpenAlerts } from "./api.ts";

/** So often the list is read where there is no live view: for administrators of the platform. */
const REFRESH_MS = 10_000;

export type OpenAlarms = {
  alerts: readonly AlertView[];
  /** When this was last known to be all, epoch milliseconds; null: never. */
  checkedAt: number | null;
  error: unknown;
};

/** Newest first. */
export function useOpenAlarms(): OpenAlarms {
  const { status } = useConnection();
  const isLive = status === "live";
  const liveAlerts = useOpenAlerts();
  const now = useServerNow();
  const list = useQuery({
    queryKey: ["alerts", "open"],
    queryFn: listOpenAlerts,
    enabled: status === "off",
    refetchInterval: REFRESH_MS,
  });
  if (isLive) return { alerts: liveAlerts.toReversed(), checkedAt: now, error: null };
  if (status === "off" && list.data) return { alerts: list.data.items, checkedAt: list.dataUpdatedAt, error: list.error };
  return { alerts: liveAlerts.toReversed(), checkedAt: null, error: list.error };
}

/** How often the alarms of a patient are read who is not in the live view. */
const PATIENT_POLL_MS = 15_000;

export type PatientOpenAlarms = {
  /** The most urgent first; undefined until they are known. */
  alerts: readonly AlertView[] | undefined;
  /** False: the alarms are not known now, whatever `alerts` has from before. */
  isCurrent: boolean;
  /** When this was known to be all, epoch milliseconds. */
  checkedAt: number;
  /** Why they are not known for now: that none are shown then does not mean that there are none. */
  error: unknown;
  refetch: () => void;
};

/** Of the live view; read from the API for who is not in it. @param isShown false reads nothing */
export function usePatientOpenAlarms(patientId: string, isShown = true): PatientOpenAlarms {
  const live = useLivePatient(patientId);
  const isLive = useConnection().status === "live";
  const isUnwatched = useIsUnwatched(patientId);
  const query = useQuery({
    queryKey: ["alerts", "open_of", patientId],
    queryFn: () => listOpenAlarms(patientId),
    enabled: isShown && isUnwatched,
    refetchInterval: PATIENT_POLL_MS,
  });
  const refetch = () => void query.refetch();
  if (live) {
    return { alerts: sortedByUrgency(live.alerts.values()), isCurrent: isLive, checkedAt: Date.now(), error: null, refetch };
  }
  const isCurrent = isUnwatched && query.failureReason === null && Date.now() - query.dataUpdatedAt < 2 * PATIENT_POLL_MS;
  const alerts = query.data && sortedByUrgency(query.data.items);
  return { alerts, isCurrent, checkedAt: query.dataUpdatedAt, error: query.error, refetch };
}

export const useAlarmHistory = (priority: AlertView["priority"] | undefined, enabled: boolean) =>
  useInfiniteQuery({
    queryKey: ["alerts", "history", priority ?? null],
    queryFn: ({ pageParam }) => listAlerts({ state: "cleared", ...(priority && { priority }) }, pageParam),
    ...CURSOR_PAGINATION,
    enabled,
  });
