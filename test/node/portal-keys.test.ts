// What the portal says remains of a key rotation: never a number that nobody counted.
import { expect, it } from "vitest";
import type { KeyStatus } from "../../portal/src/service/keys/api.ts";
import { countAllRemaining, countRemaining } from "../../portal/src/service/keys/remaining.ts";

const key = (key_id: string, values: number | null) => ({ key_id, in_ring: true, values, can_be_dropped: false });
const store = (name: string, values: Record<string, number> | null): KeyStatus["stores"][number] => ({
  store: name,
  phase: "sealing",
  values,
  unreadable: 0,
  counted_at: null,
  phase_started_at: "2026-11-29T10:00:00.000Z",
});

it("counts what is not under the current key, also what has an unknown format", () => {
  expect(countRemaining({ values: { f1: 3, f2: 4, "?": 2 } }, "f2")).toBe(5);
  expect(countRemaining({ values: { f2: 4 } }, "f2")).toBe(0);
  expect(countRemaining({ values: null }, "f2")).toBeNull();
});

it.each([
  ["each is counted", [key("f2", 1), key("f1", 5)], [store("a", { f1: 5 }), store("b", { f2: 1 })], 5],
  ["a store is not counted", [key("f2", 1), key("f1", 5)], [store("a", { f1: 5 }), store("b", null)], null],
  ["a store has not begun", [key("f2", null), key("f1", null)], [store("a", { f1: 5 })], null],
  ["there are no keys", [], [], null],
])("when %s", (_, keys, stores, expected) => {
  expect(countAllRemaining({ current_key_id: "f2", keys, stores })).toBe(expected);
});
