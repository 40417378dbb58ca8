// The period of charts of a shared record: within the dates that the person shares.

import { type ChartSearch, isRange, parseWindow, RANGES } from "../monitoring/vitals/time-window.ts";

/** Epoch milliseconds, both included. */
type Span = { from: number; until: number };

const toSearch = (from: number, to: number) => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });

const DEFAULT_RANGE = "30d";

/**
 * Parameters of the charts with a fixed period within the shared dates: another hospital's record has no live view. Without a chosen
 * period it ends now, or with the shared dates when they are over. A chosen one that lies elsewhere is moved to the nearest shared
 * dates, with its length where they are long enough.
 */
export function keepWithin(search: ChartSearch, shared: Span, now: number): ChartSearch {
  const chosen = parseWindow(search);
  const end = Math.min(shared.until + 1, now);
  const length = chosen ? chosen.to - chosen.from : RANGES[isRange(search.range) ? search.range : DEFAULT_RANGE];
  const to = Math.min(end, Math.max(chosen?.to ?? end, shared.from + length));
  const from = Math.max(shared.from, to - length);
  return from < to ? { ...search, ...toSearch(from, to) } : search;
}
