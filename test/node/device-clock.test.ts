// Judgement of a device's clock: delays look like a slow clock, and must not become one.
import { describe, expect, it } from "vitest";
import type { DeviceStatus } from "../../src/monitoring/patient-object/memory/monitor-memory.ts";
import { judgeClock } from "../../src/monitoring/patient-object/recording/device-clock.ts";

const NOW = 2_000_000_000_000;
const S = 1000;
const HOUR = 3600 * S;
const right: DeviceStatus = { received: NOW, skew: 0, corrected: 0, conditions: [] };
const ahead: DeviceStatus = { received: NOW, skew: 3 * HOUR, corrected: 3 * HOUR, conditions: [] };

type Request = [after: number, skew: number];
/** The corrections that apply to requests in turn; with `!` when the samples are history. */
function judge(status: DeviceStatus, requests: readonly Request[]): string[] {
  let [before, now] = [status, NOW];
  return requests.map(([after, skew]) => {
    now += after;
    const judged = judgeClock(before, now + skew, true, now);
    before = judged.status;
    return `${judged.clock.corrected / S}${judged.clock.isConfirmed ? "" : "!"}`;
  });
}

describe("the correction of a clock", () => {
  it.each<[string, DeviceStatus, Request[], string[]]>([
    [
      "small errors",
      right,
      [
        [S, 90 * S],
        [S, -100 * S],
      ],
      ["0", "0"],
    ],
    ["a drift", ahead, [[S, 3 * HOUR + 29 * S]], ["10800"]],
    [
      "a drift beyond half a minute",
      ahead,
      [
        [60 * S, 3 * HOUR + 31 * S],
        [60 * S, 3 * HOUR + 31 * S],
      ],
      ["10800", "10831"],
    ],
    [
      "a request that was 135 s under way",
      right,
      [
        [S, -135 * S],
        [S, 0],
      ],
      ["0", "0"],
    ],
    [
      "one that was three hours under way",
      right,
      [
        [S, -3 * HOUR],
        [S, 0],
      ],
      ["0!", "0"],
    ],
    [
      "a clock put ahead",
      right,
      [
        [S, HOUR],
        [S, HOUR + 5 * S],
      ],
      ["3600!", "3605"],
    ],
    [
      "a clock set back",
      ahead,
      [
        [S, 0],
        [S, 0],
      ],
      ["10800!", "0"],
    ],
    [
      "a clock that fell back to 1970",
      right,
      [
        [S, -NOW],
        [S, -NOW],
      ],
      [`${-NOW / S}!`, `${-NOW / S}`],
    ],
    [
      "requests in turn that disagree",
      right,
      [
        [S, HOUR],
        [S, 2 * HOUR],
        [S, HOUR],
      ],
      ["3600!", "7200!", "3600!"],
    ],
    [
      "a queue, twice as fast as its clock",
      right,
      [
        [S, -3 * HOUR],
        [5 * S, -3 * HOUR + 5 * S],
        [5 * S, -3 * HOUR + 10 * S],
      ],
      ["0!", "0!", "0!"],
    ],
    [
      "a delay after a delay",
      right,
      [
        [S, -300 * S],
        [S, -200 * S],
      ],
      ["0", "0"],
    ],
  ])("of %s", (_, status, requests, expected) => {
    expect(judge(status, requests)).toEqual(expected);
  });

  it("follows every single request in a rule without confirmation: a known-bad twin", () => {
    const naive = (skew: number) => (Math.abs(skew) <= 120 * S ? 0 : Math.round(skew / S) * S);
    expect(naive(-135 * S)).not.toBe(0);
  });

  it("does not change by a request without news, or the same request", () => {
    expect(judgeClock(right, NOW + HOUR, false, NOW)).toEqual({
      status: right,
      clock: { skew: 0, corrected: 0, isConfirmed: true },
    });
    const first = judgeClock(right, NOW + HOUR, true, NOW);
    expect(judgeClock(first.status, NOW + HOUR, true, NOW + 10 * S).clock.isConfirmed).toBe(false);
  });

  it("remembers a bounded number of corrections", () => {
    let status = right;
    for (let i = 1; i < 50; i++) status = judgeClock(status, NOW + i * HOUR, true, NOW).status;
    expect(status.corrections).toHaveLength(8);
  });
});
