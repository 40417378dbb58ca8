// React hooks for the live store.
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { type Connection, getConnection, subscribeConnection } from "./connection.ts";
import {
  getLivePatient,
  getOpenAlerts,
  getWatchedIds,
  type LivePatient,
  subscribeAlerts,
  subscribePatient,
  subscribeWatchedIds,
} from "./patient-store.ts";
import { serverNow } from "./server-clock.ts";

export const useConnection = (): Connection => useSyncExternalStore(subscribeConnection, getConnection);
export const useWatchedIds = () => useSyncExternalStore(subscribeWatchedIds, getWatchedIds);
export const useOpenAlerts = () => useSyncExternalStore(subscribeAlerts, getOpenAlerts);

export function useLivePatient(id: string): LivePatient | undefined {
  const subscribe = useCallback((listener: () => void) => subscribePatient(id, listener), [id]);
  return useSyncExternalStore(subscribe, () => getLivePatient(id));
}

/**
 * Whether the patient is in no live view, so that a page reads the state itself. While the view is connecting or lost this is
 * not known, and nothing is read: the connection has its own ways to the service (connection.ts).
 */
export function useIsUnwatched(id: string): boolean {
  const live = useLivePatient(id);
  const { status } = useConnection();
  return !live && (status === "live" || status === "off" || status === "stopped");
}

/** A connection opens in less, where it opens at all. */
const MAX_CONNECTION_WAIT_MS = 1_000;

/** False for a moment while the first connection opens: what is read before, and followed live, would have to be read again. */
export function useIsConnectionSettled(): boolean {
  const isConnecting = useConnection().status === "connecting";
  const [hasWaited, setHasWaited] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setHasWaited(true), MAX_CONNECTION_WAIT_MS);
    return () => clearTimeout(timer);
  }, []);
  return hasWaited || !isConnecting;
}

/** Server time, updated at this interval in milliseconds: for ages. */
export function useServerNow(everyMs = 1_000): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
