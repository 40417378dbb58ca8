// The memory of a patient's object between two batches, stored in the same row as the open block.

import { DAY_MS, HOUR_MS } from "../../../platform/time.ts";
import { type AlarmMemory, emptyAlarmMemory } from "../../alarm-rules/alarm-memory.ts";
import type { Facts } from "../context/facts.ts";
import type { HourCounts } from "../samples/hour-counts.ts";
import type { Rollup } from "../samples/rollup.ts";
import type { SeenSequence } from "../samples/seen-sequence.ts";

/** The position of a sample: block (epoch milliseconds of its opening) and index in it. */
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
  /** When the device last sent anything, by the server's clock. */
  received: number;
  /** Its clock minus the server's, in milliseconds, when it last sent `sent_at` that agreed; null until then. */
  skew: number | null;
  /** Milliseconds subtracted from its times (recording/device-clock.ts). Stable for small drifts. */
  corrected: number;
  /** Those subtracted from the times of its stored samples, newest first, at most eight; absent before the first. */
  corrections?: number[] | undefined;
  /** The last request whose clock error differs from the known one, by the clocks of the device and of the server. */
  unconfirmed?: { sentAt: number; received: number } | undefined;
  /** The newest `sent_at` of a request whose conditions were applied. */
  conditionsAt?: number | undefined;
  /** When it last used a sequence number a second time, by the server's clock. */
  seqRestartedAt?: number | undefined;
  conditions: string[];
};

/** `hours`: samples by UTC hour of receipt (0 to 23); fewer than `count` in sum if the day began before they were counted. */
export type DayCounts = { day: number; count: number; hours: number[]; firstSeq: number | null; lastSeq: number | null };

/** Keys of its maps are one id, code or number each: parts of two inputs in one key could collide. */
export type MonitorMemory = {
  /** Increases with every row for D1, which ignores older versions. */
  version: number;
  alarm: AlarmMemory;
  /** The latest valid sample by code. */
  latest: Record<string, LatestEntry>;
  /** The latest invalid sample by code. */
  latestInvalid: Record<string, LatestEntry>;
  /** By device; people and apps have one while they send `sent_at`. */
  deviceStatuses: Record<string, DeviceStatus>;
  /** Sequence numbers received, by device. */
  seenSequences: Record<string, SeenSequence>;
  /** Newest measurement time by sender and code, by the sender's own clock: a newer sample cannot be a duplicate. */
  newestSampleAt: Record<string, Record<string, number>>;
  /** Rollups of open hours, which D1 does not have yet, by hour and code. */
  hours: Record<string, Record<string, Rollup>>;
  /** The newest closed hour: a sample for it or an earlier one causes a recount. */
  lastClosedHour: number;
  /** Closed hours that wait for a recount. */
  hoursToRecount: number[];
  /** Count of quarantined items of the day, by device. */
  quarantinedCounts: Record<string, { day: number; count: number }>;
  /** Counts for the audit log by device and UTC day: samples and the range of sequence numbers. */
  receivedCounts: Record<string, Record<string, DayCounts>>;
  /** Samples stored on the day, by sender, for its limit. Kept when a device is unbound. */
  storedCounts: Record<string, { day: number; count: number }>;
  /** Samples stored per measured hour of the last 30 days, for its limit. */
  hourCounts: HourCounts;
  /** The open block of late samples (id of its row) by the UTC day in which they were measured. */
  lateBlocks: Record<string, number>;
};

export function newMonitorMemory(now: number): MonitorMemory {
  return {
    version: 0,
    alarm: emptyAlarmMemory(),
    latest: {},
    latestInvalid: {},
    deviceStatuses: {},
    seenSequences: {},
    newestSampleAt: {},
    hours: {},
    lastClosedHour: Math.floor(now / HOUR_MS) - 1,
    hoursToRecount: [],
    quarantinedCounts: {},
    receivedCounts: {},
    storedCounts: {},
    hourCounts: { from: 0, counts: [] },
    lateBlocks: {},
  };
}

/** Removes unbound devices and people who sent nothing for a day, since their samples are not sent again. */
export function pruneUnbound(memory: MonitorMemory, { bindings, as_of }: Pick<Facts, "bindings" | "as_of">): void {
  const bound = new Set(bindings.map(({ device }) => device));
  for (const [by, { received }] of Object.entries(memory.deviceStatuses))
    if (!bound.has(by) && received < as_of - DAY_MS) delete memory.deviceStatuses[by];
  for (const by of Object.keys(memory.seenSequences)) if (!bound.has(by)) delete memory.seenSequences[by];
  for (const [by, newest] of Object.entries(memory.newestSampleAt)) {
    if (bound.has(by)) continue;
    for (const [code, at] of Object.entries(newest)) if (at < as_of - DAY_MS) delete newest[code];
    if (Object.keys(newest).length === 0) delete memory.newestSampleAt[by];
  }
}
