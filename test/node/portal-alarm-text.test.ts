// Alarm texts of the portal: the value now, the value when raised and the direction; and Hindi names of vital signs.
import { beforeAll, describe, expect, it } from "vitest";
import { getAlarmNow } from "../../portal/src/monitoring/alerts/alarm-now.ts";
import { abbreviateAlarm, describeAlarm } from "../../portal/src/monitoring/alerts/alarm-text.ts";
import { toLatestSamples } from "../../portal/src/monitoring/live/latest-samples.ts";
import type { PatientState } from "../../portal/src/monitoring/live/patient-state.ts";
import { loadCatalogue } from "../../portal/src/platform/messages/catalogues.ts";
import { common } from "../../portal/src/platform/messages/common.ts";
import type { AlertView, LiveSample } from "../../src/monitoring/patient-object/contract.ts";
import { CODES } from "../../src/monitoring/vitals/codes.ts";

beforeAll(() => loadCatalogue("en"));

const NOW = Date.parse("2026-11-21T18:30:30Z");
const ago = (s: number) => new Date(NOW - s * 1000).toISOString();
const LIVE = { now: NOW, connection: "live" } as const;
const rate = { rule: "limit", code: CODES.heart_rate, priority: "medium", state: "active" } as const;
const heartRate = { ...rate, why: { value: 131, bound: 130, side: "high", window_s: 15, text: "" } } as const;

function patientWith(value: number, ageS = 1, change: Partial<LiveSample> = {}): PatientState {
  const sample: LiveSample = {
    observation_id: "o",
    code: CODES.heart_rate,
    name: "heart_rate",
    value,
    unit: "/min",
    effective_at: ago(ageS),
    received_at: ago(ageS),
    device_id: "d",
    performer_id: null,
    status: "final",
    ...change,
  };
  return { latest: toLatestSamples([sample]), alerts: new Map(), news2: null, limits: new Map() };
}
const described = (
  patient: PatientState | undefined,
  context: Parameters<typeof getAlarmNow>[2] = LIVE,
  state: AlertView["state"] = "active",
) => describeAlarm(heartRate, getAlarmNow({ ...heartRate, state }, patient, context));

describe("the text of an alarm", () => {
  it.each([
    ["higher", patientWith(137), "HR 137 /min now, 131 /min when raised, up 6, limit 130"],
    ["lower", patientWith(90), "HR 90 /min now, 131 /min when raised, down 41, limit 130"],
    ["the same", patientWith(131), "HR 131 /min now, 131 /min when raised, unchanged, limit 130"],
    ["old", patientWith(137, 240), "HR 137 /min 4 min ago, 131 /min when raised, limit 130"],
    ["impossible", patientWith(999, 1, { status: "invalid" }), "HR unknown now, 131 /min when raised, limit 130"],
    ["not known", undefined, "HR unknown now, 131 /min when raised, limit 130"],
  ])("says so when the value is %s", (_what, patient, text) => {
    expect(described(patient)).toBe(text);
  });

  it("calls a value old while the line is lost, and has no value of now when the alarm is over", () => {
    expect(described(patientWith(137, 5), { now: NOW, connection: "lost" })).toContain("137 /min 5 s ago, 131 /min when raised");
    expect(described(patientWith(90), LIVE, "cleared")).toBe("HR 131 /min, limit 130");
  });

  it("shows a score that rose, and an unknown one, also on the board", () => {
    const score = {
      rule: "news2",
      code: null,
      priority: "high",
      why: { value: 7, bound: 7, side: "high", window_s: 0, text: "" },
    } as const;
    expect(describeAlarm(score, { kind: "current", value: 17 })).toBe("NEWS2 17 now, 7 when raised, up 10, threshold 7");
    expect(describeAlarm(score, { kind: "unknown" })).toBe("NEWS2 unknown now, 7 when raised, threshold 7");
    expect(abbreviateAlarm(score, { kind: "current", value: 17 })).toBe("NEWS2 7 → 17");
    expect(abbreviateAlarm(score, { kind: "unknown" })).toBe("NEWS2 7 → ?");
    expect(getAlarmNow({ rule: "news2", code: null, state: "active" }, undefined, LIVE)).toEqual({ kind: "unknown" });
  });
});

describe("Hindi names of vital signs", () => {
  it("say which air is measured: end-tidal is breathed out, inspired is breathed in", () => {
    expect(common.hi["vital.etco2"]).toMatch(/निःश्वसन/);
    expect(common.hi["vital.etco2"]).not.toMatch(/अंतःश्व/);
    expect(common.hi["vital.inspired_oxygen"]).toMatch(/अंतःश्वसन/);
  });
});
