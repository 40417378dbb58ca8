// Query cache: short-lived, cleared on sign-in, without retries of refused requests.
import { QueryClient } from "@tanstack/react-query";
import { toProblem } from "./problem.ts";

/** For names of people, hospitals and devices, which hardly ever change. */
export const NAMES_STALE_MS = 300_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      networkMode: "always",
      refetchOnWindowFocus: true,
      // Retry twice, and only without a response: a refused request would be refused again.
      retry: (failures, error) => failures < 2 && toProblem(error).code === "unreachable",
      throwOnError: false,
    },
    // Never queue mutations offline: a late acknowledgement is worse than none.
    mutations: { networkMode: "always", retry: false },
  },
});
