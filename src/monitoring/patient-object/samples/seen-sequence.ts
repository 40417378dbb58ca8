// Received sequence numbers of a device, as intervals: a device that sends in order needs one interval.

/** Inclusive intervals in ascending order, with at least one number between neighbours. Plain JSON. */
export type SeenSequence = readonly (readonly [first: number, last: number])[];

/** Beyond this the lowest interval is dropped: its numbers count as new again, and no unseen number ever counts as seen. */
export const MAX_INTERVALS = 64;

export const NOTHING_SEEN: SeenSequence = [];

export function hasSeen(seen: SeenSequence, seq: number): boolean {
  const interval = seen[findIntervalIndex(seen, seq)];
  return interval !== undefined && interval[0] <= seq;
}

/** Adds a number (integer from 0 to 2^53-1). @returns a new sequence */
export function addSeen(seen: SeenSequence, seq: number): SeenSequence {
  const place = findIntervalIndex(seen, seq);
  const above = seen[place];
  if (above && above[0] <= seq) return seen;
  const below = seen[place - 1];
  const joinsBelow = below?.[1] === seq - 1;
  const joinsAbove = above?.[0] === seq + 1;
  const joined = [joinsBelow ? below[0] : seq, joinsAbove ? above[1] : seq] as const;
  const grown = [...seen.slice(0, joinsBelow ? place - 1 : place), joined, ...seen.slice(joinsAbove ? place + 1 : place)];
  return grown.slice(-MAX_INTERVALS);
}

/** Of the first interval that ends at the number or after it. Looks from the end, where numbers in order arrive. */
function findIntervalIndex(seen: SeenSequence, seq: number): number {
  return seen.findLastIndex(([, last]) => last < seq) + 1;
}
