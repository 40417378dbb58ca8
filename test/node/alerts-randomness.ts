// Repeatable randomness for tests: the same seed gives the same numbers on every machine.

/** mulberry32, of Tommy Ettinger; uniform in [0, 1). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function createRandom(seed: number) {
  const next = uniform(seed);
  const integer = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    /** Both bounds are included. */
    integer,
    between: (from: number, to: number) => from + next() * (to - from),
    chance: (probability: number) => next() < probability,
    /** Mean 0, standard deviation 1 (Box and Muller). */
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    pick: <T>(from: readonly T[]): T => {
      const picked = from[integer(0, from.length - 1)];
      if (picked === undefined && !from.includes(picked as T)) throw new RangeError("There is nothing to pick from");
      return picked as T;
    },
  };
}
