// In which order patients stand on the board, and that nobody moves under the pointer. Nothing here needs a browser.
import { type RiskRank, riskRankIndex } from "../live/patient-state.ts";

export type RankedPatient = { id: string; number: number; rank: RiskRank; score: number | null };

/** Ids in the order of the board; of equals the higher score first, then the patient's number. */
export function sortByRisk(patients: readonly RankedPatient[]): string[] {
  return [...patients]
    .sort((a, b) => riskRankIndex(a.rank) - riskRankIndex(b.rank) || (b.score ?? -1) - (a.score ?? -1) || a.number - b.number)
    .map(({ id }) => id);
}

/** While somebody points at a row nobody moves and nobody goes: who is new stands at the end. */
export function keepOrder(heldOrder: readonly string[], wanted: readonly string[]): string[] {
  const known = new Set(heldOrder);
  return [...heldOrder, ...wanted.filter((id) => !known.has(id))];
}

/** How many would have to move: all but the longest run that stands in the wanted order already. */
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
