// When the next set of observations is due: by the RCP's intervals, after an attempt, and after a pause.
import { describe, expect, it } from "vitest";
import type { TakenScore, Watch } from "../../src/monitoring/vitals/freshness.ts";
import {
  applyRoundEvent,
  type DueStatus,
  judgeRounds,
  NO_ROUNDS,
  type RoundEvent,
  type Rounds,
} from "../../src/monitoring/vitals/rounds.ts";
import { HOUR, MINUTE, SECOND, START } from "./alerts-world.ts";

const SPOT: Watch = { mode: "spot", grace_ms: 15 * MINUTE };
const scored = (score: number, single3 = false, at = START): TakenScore => ({ score, single3, from: at, at });
const judge = (rounds: Rounds, taken: TakenScore | null, now: number, watch = SPOT, isApplicable = true) =>
  judgeRounds(rounds, { watch, silentFrom: null, isApplicable, taken, repeatDueAt: null, since: START, now });
const apply = (rounds: Rounds, event: RoundEvent, now: number) => applyRoundEvent(rounds, event, now);
const refusal = (at: number) => ({ type: "attempt", at, reason: "refused", by: "nurse" }) as const;
const pause = (until: number) => ({ type: "pause", until, reason: "procedure", by: "nurse" }) as const;

/** RCP 2017, NEWS2 chart 4. */
const INTERVALS: readonly [score: number, single3: boolean, interval: number][] = [
  [0, false, 12 * HOUR],
  [1, false, 6 * HOUR],
  [4, false, 6 * HOUR],
  [3, true, HOUR],
  [5, false, HOUR],
  [6, false, HOUR],
  [7, true, 30 * MINUTE],
  [20, true, 30 * MINUTE],
];

describe("the next set of a spot patient", () => {
  it.each(INTERVALS)(
    "after a score of %i (a single 3: %s) is due after the RCP's interval and overdue after the grace",
    (score, single3, interval) => {
      const dueAt = START + interval;
      const overdueAt = dueAt + 15 * MINUTE;
      const statusAt = (now: number) => judge(NO_ROUNDS, scored(score, single3), now);
      expect(statusAt(dueAt - 1)).toMatchObject({ status: "not_due", dueAt, overdueAt, attempt: null, pause: null });
      expect(statusAt(dueAt)).toMatchObject({ status: "due", dueAt });
      expect(statusAt(overdueAt)).toMatchObject({ status: "due" });
      expect(statusAt(overdueAt + 1)).toMatchObject({ status: "overdue", dueAt, overdueAt });
    },
  );

  it.each(INTERVALS)(
    "after a refusal is due from the refusal, by the last score of %i (a single 3: %s)",
    (score, single3, interval) => {
      const refusedAt = START + interval + 5 * MINUTE;
      const rounds = apply(NO_ROUNDS, refusal(refusedAt), refusedAt);
      const judged = judge(rounds, scored(score, single3), refusedAt + SECOND);
      expect(judged).toMatchObject({
        status: "not_due",
        dueAt: refusedAt + interval,
        attempt: { reason: "refused", at: refusedAt },
      });
      expect((judged.dueAt ?? 0) - refusedAt).toBeLessThanOrEqual(24 * HOUR);
    },
  );

  it("after a refusal before its time is due from the refusal too, never later than a repeat set of the ward's profile", () => {
    const refusedAt = START + 10 * MINUTE;
    const rounds = apply(NO_ROUNDS, refusal(refusedAt), refusedAt);
    expect(judge(rounds, scored(5), refusedAt)).toMatchObject({ status: "not_due", dueAt: refusedAt + HOUR });
    const repeatDueAt = START + 30 * MINUTE;
    const withRepeat = { watch: SPOT, silentFrom: null, isApplicable: true, taken: scored(5), repeatDueAt, since: START };
    expect(judgeRounds(rounds, { ...withRepeat, now: refusedAt })).toMatchObject({ status: "not_due", dueAt: repeatDueAt });
    expect(judgeRounds(rounds, { ...withRepeat, now: repeatDueAt + 16 * MINUTE })).toMatchObject({ status: "overdue" });
  });

  it("without any set is due since monitoring began, and an hour after an attempt", () => {
    expect(judge(NO_ROUNDS, null, START + HOUR)).toMatchObject({ status: "never", dueAt: START, overdueAt: START + 15 * MINUTE });
    const rounds = apply(NO_ROUNDS, refusal(START + HOUR), START + HOUR);
    expect(judge(rounds, null, START + 2 * HOUR - 1)).toMatchObject({ status: "not_due", dueAt: START + 2 * HOUR });
    expect(judge(rounds, null, START + 2 * HOUR)).toMatchObject({ status: "due" });
  });

  it("counts from a complete set that is later than the refusal, whatever arrives first", () => {
    const late = apply(NO_ROUNDS, refusal(START - HOUR), START);
    expect(judge(late, scored(2), START)).toMatchObject({ dueAt: START + 6 * HOUR, attempt: null });
    const done = apply(late, { type: "set", at: START, codes: [] }, START);
    expect(done.attempt).toBeNull();
    const refused = apply(NO_ROUNDS, refusal(START), START);
    expect(apply(refused, refusal(START - HOUR), START)).toEqual(refused);
    expect(apply(refused, { type: "set", at: START - HOUR, codes: [] }, START)).toEqual(refused);
  });
});

describe("a pause", () => {
  const paused = apply(NO_ROUNDS, pause(START + 2 * HOUR), START + HOUR);

  it("has nothing due until the expected return, at which a set is due at once", () => {
    expect(judge(paused, scored(7), START + 2 * HOUR - 1)).toMatchObject({ status: "paused", dueAt: null, overdueAt: null });
    expect(judge(paused, scored(7), START + 2 * HOUR)).toMatchObject({ status: "due", dueAt: START + 2 * HOUR, pause: null });
    expect(judge(paused, scored(0), START + 2 * HOUR)).toMatchObject({ status: "due", dueAt: START + 2 * HOUR });
    expect(judge(paused, scored(0), START + 3 * HOUR)).toMatchObject({ status: "overdue" });
  });

  it("that is ended has a set due at once, until the next set or attempt", () => {
    const back = START + 90 * MINUTE + 20 * SECOND;
    const ended = apply(paused, { type: "end_pause" }, back);
    expect(judge(ended, scored(0), back)).toMatchObject({ status: "due", dueAt: back });
    const set = scored(0, false, back + MINUTE);
    expect(judge(ended, set, back + MINUTE)).toMatchObject({ status: "not_due", dueAt: back + MINUTE + 12 * HOUR });
    const refused = apply(ended, refusal(back + MINUTE), back + MINUTE);
    expect(judge(refused, scored(0), back + MINUTE)).toMatchObject({ status: "not_due", dueAt: back + MINUTE + 12 * HOUR });
  });

  it("of the same request twice is one, and another replaces it", () => {
    expect(apply(paused, pause(START + 2 * HOUR), START + 70 * MINUTE)).toEqual(paused);
    const longer = apply(paused, pause(START + 5 * HOUR), START + 70 * MINUTE);
    expect(longer.pause).toMatchObject({ from: START + HOUR, until: START + 5 * HOUR });
    const second = apply(paused, pause(START + 9 * HOUR), START + 3 * HOUR);
    expect(second).toMatchObject({ pause: { from: START + 3 * HOUR }, returnedAt: START + 2 * HOUR });
  });

  it("that has ended by itself is not ended again", () => {
    const later = apply(paused, { type: "end_pause" }, START + 4 * HOUR);
    expect(later).toMatchObject({ pause: null, returnedAt: START + 2 * HOUR });
  });
});

describe("what is never due", () => {
  const CASES: readonly [what: string, watch: Watch, isApplicable: boolean, status: DueStatus][] = [
    ["of a patient who is monitored continuously", { mode: "continuous", grace_ms: 0 }, true, "continuous"],
    ["of a patient NEWS2 does not apply to", SPOT, false, "not_applicable"],
  ];
  it.each(CASES)("is the set %s", (_, watch, isApplicable, status) => {
    for (const taken of [null, scored(7)])
      expect(judge(NO_ROUNDS, taken, START + 24 * HOUR, watch, isApplicable)).toMatchObject({
        status,
        dueAt: null,
        overdueAt: null,
      });
  });
});

it("a patient whose monitor has fallen silent is measured like one without", () => {
  const silentFrom = START + 30 * MINUTE;
  const watch: Watch = { mode: "continuous", grace_ms: 0 };
  const input = { watch, silentFrom, isApplicable: true, taken: scored(5), repeatDueAt: null, since: START };
  expect(judgeRounds(NO_ROUNDS, { ...input, now: silentFrom })).toMatchObject({ status: "continuous", dueAt: null });
  expect(judgeRounds(NO_ROUNDS, { ...input, now: silentFrom + 1 })).toMatchObject({ status: "not_due", dueAt: START + HOUR });
  expect(judgeRounds(NO_ROUNDS, { ...input, now: START + HOUR + 1 })).toMatchObject({ status: "overdue" });
});

it("a repeat set that the ward's profile asks for is due before the RCP's interval", () => {
  const input = { watch: SPOT, silentFrom: null, isApplicable: true, taken: scored(5), since: START, now: START + 31 * MINUTE };
  expect(judgeRounds(NO_ROUNDS, { ...input, repeatDueAt: START + 30 * MINUTE })).toMatchObject({ status: "due" });
  expect(judgeRounds(NO_ROUNDS, { ...input, repeatDueAt: null })).toMatchObject({ status: "not_due" });
});
