// Query cache: short-lived, cleared on sign-in, without retries of refused requests.
import { QueryClient } from "@tanstack/react-query";
import { endBackOff, getWaitMs, isTemporary, onReadsDue } from "./back-off.ts";

/** For names of people, hospitals and devices, which hardly ever change. */
export const NAMES_STALE_MS = 300_000;
/** After the common wait; grows for an answer that breaks off each time. */
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 8_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      networkMode: "always",
      refetchOnWindowFocus: true,
      // What is shown stays meanwhile. A read that is refused for another reason would be refused again.
      retry: (_, error) => isTemporary(error),
      retryDelay: (failures) => getWaitMs() + Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** failures),
      throwOnError: false,
    },
    // Never queue mutations offline: a late acknowledgement is worse than none.
    mutations: { networkMode: "always", retry: false },
  },
});

/** Nothing on the screen waits for the service any more: what failed is no longer shown. */
function endIfNothingWaits(): void {
  const waits = ({ state }: { state: { fetchFailureReason: unknown } }) => isTemporary(state.fetchFailureReason);
  if (queryClient.getQueryCache().findAll({ type: "active", predicate: waits }).length === 0) endBackOff();
}

onReadsDue(endIfNothingWaits);
