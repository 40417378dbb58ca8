// In which order patients stand on the board: who needs somebody first, and not knowing before being well. Nothing here needs a browser.
import { shownAs } from "../design/shown-as.ts";
import type { Known, ShownScore } from "./row-view.ts";

const RANKS = ["new_high", "new_medium", "seen", "score_7", "score_5", "unknown", "new_other", "rest"] as const;
export type Rank = (typeof RANKS)[number];

/** A sensor's alarm says that the patient is not known, not that the patient is unwell. */
export function rankOf(known: Known | undefined, score: ShownScore): Rank {
  const alerts = [...(known?.alerts.values() ?? [])].map((alert) => ({ shown: shownAs(alert), state: alert.state }));
  const isNew = (shown: string) => alerts.some((alert) => alert.state === "active" && alert.shown === shown);
  if (isNew("high")) return "new_high";
  if (isNew("medium")) return "new_medium";
  if (alerts.some(({ state, shown }) => state === "recovered" || (state === "acknowledged" && shown !== "technical")))
    return "seen";
  if (score.kind === "score" && score.band === 3) return "score_7";
  if (score.kind === "score" && score.band === 2) return "score_5";
  if (score.kind !== "score" || alerts.some(({ shown }) => shown === "technical")) return "unknown";
  return alerts.length > 0 ? "new_other" : "rest";
}

export type Placed = { id: string; number: number; rank: Rank; score: number | null };

/** Ids in the order of the board; of equals the higher score first, then the patient's number. */
export function ordered(placed: readonly Placed[]): string[] {
  return [...placed]
    .sort((a, b) => RANKS.indexOf(a.rank) - RANKS.indexOf(b.rank) || (b.score ?? -1) - (a.score ?? -1) || a.number - b.number)
    .map(({ id }) => id);
}

/** While somebody points at a row nobody moves and nobody goes: who is new stands at the end. */
export function held(kept: readonly string[], wanted: readonly string[]): string[] {
  const known = new Set(kept);
  return [...kept, ...wanted.filter((id) => !known.has(id))];
}

/** How many would have to move: all but the longest run that stands in the wanted order already. */
export function movedCount(shown: readonly string[], wanted: readonly string[]): number {
  const place = new Map(wanted.map((id, index) => [id, index]));
  const places = shown.flatMap((id) => place.get(id) ?? []);
  const runs: number[] = [];
  for (const [index, end] of places.entries()) {
    const before = runs.filter((_, earlier) => (places[earlier] ?? 0) < end);
    runs[index] = 1 + Math.max(0, ...before);
  }
  return shown.length - Math.max(0, ...runs);
}

export const sameOrder = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((id, index) => id === b[index]);
