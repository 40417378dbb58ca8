// Judgement of a sender's clock by the times at which it says that it sent.
//
// A delay makes a clock look slow and never fast. A body that is sent again, or late, therefore looks like a clock that was set back;
// what tells them apart is the next body: of a clock, it is as far away as the time that has passed.
import { MAX_SAMPLE_AGE_MS } from "../../../platform/device-times.ts";
import type { BatchClockView } from "../contract.ts";
import type { DeviceStatus } from "../memory/monitor-memory.ts";

/** A clock error up to this is not corrected. */
const MAX_IGNORED_SKEW_MS = 120_000;
/** A correction stays until the skew has changed by this much. */
const MIN_SKEW_CHANGE_MS = 30_000;
/** Two requests agree on a clock that was set back only within this, or half of the time between them: a queue is sent faster. */
const MAX_JITTER_MS = 500;
/** What arrives later than this is not told from a clock that was set back, until a second request agrees. */
const MAX_PLAIN_DELAY_MS = 30 * 60_000;
/** Corrections under which samples that come again are looked for. */
const MAX_RECENT_CORRECTIONS = 8;

/** The clock as it applies to one batch, in milliseconds. `isConfirmed`: false when its samples are history, since their time is unclear. */
export type BatchJudgement = { skew: number | null; corrected: number; isConfirmed: boolean };

/** Milliseconds to subtract from a device's times. Stable for small drifts. */
export function computeClockCorrection(skew: number, before: number): number {
  if (Math.abs(skew - before) <= MIN_SKEW_CHANGE_MS) return before;
  return Math.abs(skew) <= MAX_IGNORED_SKEW_MS ? 0 : Math.round(skew / 1000) * 1000;
}

/** The corrections of the sender's stored samples, the current one first. */
export function recentCorrections({ corrected, corrections = [0] }: DeviceStatus): number[] {
  return [...new Set([corrected, ...corrections])];
}

function withCorrection(status: DeviceStatus, corrected: number): DeviceStatus {
  const known = recentCorrections(status);
  if (known.includes(corrected) && status.corrections) return status;
  return { ...status, corrections: [...new Set([corrected, ...known])].slice(0, MAX_RECENT_CORRECTIONS) };
}

/**
 * Judges a batch. A new correction is adopted when two requests in a row agree; until then a clock that is far off makes the samples
 * history. @param hasNews whether the batch has samples that are not stored yet: one that is sent again says nothing about the clock
 */
export function judgeClock(
  before: DeviceStatus,
  sentAt: number | null,
  hasNews: boolean,
  now: number,
): { status: DeviceStatus; clock: BatchJudgement } {
  const { corrected } = before;
  if (sentAt === null || !hasNews) return { status: before, clock: { skew: before.skew, corrected, isConfirmed: true } };
  const skew = sentAt - now;
  const target = computeClockCorrection(skew, corrected);
  if (target === corrected) {
    const { unconfirmed: _, ...status } = before;
    return { status: { ...status, skew }, clock: { skew, corrected, isConfirmed: true } };
  }
  const current = { sentAt, received: now };
  if (before.unconfirmed && agree(before.unconfirmed, current, corrected)) {
    // A delay only makes a clock look slow.
    return adoptClock(before, Math.max(skew, before.unconfirmed.sentAt - before.unconfirmed.received));
  }
  const status = { ...before, unconfirmed: current };
  const error = skew - corrected;
  const isPlain = error <= MAX_IGNORED_SKEW_MS && error >= -MAX_PLAIN_DELAY_MS;
  if (isPlain) return { status, clock: { skew, corrected, isConfirmed: true } };
  // No delay explains a clock that is ahead, or a month late.
  const applied = error > 0 || -error > MAX_SAMPLE_AGE_MS ? target : corrected;
  return { status: withCorrection(status, applied), clock: { skew, corrected: applied, isConfirmed: false } };
}

/** The status with this clock error as the sender's own. */
export function adoptClock(
  before: DeviceStatus,
  skew: number,
  corrected = computeClockCorrection(skew, before.corrected),
): { status: DeviceStatus; clock: BatchJudgement } {
  const { unconfirmed: _, ...rest } = before;
  return {
    status: { ...withCorrection(rest, corrected), skew, corrected },
    clock: { skew, corrected, isConfirmed: true },
  };
}

/** The clock as another object judged it, for samples of the time before. */
export function applyClock(
  before: DeviceStatus,
  { skew_ms: skew, corrected_ms: corrected, confirmed: isConfirmed }: BatchClockView,
): { status: DeviceStatus; clock: BatchJudgement } {
  return { status: withCorrection(before, corrected), clock: { skew, corrected, isConfirmed } };
}

type Sending = NonNullable<DeviceStatus["unconfirmed"]>;

/** Whether two requests show the same clock error, which differs from the known one. */
function agree(first: Sending, second: Sending, corrected: number): boolean {
  const [before, after] = [first.sentAt - first.received, second.sentAt - second.received];
  if (second.sentAt <= first.sentAt || before > corrected !== after > corrected) return false;
  const passed = second.received - first.received;
  const jitter = after > corrected ? MIN_SKEW_CHANGE_MS : Math.min(MIN_SKEW_CHANGE_MS, Math.max(MAX_JITTER_MS, passed / 2));
  return Math.abs(after - before) <= jitter;
}
