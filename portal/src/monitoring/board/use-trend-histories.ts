// Six hours of one vital sign for all patients, fetched one by one: the API allows 100 requests per user and minute.
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { queryClient } from "../../platform/api/query-client.ts";
import { serverNow } from "../live/server-clock.ts";
import { readTrendHistory } from "./api.ts";
import type { TrendHistory } from "./trend-history.ts";

/** Refetch interval: the length of one point, ms. */
const HISTORY_STALE_MS = 300_000;
const FAST_REQUESTS = 12;
const FAST_INTERVAL_MS = 150;
const SLOW_INTERVAL_MS = 1_500;

const trendQuery = (patientId: string, code: string) => ({
  queryKey: ["ward", "history", patientId, code],
  queryFn: () => readTrendHistory(patientId, code, serverNow()),
});

/** @param ids joined into one string, so that a new order does not restart the fetches */
export function usePrefetchTrends(ids: string, code: string): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let requestCount = 0;
    const isStale = (id: string) => {
      const state = queryClient.getQueryState(trendQuery(id, code).queryKey);
      const last = Math.max(state?.dataUpdatedAt ?? 0, state?.errorUpdatedAt ?? 0);
      return Date.now() - last > HISTORY_STALE_MS;
    };
    const fetchNext = async () => {
      const id = ids.split(" ").find((one) => one !== "" && isStale(one));
      if (id && document.visibilityState === "visible") {
        requestCount += 1;
        await queryClient.fetchQuery({ ...trendQuery(id, code), retry: false }).catch(() => undefined);
      }
      timer = setTimeout(() => void fetchNext(), requestCount < FAST_REQUESTS ? FAST_INTERVAL_MS : SLOW_INTERVAL_MS);
    };
    timer = setTimeout(() => void fetchNext(), FAST_INTERVAL_MS);
    return () => clearTimeout(timer);
  }, [ids, code]);
}

/** Reads the cached points; sends no request. */
export const useTrendHistory = (patientId: string, code: string): TrendHistory | undefined =>
  useQuery({ ...trendQuery(patientId, code), enabled: false }).data;
