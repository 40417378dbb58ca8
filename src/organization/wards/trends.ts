// Six hours of one vital sign of each patient on a ward's board, in one answer.
import type { Call } from "../../access/actor.ts";
import { afterAudit } from "../../access/audit.ts";
import { parseCodes } from "../../monitoring/history/query.ts";
import { HOUR_MS, toIso } from "../../platform/time.ts";
import { askMonitors, selectWatched } from "./board.ts";

const RANGE_MS = 6 * HOUR_MS;
const POINT_MS = 5 * 60_000;
export const TREND_POINTS = RANGE_MS / POINT_MS;

/** `means` is null for a patient whose object does not respond. @param vital a code or its short name @throws ApiError not_found */
export async function getWardTrends(env: Env, anyCall: Call, wardId: string, vital: string) {
  const [code = vital] = parseCodes(vital) ?? [];
  const { call, ward, rows, stored } = await selectWatched(anyCall, wardId, "ward.trends");
  const from = call.now - RANGE_MS;
  const query = { codes: [code], from, to: call.now, buckets: TREND_POINTS };
  const answers = await afterAudit(
    stored,
    askMonitors(env, call, rows, async (monitor) => (await monitor.buckets(query)).buckets),
  );
  return {
    ward_id: ward.id,
    code,
    from: toIso(from),
    to: toIso(call.now),
    patients: answers.map(({ row, answer }) => ({
      patient_id: row.id,
      means:
        answer &&
        toPoints(
          answer.map((bucket) => ({ at: bucket.from, mean: bucket.mean })),
          from,
        ),
    })),
  };
}

/** One mean per five minutes, oldest first; null when nothing was measured. */
function toPoints(buckets: readonly { at: number; mean: number }[], from: number): (number | null)[] {
  const points = new Array<number | null>(TREND_POINTS).fill(null);
  for (const { at, mean } of buckets) points[Math.floor((at - from) / POINT_MS + 0.01)] = mean;
  return points.slice(0, TREND_POINTS);
}
