// Repeatable randomness for tests: the same seed gives the same numbers on every machine.
import { mulberry32, standardNormal, uniformBetween, uniformIntegerBetween } from "../../cli/random.ts";

export function createRandom(seed: number) {
  const next = mulberry32(seed);
  const integer = (from: number, to: number) => uniformIntegerBetween(next, from, to);
  return {
    next,
    /** Both bounds are included. */
    integer,
    between: (from: number, to: number) => uniformBetween(next, from, to),
    chance: (probability: number) => next() < probability,
    /** Mean 0, standard deviation 1. */
    normal: () => standardNormal(next),
    pick: <T>(from: readonly T[]): T => {
      const picked = from[integer(0, from.length - 1)];
      if (picked === undefined && !from.includes(picked as T)) throw new RangeError("There is nothing to pick from");
      return picked as T;
    },
  };
}
