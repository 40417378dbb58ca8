// What the board asks of the API: wards, who lies there, six hours of one vital.
import { hc } from "hono/client";
import type { historyRoutes } from "../../../src/vitals/history-routes.ts";
import type { boardRoutes } from "../../../src/wards/board-routes.ts";
import type { wardRoutes } from "../../../src/wards/routes.ts";
import { API, bodyOf, dataOf, OPTIONS, pageOf } from "../api/client.ts";
import { bucketsOf } from "../vitals/columns.ts";
import { type History, historyOf, POINTS, SPAN_MS } from "./history.ts";

const wards = hc<typeof wardRoutes>(API, OPTIONS);
const boards = hc<typeof boardRoutes>(API, OPTIONS);
const histories = hc<typeof historyRoutes>(API, OPTIONS);

export const listWards = async () => (await pageOf(wards.wards.$get({ query: { active: "true", limit: "100" } }))).items;
export type Ward = Awaited<ReturnType<typeof listWards>>[number];

export const readBoard = (ward_id: string) => dataOf(boards.wards[":ward_id"].board.$get({ param: { ward_id } }));
export type Board = Awaited<ReturnType<typeof readBoard>>;
export type Entry = Board["patients"][number];

/** @param until the server's time, epoch milliseconds */
export async function readHistory(patient_id: string, code: string, until: number): Promise<History> {
  const from = until - SPAN_MS;
  const query = { code, from: new Date(from).toISOString(), to: new Date(until).toISOString(), buckets: String(POINTS) };
  const columns = { ...query, format: "columns" as const };
  const { data } = await bodyOf(histories.patients[":patient_id"].observations.$get({ param: { patient_id }, query: columns }));
  return historyOf("from" in data ? bucketsOf(data) : [], from);
}
