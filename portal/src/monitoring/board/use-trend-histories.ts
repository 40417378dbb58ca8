// Six hours of one vital sign for all patients of a board, fetched together.
import { useQuery } from "@tanstack/react-query";
import { queryClient } from "../../platform/api/query-client.ts";
import { readTrends } from "./api.ts";
import type { TrendHistory } from "./trend-history.ts";

/** Refetch interval: the length of one point, ms. */
const HISTORY_STALE_MS = 300_000;

const trendKey = (patientId: string, code: string) => ["ward", "history", patientId, code];

/** @param ids of the board's patients, joined and sorted: a new order asks for nothing, a new patient does */
export function useTrends(wardId: string | undefined, ids: string, code: string): void {
  useQuery({
    queryKey: ["ward", "trends", wardId, code, ids],
    queryFn: async () => {
      const histories = await readTrends(wardId ?? "", code);
      for (const [id, history] of histories) queryClient.setQueryData(trendKey(id, code), history);
      return histories.size;
    },
    enabled: wardId !== undefined && ids !== "",
    staleTime: HISTORY_STALE_MS,
    refetchInterval: HISTORY_STALE_MS,
  });
}

/** Reads the cached points; sends no request. */
export const useTrendHistory = (patientId: string, code: string): TrendHistory | undefined =>
  useQuery<TrendHistory>({ queryKey: trendKey(patientId, code), enabled: false }).data;
