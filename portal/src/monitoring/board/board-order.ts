// Pure rules of the board's order; rows stay in place while the user points at one.
import { type RiskRank, riskRankIndex } from "../live/patient-state.ts";

export type RankedPatient = { id: string; number: number; rank: RiskRank; score: number | null };

/** Ids in board order; ties by higher score, then by patient number. */
export function sortByRisk(patients: readonly RankedPatient[]): string[] {
  return [...patients]
    .sort((a, b) => riskRankIndex(a.rank) - riskRankIndex(b.rank) || (b.score ?? -1) - (a.score ?? -1) || a.number - b.number)
    .map(({ id }) => id);
}

/** While held, no row moves or disappears; new patients are appended. */
export function keepOrder(heldOrder: readonly string[], wanted: readonly string[]): string[] {
  const known = new Set(heldOrder);
  return [...heldOrder, ...wanted.filter((id) => !known.has(id))];
}

/** Number of rows out of order: all but the longest increasing run. */
export function countMoved(shown: readonly string[], wanted: readonly string[]): number {
  const place = new Map(wanted.map((id, index) => [id, index]));
  const places = shown.flatMap((id) => place.get(id) ?? []);
  const runs: number[] = [];
  for (const [index, end] of places.entries()) {
    const before = runs.filter((_, earlier) => (places[earlier] ?? 0) < end);
    runs[index] = 1 + Math.max(0, ...before);
  }
  return shown.length - Math.max(0, ...runs);
}

export const isSameOrder = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((id, index) => id === b[index]);
