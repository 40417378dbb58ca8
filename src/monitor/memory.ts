// What a patient's object remembers between two batches: stored with the open block, in the same row.
import { type AlarmMemory, emptyMemory } from "../alerts/memory.ts";
import { DAY_MS } from "../counters.ts";
import type { Facts } from "./facts.ts";
import type { Rollup } from "./rollup.ts";
import type { Seen } from "./seen.ts";

export const HOUR_MS = 3_600_000;

/** Where a sample lies: block (epoch milliseconds of its opening) and place in it. */
export type Place = { block: number; index: number };
export type Latest = {
  value: number;
  unit: string;
  at: number;
  received: number;
  by: string;
  status: "final" | "invalid";
  amended?: boolean;
} & Place;

export type Heard = {
  /** When anything came from it last, by our clock. */
  received: number;
  /** Its clock minus ours when it last told; null while it never did. */
  skew: number | null;
  /** What its times are corrected by now; changes only when the skew does, so that a batch sent again meets itself. */
  corrected: number;
  conditions: string[];
};

export type Memory = {
  /** Counts up with everything that D1 is told. */
  version: number;
  alarm: AlarmMemory;
  latest: Record<string, Latest>;
  heard: Record<string, Heard>;
  /** Sequence numbers that a device has sent. */
  seen: Record<string, Seen>;
  /** Newest time by `<device> <code>`: what is newer cannot be there already. */
  newest: Record<string, number>;
  /** Rollups of hours that were not told yet: hour, code. */
  hours: Record<string, Record<string, Rollup>>;
  /** Hours before this one were told; what comes later for them corrects. */
  told: number;
  /** Told hours to be counted again. */
  again: number[];
  /** Items put aside for somebody to look at, by device and day. */
  held: Record<string, { day: number; count: number }>;
  /** What came from whom on a UTC day, by `<device> <day>`, for the trail: samples, and the range of sequence numbers. */
  came: Record<string, { day: number; count: number; firstSeq: number | null; lastSeq: number | null }>;
};

export function newMemory(now: number): Memory {
  return {
    version: 0,
    alarm: emptyMemory(),
    latest: {},
    heard: {},
    seen: {},
    newest: {},
    hours: {},
    told: Math.floor(now / HOUR_MS) - 1,
    again: [],
    held: {},
    came: {},
  };
}

/** Lets go of devices that are bound no more, and of what people wrote down a day ago: nobody sends it again. */
export function forgetUnbound(memory: Memory, { bindings, as_of }: Pick<Facts, "bindings" | "as_of">): void {
  const bound = new Set(bindings.map(({ device }) => device));
  for (const device of Object.keys(memory.heard)) if (!bound.has(device)) delete memory.heard[device];
  for (const by of Object.keys(memory.seen)) if (!bound.has(by)) delete memory.seen[by];
  for (const [key, at] of Object.entries(memory.newest)) {
    if (!bound.has(key.split(" ")[0] ?? "") && at < as_of - DAY_MS) delete memory.newest[key];
  }
}
