// What a patient's object remembers between two batches: stored with the open block, in the same row.

import { DAY_MS, HOUR_MS } from "../../platform/time.ts";
import { type AlarmMemory, emptyAlarmMemory } from "../alarm-rules/alarm-memory.ts";
import type { Facts } from "./context/facts.ts";
import type { Rollup } from "./samples/rollup.ts";
import type { SeenSequence } from "./samples/seen-sequence.ts";

/** Where a sample lies: block (epoch milliseconds of its opening) and place in it. */
export type BlockPosition = { block: number; index: number };
export type LatestEntry = {
  value: number;
  unit: string;
  at: number;
  received: number;
  by: string;
  status: "final" | "invalid";
  amended?: boolean;
} & BlockPosition;

export type DeviceStatus = {
  /** When anything came from it last, by our clock. */
  received: number;
  /** Its clock minus ours when it last told; null while it never did. */
  skew: number | null;
  /** What its times are corrected by now; changes only when the skew does, so that a batch sent again meets itself. */
  corrected: number;
  conditions: string[];
};

export type MonitorMemory = {
  /** Counts up with everything that D1 is told. */
  version: number;
  alarm: AlarmMemory;
  latest: Record<string, LatestEntry>;
  heard: Record<string, DeviceStatus>;
  /** Sequence numbers that a device has sent. */
  seen: Record<string, SeenSequence>;
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

export function newMonitorMemory(now: number): MonitorMemory {
  return {
    version: 0,
    alarm: emptyAlarmMemory(),
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
export function pruneUnbound(memory: MonitorMemory, { bindings, as_of }: Pick<Facts, "bindings" | "as_of">): void {
  const bound = new Set(bindings.map(({ device }) => device));
  for (const device of Object.keys(memory.heard)) if (!bound.has(device)) delete memory.heard[device];
  for (const by of Object.keys(memory.seen)) if (!bound.has(by)) delete memory.seen[by];
  for (const [key, at] of Object.entries(memory.newest)) {
    if (!bound.has(key.split(" ")[0] ?? "") && at < as_of - DAY_MS) delete memory.newest[key];
  }
}
