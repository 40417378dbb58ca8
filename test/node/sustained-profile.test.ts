// EdgeCare's sustained profile of NEWS2, as a table of readings.
import { expect, it } from "vitest";
import { NOT_SUSTAINED, stepSustained } from "../../src/monitoring/alarm-rules/sustained-profile.ts";
import { HOUR, MINUTE, START } from "./alerts-world.ts";

function statesOf(readings: readonly (readonly [after: number, score: number])[], mode: "spot" | "continuous"): boolean[] {
  let state = NOT_SUSTAINED;
  return readings.map(([after, score]) => {
    state = stepSustained(state, { score, single3: false, at: START + after }, mode);
    return state.isOn;
  });
}

it.each([
  ["7 at once", "spot", [[0, 7]], [true]],
  [
    "5 in two consecutive readings",
    "spot",
    [
      [0, 5],
      [HOUR, 6],
    ],
    [false, true],
  ],
  [
    "5 twice with a 4 in between",
    "spot",
    [
      [0, 5],
      [HOUR, 4],
      [2 * HOUR, 5],
    ],
    [false, false, false],
  ],
  [
    "5 twice at the same time",
    "spot",
    [
      [0, 5],
      [0, 5],
    ],
    [false, false],
  ],
  [
    "a 3, whatever its parameters are",
    "spot",
    [
      [0, 3],
      [HOUR, 3],
      [2 * HOUR, 4],
    ],
    [false, false, false],
  ],
  [
    "5 for a quarter of an hour",
    "continuous",
    [
      [0, 5],
      [MINUTE, 5],
      [15 * MINUTE, 5],
    ],
    [false, false, true],
  ],
  [
    "until 2 for six hours",
    "spot",
    [
      [0, 7],
      [HOUR, 2],
      [6 * HOUR, 1],
      [7 * HOUR, 0],
    ],
    [true, true, true, false],
  ],
  [
    "and on when a 3 interrupts them",
    "spot",
    [
      [0, 7],
      [HOUR, 2],
      [2 * HOUR, 3],
      [8 * HOUR, 2],
    ],
    [true, true, true, true],
  ],
] as const)("is on at %s (%s)", (_, mode, readings, expected) => {
  expect(statesOf(readings, mode)).toEqual(expected);
});
