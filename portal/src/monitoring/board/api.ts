// API calls for the ward board: wards, patients and six hours of one vital sign.
import { hc } from "hono/client";
import type { historyRoutes } from "../../../../src/monitoring/history/history-routes.ts";
import type { boardRoutes } from "../../../../src/organization/wards/board-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readBody, readData } from "../../platform/api/client.ts";
import { bucketsOf } from "../vitals/columns.ts";
import { HISTORY_MS, POINT_COUNT, type TrendHistory, toTrendHistory } from "./trend-history.ts";

const boardClient = hc<typeof boardRoutes>(API_BASE, CLIENT_OPTIONS);
const historyClient = hc<typeof historyRoutes>(API_BASE, CLIENT_OPTIONS);

export const readBoard = (ward_id: string) => readData(boardClient.wards[":ward_id"].board.$get({ param: { ward_id } }));
export type Board = Awaited<ReturnType<typeof readBoard>>;
export type BoardEntry = Board["patients"][number];

/** @param until the server's time, epoch milliseconds */
export async function readTrendHistory(patient_id: string, code: string, until: number): Promise<TrendHistory> {
  const from = until - HISTORY_MS;
  const query = { code, from: new Date(from).toISOString(), to: new Date(until).toISOString(), buckets: String(POINT_COUNT) };
  const columns = { ...query, format: "columns" as const };
  const { data } = await readBody(
    historyClient.patients[":patient_id"].observations.$get({ param: { patient_id }, query: columns }),
  );
  return toTrendHistory("from" in data ? bucketsOf(data) : [], from);
}
