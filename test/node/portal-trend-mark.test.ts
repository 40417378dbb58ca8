// The trend mark on screens: present only while its readings are current and the view is live, and drawn as a mark alone.
import { beforeAll, describe, expect, it, vi } from "vitest";
import { applyFrame, getLivePatient } from "../../portal/src/monitoring/live/patient-store.ts";
import { describeTrendBadge, judgeTrendMark, type TrendState } from "../../portal/src/monitoring/trend-mark/trend-state.ts";
import { loadCatalogue } from "../../portal/src/platform/messages/catalogues.ts";
import type { TrendMarkView } from "../../src/monitoring/patient-object/contract.ts";

beforeAll(() => loadCatalogue("en"));

beforeAll(() => void vi.stubGlobal("requestAnimationFrame", () => 0));

const NOW = Date.parse("2026-11-21T18:30:30Z");
const ago = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();
const UP: TrendMarkView = {
  label: "EdgeCare trend, not NEWS2",
  status: "up",
  smoothed_score: 4.7,
  readings_since: ago(2_000),
  marked_since: ago(300),
  fever_at: null,
  as_of: ago(30),
  overdue_at: ago(-45),
};
const live = { now: NOW, connection: "live" } as const;

describe("a trend mark", () => {
  it.each<[string, TrendMarkView | null | undefined, number, TrendState]>([
    ["that the ward does not use", null, 0, { kind: "off" }],
    ["of a service that has none", undefined, 0, { kind: "off" }],
    ["that is up", UP, 0, { kind: "up", since: ago(300) }],
    ["until the next set is overdue", UP, 45, { kind: "up", since: ago(300) }],
    ["from then on", UP, 46, { kind: "old", asOf: ago(30) }],
    ["that the service calls overdue", { ...UP, status: "overdue" }, 0, { kind: "old", asOf: ago(30) }],
    ["that is not up", { ...UP, status: "none", marked_since: null }, 0, { kind: "none" }],
    ["of few readings", { ...UP, status: "unknown", marked_since: null }, 0, { kind: "unknown", why: "few" }],
  ])("%s", (_, view, minutes, expected) => {
    expect(judgeTrendMark(view, { ...live, now: NOW + minutes * 60_000 })).toEqual(expected);
  });

  it.each(["connecting", "lost", "off"] as const)("is unknown while the connection is %s", (connection) => {
    expect(judgeTrendMark(UP, { now: NOW, connection })).toEqual({ kind: "unknown", why: "not_live" });
  });

  it.each<[TrendState, string[]]>([
    [{ kind: "up", since: ago(300) }, ["↗ trend", "Trend up (EdgeCare trend, not NEWS2)"]],
    [{ kind: "old", asOf: ago(30) }, ["trend ?", "Trend not current, last set"]],
    [{ kind: "unknown", why: "few" }, ["trend ?", "Trend unknown (EdgeCare trend, not NEWS2)"]],
    [{ kind: "none" }, []],
    [{ kind: "off" }, []],
  ])("%j is drawn with text for screen readers, or not at all", (state, expected) => {
    const badge = describeTrendBadge(state);
    const [short, full] = expected;
    if (full === undefined) expect(badge).toBeNull();
    else expect(badge).toEqual({ short, full: expect.stringContaining(full) });
  });

  it("follows the frames, and is gone with one that has none", () => {
    const observations = {
      mode: "spot",
      status: "never",
      due_at: null,
      overdue_at: null,
      last_attempt: null,
      pause: null,
    } as const;
    const push = (trend_mark: TrendMarkView | null, seq: number) =>
      applyFrame({ type: "observations", patient_id: "p", observations, trend_mark, seq });
    push(UP, 1);
    expect(getLivePatient("p")?.trendMark).toEqual(UP);
    push(null, 2);
    expect(getLivePatient("p")?.trendMark).toBeNull();
  });
});
