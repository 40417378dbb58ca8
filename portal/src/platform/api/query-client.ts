// How answers are kept: for a while, never across a sign-in, and what was refused is not asked again.
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
      // Only silence is tried again, twice: what the API has said, it would say again.
      retry: (failures, error) => failures < 2 && toProblem(error).code === "unreachable",
      throwOnError: false,
    },
    // Never queued for later: an acknowledgement that is sent when nobody waits for it any more is worse than none.
    mutations: { networkMode: "always", retry: false },
  },
});
