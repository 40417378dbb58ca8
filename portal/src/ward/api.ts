// What the board asks of the API: wards, who lies there, when a vital is silent, six hours of one vital.
import { hc } from "hono/client";
import type { ruleRoutes } from "../../../src/alerts/rules-routes.ts";
import type { historyRoutes } from "../../../src/vitals/history-routes.ts";
import type { boardRoutes } from "../../../src/wards/board-routes.ts";
import type { wardRoutes } from "../../../src/wards/routes.ts";
import { API, bodyOf, dataOf, OPTIONS, pageOf } from "../api/client.ts";
import type { Silences } from "../live/freshness.ts";
import { type History, historyOf, POINTS, SPAN_MS } from "./history.ts";

const wards = hc<typeof wardRoutes>(API, OPTIONS);
const boards = hc<typeof boardRoutes>(API, OPTIONS);
const rules = hc<typeof ruleRoutes>(API, OPTIONS);
const histories = hc<typeof historyRoutes>(API, OPTIONS);

export const listWards = async () => (await pageOf(wards.wards.$get({ query: { active: "true", limit: "100" } }))).items;
export type Ward = Awaited<ReturnType<typeof listWards>>[number];

export const readBoard = (ward_id: string) => dataOf(boards.wards[":ward_id"].board.$get({ param: { ward_id } }));
export type Board = Awaited<ReturnType<typeof readBoard>>;
export type Entry = Board["patients"][number];

/** The ward's limits go before the defaults. A patient's own are not known here. */
export async function readSilences(ward_id: string): Promise<Silences> {
  const [defaults, ofWard] = await Promise.all([
    dataOf(rules["alert-rules"].defaults.$get({ query: {} })),
    dataOf(rules["alert-rules"].$get({ query: { ward_id } })),
  ]);
  const changed = ofWard.flatMap(({ code, limits }) =>
    limits.silence_s === undefined ? [] : [[code, limits.silence_s] as const],
  );
  return new Map([...defaults.map(({ code, limits }) => [code, limits.silence_s] as const), ...changed]);
}

/** @param until the server's time, epoch milliseconds */
export async function readHistory(patient_id: string, code: string, until: number): Promise<History> {
  const from = until - SPAN_MS;
  const query = { code, from: new Date(from).toISOString(), to: new Date(until).toISOString(), buckets: String(POINTS) };
  const { data } = await bodyOf(histories.patients[":patient_id"].observations.$get({ param: { patient_id }, query }));
  return historyOf(
    data.flatMap((bucket) => ("mean" in bucket ? [bucket] : [])),
    from,
  );
}
