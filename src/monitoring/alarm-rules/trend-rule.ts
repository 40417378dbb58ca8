// The trend mark in the engine: which sets are readings. It raises no alert and changes no other rule.
import { CODES } from "../vitals/catalogue.ts";
import { judgeScore } from "../vitals/freshness.ts";
import { type ObservationSet, scoreSet } from "../vitals/news2.ts";
import type { News2Memory, RuleRun } from "./alarm-memory.ts";
import { addTrendReading, dropCorrected, NO_TREND } from "./trend-mark.ts";
import { resolveWatch } from "./watch.ts";

/** Takes a complete set as a reading, or as the correction of the last one, where the ward has chosen the mark. */
export function noteTrendReading({ memory, config, now }: RuleRun, set: ObservationSet | undefined): void {
  if (!config.trendMark || !config.news2) {
    delete memory.news2.trend;
    return;
  }
  const temperature = set?.[CODES.temperature]?.value;
  const taken = set && scoreSet(set, config.news2.scale);
  if (!taken || temperature === undefined) return;
  const { from, at, score, single3 } = taken;
  const isOverdue = judgeScore(resolveWatch(memory, config, now), taken, now).overdueSince !== null;
  memory.news2.trend = addTrendReading(memory.news2.trend ?? NO_TREND, { from, at, score, single3, temperature }, isOverdue);
}

/** A value of NEWS2 measured at `at`, epoch milliseconds, was corrected or entered in error. */
export function dropCorrectedReading(news2: News2Memory, at: number): void {
  if (news2.trend) news2.trend = dropCorrected(news2.trend, at);
}
