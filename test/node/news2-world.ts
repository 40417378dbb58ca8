// A patient who is well, changed and scored, and randomness that can be repeated.
import { type News2Values, news2, type Parameter } from "../../src/monitoring/vitals/news2.ts";

export const WELL: News2Values = {
  respiratory_rate: 16,
  spo2: 98,
  oxygen: false,
  systolic: 120,
  pulse: 70,
  consciousness: "A",
  temperature: 36.8,
};

export function scored(changed: Partial<News2Values>, scale: 1 | 2 = 1) {
  const result = news2({ ...WELL, ...changed }, scale);
  if ("missing" in result) throw new Error(`Missing: ${result.missing.join()}`);
  return result;
}

export const part = (name: Parameter, changed: Partial<News2Values>, scale: 1 | 2 = 1) => scored(changed, scale).parts[name];

/** A generator that anybody can repeat (mulberry32). */
export function randomFrom(seed: number) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
