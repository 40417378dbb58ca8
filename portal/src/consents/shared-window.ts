// The period of charts of a shared record: within the dates that the person shares.

import { isRange, parseWindow, RANGES } from "../monitoring/vitals/time-window.ts";
import type { ChartSearch } from "../monitoring/vitals/use-window.ts";

/** Epoch milliseconds, both included. */
type Span = { from: number; until: number };

const toSearch = (from: number, to: number) => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });

/**
 * Parameters of the charts that lie within the shared dates. A period that follows the current time is fixed to the end of the shared
 * dates when they are over; one that lies elsewhere is moved to the nearest shared dates, with its length where they are long enough.
 */
export function keepWithin(search: ChartSearch, shared: Span, now: number): ChartSearch {
  const chosen = parseWindow(search);
  const end = Math.min(shared.until + 1, now);
  if (!chosen && shared.until >= now) return search;
  const length = chosen ? chosen.to - chosen.from : RANGES[isRange(search.range) ? search.range : "30d"];
  const to = Math.min(end, Math.max(chosen?.to ?? end, shared.from + length));
  const from = Math.max(shared.from, to - length);
  return from < to ? { ...search, ...toSearch(from, to) } : search;
}
