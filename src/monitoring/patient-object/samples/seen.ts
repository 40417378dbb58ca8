// Which of a device's sequence numbers have arrived, as intervals: a device that sends in order needs one.

/** Both ends belong; in ascending order, with at least one number between neighbours. Plain JSON. */
export type Seen = readonly (readonly [first: number, last: number])[];

/** With more gaps than this the lowest interval is forgotten: its numbers are new again, and no number ever counts as seen that was not. */
export const MOST_INTERVALS = 64;

export const NOTHING_SEEN: Seen = [];

export function has(seen: Seen, seq: number): boolean {
  const interval = seen[placeOf(seen, seq)];
  return interval !== undefined && interval[0] <= seq;
}

/** With the number (an integer from 0 to 2^53-1) in it; what was given does not change. */
export function add(seen: Seen, seq: number): Seen {
  const place = placeOf(seen, seq);
  const above = seen[place];
  if (above && above[0] <= seq) return seen;
  const below = seen[place - 1];
  const joinsBelow = below?.[1] === seq - 1;
  const joinsAbove = above?.[0] === seq + 1;
  const joined = [joinsBelow ? below[0] : seq, joinsAbove ? above[1] : seq] as const;
  const grown = [...seen.slice(0, joinsBelow ? place - 1 : place), joined, ...seen.slice(joinsAbove ? place + 1 : place)];
  return grown.slice(-MOST_INTERVALS);
}

/** Of the first interval that ends at the number or after it. Looks from the end, where numbers in order arrive. */
function placeOf(seen: Seen, seq: number): number {
  return seen.findLastIndex(([, last]) => last < seq) + 1;
}
