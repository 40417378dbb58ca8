// What the portal says remains of a key rotation: never a number that nobody counted.
import { expect, it } from "vitest";
import { countAllRemaining, countRemaining } from "../../portal/src/service/keys/remaining.ts";

const key = (values: number | null) => ({ values });
const store = (values: Record<string, number> | null) => ({ values });

it("counts what is not under the current key, also what has an unknown format", () => {
  expect(countRemaining({ values: { f1: 3, f2: 4, "?": 2 } }, "f2")).toBe(5);
  expect(countRemaining({ values: { f2: 4 } }, "f2")).toBe(0);
  expect(countRemaining({ values: null }, "f2")).toBeNull();
});

it.each([
  ["each is counted", [key(1), key(5)], [store({ f1: 5 }), store({ f2: 1 })], 5],
  ["a store is not counted", [key(1), key(5)], [store({ f1: 5 }), store(null)], null],
  ["a store has not begun", [key(null), key(null)], [store({ f1: 5 })], null],
  ["there are no keys", [], [], null],
])("when %s", (_, keys, stores, expected) => {
  expect(countAllRemaining({ current_key_id: "f2", keys, stores })).toBe(expected);
});
