// The live view in components.
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { type Link, linkState, subscribeLink } from "./link.ts";
import { serverNow } from "./server-clock.ts";
import { type LivePatient, openAlerts, patientOf, subscribeAlerts, subscribePatient, subscribeView, view } from "./store.ts";

export const useLink = (): Link => useSyncExternalStore(subscribeLink, linkState);
export const useView = () => useSyncExternalStore(subscribeView, view);
export const useOpenAlerts = () => useSyncExternalStore(subscribeAlerts, openAlerts);

export function useLivePatient(id: string): LivePatient | undefined {
  const subscribe = useCallback((listener: () => void) => subscribePatient(id, listener), [id]);
  return useSyncExternalStore(subscribe, () => patientOf(id));
}

/** The server's time, anew every so many milliseconds: for ages. */
export function useServerNow(everyMs = 1_000): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
