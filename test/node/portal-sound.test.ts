// Alarm sound of the portal: one tone for the most urgent new alarm, and a pause that a new high alarm ends.
import { expect, it } from "vitest";
import {
  advanceTone,
  endPauseState,
  PAUSE_MS,
  SILENT_STATE,
  selectTone,
  startPause,
  TONES,
  type ToneState,
} from "../../portal/src/monitoring/alerts/sound-rules.ts";

type Heard = Parameters<typeof selectTone>[0][number];
const NOW = Date.parse("2026-11-21T03:14:00Z");
const alert = (alert_id: string, priority: Heard["priority"], change: Partial<Heard> = {}): Heard => ({
  alert_id,
  priority,
  state: "active",
  snoozed_until: null,
  sounds: true,
  ...change,
});
const high = alert("h", "high");
const medium = alert("m", "medium");
const low = alert("l", "low");
const at = (s: number) => NOW + s * 1000;
const sounding = (alerts: readonly Heard[], s = 0, before: ToneState = SILENT_STATE) => advanceTone(before, alerts, at(s));

it.each([
  ["nothing", [], null],
  ["the highest of several", [low, high, medium], "high"],
  ["a medium one before a low one", [low, medium], "medium"],
  ["none that was acknowledged", [alert("h", "high", { state: "acknowledged" }), low], "low"],
  ["none that is over and not seen", [alert("h", "high", { state: "recovered" })], null],
  ["none that is snoozed", [alert("h", "high", { snoozed_until: "2026-11-21T03:29:00Z" })], null],
  ["one whose snooze has ended", [alert("h", "high", { snoozed_until: "2026-11-21T03:13:00Z" })], "high"],
] as const)("sounds %s", (_, alerts, tone) => {
  expect(selectTone(alerts, NOW)).toBe(tone);
});

it("has 5 and 5 pulses for high, 3 for medium, 1 for low, each burst shorter than its interval", () => {
  expect([TONES.high, TONES.medium, TONES.low].map(({ pulses, everyMs }) => [pulses.length, everyMs])).toEqual([
    [10, 10_000],
    [3, 25_000],
    [1, 30_000],
  ]);
  for (const { pulses, pulseS } of Object.values(TONES)) {
    for (const [index, start] of pulses.entries()) expect(start + pulseS).toBeLessThan(pulses[index + 1] ?? 10);
  }
});

it("begins at once and comes again after its interval", () => {
  const first = sounding([medium]);
  expect(first).toMatchObject({ startsTone: "medium", stopsTone: false });
  const soon = sounding([medium], 24, first.after);
  expect(soon.startsTone).toBeNull();
  expect(sounding([medium], 25, soon.after).startsTone).toBe("medium");
});

it("replaces a lower tone by a higher one at once", () => {
  const before = sounding([medium]).after;
  expect(sounding([medium, high], 1, before)).toMatchObject({ startsTone: "high", stopsTone: true });
});

it("does not restart for another alarm of the same priority", () => {
  const before = sounding([high]).after;
  expect(sounding([high, alert("h2", "high")], 1, before)).toMatchObject({ startsTone: null, stopsTone: false });
});

it("ends with its alarm, and continues with that of the next lower priority", () => {
  const before = sounding([high, medium]).after;
  expect(sounding([medium], 1, before)).toMatchObject({ startsTone: "medium", stopsTone: true });
  expect(sounding([], 1, before)).toMatchObject({ startsTone: null, stopsTone: true, after: { tone: null } });
});

it("is silent for two minutes when it is paused, and not longer", () => {
  const before = startPause(sounding([high]).after, [high], at(1));
  const quiet = sounding([high], 2, before);
  expect(quiet).toMatchObject({ startsTone: null, stopsTone: true });
  expect(sounding([high], 1 + PAUSE_MS / 1000 - 1, quiet.after).startsTone).toBeNull();
  expect(sounding([high], 1 + PAUSE_MS / 1000, quiet.after)).toMatchObject({ startsTone: "high", after: { pause: null } });
});

it("ends the pause for a new high alarm, not for a new medium one", () => {
  const before = sounding([high], 2, startPause(sounding([high]).after, [high], at(1))).after;
  expect(sounding([high, medium], 3, before)).toMatchObject({ startsTone: null });
  expect(sounding([high, alert("h2", "high")], 3, before)).toMatchObject({ startsTone: "high", after: { pause: null } });
});

it("ends the pause for one that rose to high, and for one that came back", () => {
  const rose = advanceTone(startPause(SILENT_STATE, [medium], NOW), [alert("m", "high")], at(1));
  expect(rose.startsTone).toBe("high");
  const gone = advanceTone(startPause(SILENT_STATE, [high], NOW), [alert("h", "high", { state: "recovered" })], at(1));
  expect(gone.startsTone).toBeNull();
  expect(advanceTone(gone.after, [high], at(2)).startsTone).toBe("high");
});

it("sounds at once when the pause is ended by hand", () => {
  const before = sounding([high], 2, startPause(sounding([high]).after, [high], at(1))).after;
  expect(sounding([high], 3, endPauseState(before)).startsTone).toBe("high");
});
