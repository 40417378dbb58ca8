// Figures of a method over stays: on and raised at the window and by chance, rates, and their intervals by bootstrap.
import type { Alarm } from "./play.ts";
import { HOUR_MS, START, type Stay } from "./recordings.ts";

export function alarmsPerDay(stays: readonly Stay[], alarms: readonly (readonly Alarm[])[]): number {
  const hours = stays.reduce((sum, stay) => sum + stay.hours, 0);
  return alarms.reduce((sum, of) => sum + of.length, 0) / (hours / 24);
}

/** Between six hours before and nine hours after the start of the label. */
const WINDOW_HOURS = 15;
const HOURS_BEFORE_LABEL = 6;

/** Two ways to count a window: an alarm that is on in it, which may stand since long before, or one that was raised in it. */
const COUNTS = {
  on: (alarm: Alarm, from: number, to: number) => alarm.at <= to && alarm.until > from,
  raised: (alarm: Alarm, from: number, to: number) => alarm.at >= from && alarm.at <= to,
} as const;
type Count = keyof typeof COUNTS;

function isFlagged(alarms: readonly Alarm[], from: number, count: Count): boolean {
  return alarms.some((alarm) => COUNTS[count](alarm, from, from + WINDOW_HOURS * HOUR_MS));
}

/** What one stay adds to each figure. */
type Tally = {
  septic: boolean;
  flagged: Record<Count, boolean>;
  windows: number;
  byChance: Record<Count, number>;
  raised: number;
  hours: number;
  hoursOn: number;
};

export function tally(stay: Stay, alarms: readonly Alarm[]): Tally {
  const from = (stay.septic ?? 0) - HOURS_BEFORE_LABEL * HOUR_MS;
  const starts = Array.from({ length: Math.max(0, stay.hours - WINDOW_HOURS + 1) }, (_, hour) => START + hour * HOUR_MS);
  const chance = (count: Count) => starts.filter((start) => isFlagged(alarms, start, count)).length;
  return {
    septic: stay.septic !== null,
    flagged: { on: isFlagged(alarms, from, "on"), raised: isFlagged(alarms, from, "raised") },
    windows: starts.length,
    byChance: { on: chance("on"), raised: chance("raised") },
    raised: alarms.length,
    hours: stay.hours,
    hoursOn: hoursUnderAlarm(stay, alarms),
  };
}

/** Hours with at least one alarm on. */
function hoursUnderAlarm({ hours }: Stay, alarms: readonly Alarm[]): number {
  const end = START + hours * HOUR_MS;
  let covered = START;
  let total = 0;
  for (const { at, until } of alarms.toSorted((a, b) => a.at - b.at)) {
    const from = Math.max(at, covered);
    const to = Math.min(until, end);
    if (to > from) total += to - from;
    covered = Math.max(covered, to);
  }
  return total / HOUR_MS;
}

export type Figures = Record<"on" | "onByChance" | "raised" | "raisedByChance" | "perDay" | "share", number>;

export function summarize(tallies: readonly Tally[]): Figures {
  const septic = tallies.filter((one) => one.septic);
  const others = tallies.filter((one) => !one.septic);
  const sum = (of: readonly Tally[], value: (one: Tally) => number) => of.reduce((total, one) => total + value(one), 0);
  const windows = sum(others, (one) => one.windows);
  return {
    on: sum(septic, (one) => Number(one.flagged.on)) / septic.length,
    onByChance: sum(others, (one) => one.byChance.on) / windows,
    raised: sum(septic, (one) => Number(one.flagged.raised)) / septic.length,
    raisedByChance: sum(others, (one) => one.byChance.raised) / windows,
    perDay: sum(others, (one) => one.raised) / (sum(others, (one) => one.hours) / 24),
    share: sum(others, (one) => one.hoursOn) / sum(others, (one) => one.hours),
  };
}

const RESAMPLES = 1_000;
const SEED = 20_261_129;

/** Mulberry32: the same resamples in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** 95 % intervals by bootstrap over stays, septic and others apart (percentile method, Efron 1979). */
export function intervals(tallies: readonly Tally[]): Record<keyof Figures, [number, number]> {
  const random = createRandom(SEED);
  const groups = [true, false].map((septic) => tallies.filter((one) => one.septic === septic));
  const drawn = Array.from({ length: RESAMPLES }, () =>
    summarize(groups.flatMap((group) => group.flatMap(() => group[Math.floor(random() * group.length)] ?? []))),
  );
  const interval = (name: keyof Figures): [number, number] => {
    const sorted = drawn.map((one) => one[name]).sort((a, b) => a - b);
    return [sorted[Math.floor(RESAMPLES * 0.025)] ?? Number.NaN, sorted[Math.floor(RESAMPLES * 0.975)] ?? Number.NaN];
  };
  return {
    on: interval("on"),
    onByChance: interval("onByChance"),
    raised: interval("raised"),
    raisedByChance: interval("raisedByChance"),
    perDay: interval("perDay"),
    share: interval("share"),
  };
}
