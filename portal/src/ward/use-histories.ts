// Six hours of one vital for everybody on the board, read one after another: a person may ask the API a hundred times a minute.
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { queries } from "../api/queries.ts";
import { serverNow } from "../live/server-clock.ts";
import { readHistory } from "./api.ts";
import type { History } from "./history.ts";

/** As long as one point. */
const FRESH_MS = 300_000;
const FIRST_FEW = 12;
const SOON_MS = 150;
const PACE_MS = 1_500;

const question = (patientId: string, code: string) => ({
  queryKey: ["ward", "history", patientId, code],
  queryFn: () => readHistory(patientId, code, serverNow()),
});

/** @param ids as one text, so that a new order begins nothing anew */
export function useHistories(ids: string, code: string): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let asked = 0;
    const isOld = (id: string) => {
      const state = queries.getQueryState(question(id, code).queryKey);
      const last = Math.max(state?.dataUpdatedAt ?? 0, state?.errorUpdatedAt ?? 0);
      return Date.now() - last > FRESH_MS;
    };
    const next = async () => {
      const id = ids.split(" ").find((one) => one !== "" && isOld(one));
      if (id && document.visibilityState === "visible") {
        asked += 1;
        await queries.fetchQuery({ ...question(id, code), retry: false }).catch(() => undefined);
      }
      timer = setTimeout(() => void next(), asked < FIRST_FEW ? SOON_MS : PACE_MS);
    };
    timer = setTimeout(() => void next(), SOON_MS);
    return () => clearTimeout(timer);
  }, [ids, code]);
}

/** What is read of it so far; asks nothing itself. */
export const useHistory = (patientId: string, code: string): History | undefined =>
  useQuery({ ...question(patientId, code), enabled: false }).data;
