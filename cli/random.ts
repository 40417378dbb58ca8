// Seeded random numbers: the same seed gives the same numbers on every machine.

/** Tommy Ettinger's mulberry32. @returns a function that yields uniform numbers in [0, 1) */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A uniform number in [low, high). */
export function uniformBetween(random: () => number, low: number, high: number): number {
  return low + (high - low) * random();
}

/** A uniform whole number from low to high, both included. */
export function uniformIntegerBetween(random: () => number, low: number, high: number): number {
  return Math.floor(uniformBetween(random, low, high + 1));
}

/** A standard normal number (Box and Muller 1958). */
export function standardNormal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
