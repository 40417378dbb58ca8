// API calls for the ward board: patients, and six hours of one vital sign of all of them.
import { hc } from "hono/client";
import type { boardRoutes } from "../../../../src/organization/wards/board-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData } from "../../platform/api/client.ts";
import type { TrendHistory } from "./trend-history.ts";

const boardClient = hc<typeof boardRoutes>(API_BASE, CLIENT_OPTIONS);

export const readBoard = (ward_id: string) => readData(boardClient.wards[":ward_id"].board.$get({ param: { ward_id } }));
export type Board = Awaited<ReturnType<typeof readBoard>>;
export type BoardEntry = Board["patients"][number];

/** By patient; without those whose history is not known now. */
export async function readTrends(ward_id: string, code: string): Promise<ReadonlyMap<string, TrendHistory>> {
  const { patients } = await readData(boardClient.wards[":ward_id"].trends.$get({ param: { ward_id }, query: { code } }));
  return new Map(patients.flatMap(({ patient_id, means }) => (means ? [[patient_id, means] as const] : [])));
}
