// The trend mark of a patient as responses and frames show it, from the facts and the memory of the rules.
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import type { AlarmMemory } from "../alarm-rules/alarm-memory.ts";
import { summarizeTrend, TREND_LABEL, TREND_MIN_SPAN_MS } from "../alarm-rules/trend-mark.ts";
import { resolveWatch } from "../alarm-rules/watch.ts";
import { judgeScore } from "../vitals/freshness.ts";
import { buildAlarmConfig } from "./context/alarm-config.ts";
import type { Facts } from "./context/facts.ts";
import type { TrendMarkView } from "./contract.ts";

const NOTHING_KNOWN: TrendMarkView = {
  label: TREND_LABEL,
  status: "unknown",
  smoothed_score: null,
  readings_since: null,
  marked_since: null,
  fever_at: null,
  as_of: null,
  overdue_at: null,
};

/** Null where the ward does not use the mark, NEWS2 does not apply or monitoring is off. */
export function viewTrendMark(facts: Facts, alarm: AlarmMemory, now: number): TrendMarkView | null {
  if (!facts.trendMark) return null;
  const config = buildAlarmConfig(facts, now);
  if (config.monitoring === "off" || config.news2 === null) return null;
  const summary = alarm.news2.trend ? summarizeTrend(alarm.news2.trend) : null;
  if (!summary) return NOTHING_KNOWN;
  const { state, last } = summary;
  const { freshUntil, overdueSince } = judgeScore(resolveWatch(alarm, config, now), last, now);
  const judged = state.markedSince === null ? "none" : "up";
  return {
    label: TREND_LABEL,
    status: overdueSince !== null ? "overdue" : state.at - state.since < TREND_MIN_SPAN_MS ? "unknown" : judged,
    // Rounded down, so that no number stands at a threshold that it has not reached.
    smoothed_score: Math.floor(state.smoothed * 10) / 10,
    readings_since: toIso(state.since),
    marked_since: toIsoOrNull(state.markedSince),
    fever_at: toIsoOrNull(state.feverAt),
    as_of: toIso(state.at),
    overdue_at: toIso(freshUntil),
  };
}
