// Ward board of the portal: age of values, score, order of patients, and a stable order under the pointer.
import { expect, it } from "vitest";
import { getEscalationTime, getOverdueTier } from "../../portal/src/monitoring/alerts/escalation.ts";
import { countMoved, keepOrder, type RankedPatient, sortByRisk } from "../../portal/src/monitoring/board/board-order.ts";
import { getDisplayPressure, getDisplayValue, toPatientState } from "../../portal/src/monitoring/board/board-row-view.ts";
import { getTrendChange, POINT_COUNT, toLineSegments } from "../../portal/src/monitoring/board/trend-history.ts";
import { type ConnectionStatus, freshnessLimits, judgeFreshness } from "../../portal/src/monitoring/live/freshness.ts";
import { toLatestSamples } from "../../portal/src/monitoring/live/latest-samples.ts";
import {
  findCustomLimits,
  getDisplayScore,
  getLastUpdate,
  getRiskRank,
  type PatientState,
  sortedByUrgency,
  type ViewContext,
} from "../../portal/src/monitoring/live/patient-state.ts";
import type { AlertView, LimitsInForce, LiveSample, Score } from "../../src/monitoring/patient-object/contract.ts";
import { CODES } from "../../src/monitoring/vitals/codes.ts";
import { toRisk } from "../../src/monitoring/vitals/news2.ts";

const NOW = Date.parse("2026-11-21T18:30:30Z");
const ago = (s: number) => new Date(NOW - s * 1000).toISOString();
const moment = (change: Partial<ViewContext> = {}): ViewContext => ({ now: NOW, connection: "live", ...change });

function sample(code: string, value: number, ageS = 1, change: Partial<LiveSample> = {}): LiveSample {
  const base = { observation_id: `${code}-${ageS}`, code, name: null, unit: "1", device_id: "d", performer_id: null };
  return { ...base, value, effective_at: ago(ageS), received_at: ago(ageS), status: "final", ...change };
}

function alert(change: Partial<AlertView> = {}): AlertView {
  return {
    alert_id: "a",
    patient_id: "p",
    rule: "limit",
    code: CODES.spo2,
    device_id: null,
    priority: "high",
    state: "active",
    why: { value: 86, bound: 90, side: "low", window_s: 0, text: "" },
    raised_at: ago(60),
    acknowledged_at: null,
    acknowledged_by: null,
    assigned_to: null,
    escalation_tier: 0,
    snoozed_until: null,
    escalates_at: null,
    sounds: true,
    recovered_at: null,
    cleared_at: null,
    duration_s: null,
    ...change,
  };
}

const PARTS = { respiratory_rate: 3, spo2: 3, oxygen: 0, systolic: 2, pulse: 2, consciousness: 0, temperature: 1 };
type CompleteScore = Extract<Score, { status: "complete" }>;
const complete = (score: number, parts: Record<string, number> = { spo2: 1 }): CompleteScore => ({
  status: "complete",
  score,
  risk: toRisk(score, Object.values(parts).includes(3)),
  parts,
  as_of: ago(1),
  observation_mode: "continuous",
  due_at: ago(-1799),
  overdue_at: ago(-1799),
});
const ALL = [
  sample(CODES.heart_rate, 72),
  sample(CODES.respiratory_rate, 15),
  sample(CODES.spo2, 97),
  sample(CODES.systolic, 120, 600),
  sample(CODES.diastolic, 80, 600),
  sample(CODES.temperature, 36.8, 900),
  sample(CODES.consciousness, 0, 900),
  sample(CODES.inspired_oxygen, 21, 900),
];

function known(
  samples: readonly LiveSample[] = ALL,
  alerts: readonly AlertView[] = [],
  news2: Score | null = complete(1),
  limits: readonly LimitsInForce[] = [],
): PatientState {
  return {
    latest: toLatestSamples(samples),
    alerts: new Map(alerts.map((one) => [one.alert_id, one])),
    news2,
    limits: new Map(limits.map((one) => [one.code, one])),
  };
}
const without = (code: string) => ALL.filter((one) => one.code !== code);

it.each([
  [0, "live", "live"],
  [30, "live", "live"],
  [31, "live", "late"],
  [120, "live", "late"],
  [121, "live", "stale"],
  [0, "lost", "stale"],
  [0, "catching_up", "stale"],
  [0, "connecting", "stale"],
  [0, "off", "stale"],
  [0, "stopped", "stale"],
] as const)("calls a heart rate of %i s ago on a line that is %s %s", (age, link, freshness) => {
  const limits = freshnessLimits(CODES.heart_rate, false, undefined);
  expect(judgeFreshness(sample(CODES.heart_rate, 72, age), NOW, limits, link satisfies ConnectionStatus)).toBe(freshness);
});

it("judges age by when the server got it, whatever the device's clock says, and over midnight", () => {
  const skewed = sample(CODES.heart_rate, 72, 5, { effective_at: ago(-3600) });
  const limits = freshnessLimits(CODES.heart_rate, false, undefined);
  expect(judgeFreshness(skewed, NOW, limits, "live")).toBe("live");
  const midnight = Date.parse("2026-11-22T00:00:05+05:30");
  const before = sample(CODES.heart_rate, 72, 0, { received_at: "2026-11-21T23:59:50+05:30" });
  expect(judgeFreshness(before, midnight, limits, "live")).toBe("live");
});

/** Age by the local wall clock, which a page must not use. */
const wallAge = (from: number, to: number, timeZone: string) => {
  const wall = (at: number) => Date.parse(`${new Date(at).toLocaleString("sv-SE", { timeZone }).replace(" ", "T")}Z`);
  return (wall(to) - wall(from)) / 1000;
};

it.each([
  ["on", "Europe/Berlin", "2026-03-29T01:00:00Z", 3_600],
  ["back", "Europe/Berlin", "2026-10-25T01:00:00Z", -3_600],
  ["on", "America/New_York", "2026-03-08T07:00:00Z", 3_600],
  ["back", "Australia/Lord_Howe", "2026-04-04T15:00:00Z", -1_800],
] as const)("judges age across clocks that are put %s in %s", (_, timeZone, change, jump) => {
  const at = Date.parse(change);
  const heartRate = freshnessLimits(CODES.heart_rate, false, undefined);
  const freshnessOver = (ageS: number) => {
    const [from, to] = [at - 10_000, at - 10_000 + ageS * 1000];
    expect(wallAge(from, to, timeZone)).toBe(ageS + jump);
    return judgeFreshness(sample(CODES.heart_rate, 72, 0, { received_at: new Date(from).toISOString() }), to, heartRate, "live");
  };
  expect([20, 40, 119, 121].map(freshnessOver)).toEqual(["live", "late", "late", "stale"]);
});

it("uses the silence limit of the rules; manual and occasional values are valid for half an hour", () => {
  const stale = (code: string, byHand: boolean, silence?: number | null) => freshnessLimits(code, byHand, silence).staleAfterS;
  expect(stale(CODES.heart_rate, false)).toBe(120);
  expect(stale(CODES.heart_rate, false, 30)).toBe(30);
  // A missing-signal alarm that is turned off does not make an old value current.
  expect(stale(CODES.heart_rate, false, null)).toBe(120);
  expect(stale(CODES.heart_rate, true, 30)).toBe(1800);
  expect(stale(CODES.systolic, false)).toBe(1800);
});

it("judges the values of a spot patient as their set, whoever measured them, and a later value not worse", () => {
  const times = { as_of: ago(50 * 60), due_at: ago(-10 * 60), overdue_at: ago(-25 * 60) };
  const ofSet: CompleteScore = { ...complete(5), observation_mode: "spot", ...times };
  const byHand = { performer_id: "u", device_id: null };
  const freshnessAt = (score: Score | null, ageS: number, laterS = 0, change: Partial<LiveSample> = byHand) =>
    getDisplayValue(
      known([sample(CODES.heart_rate, 72, ageS, change)], [], score),
      CODES.heart_rate,
      moment({ now: NOW + laterS * 1000 }),
    ).freshness;
  expect([0, 11 * 60, 26 * 60].map((later) => freshnessAt(ofSet, 50 * 60, later))).toEqual(["live", "late", "stale"]);
  expect(freshnessAt(ofSet, 55 * 60, 0, {})).toBe("live");
  // Of an earlier round, of a patient on a monitor, and without a score: the value by itself.
  expect(freshnessAt(ofSet, 90 * 60)).toBe("stale");
  expect(freshnessAt({ ...ofSet, observation_mode: "continuous" }, 50 * 60)).toBe("stale");
  expect(freshnessAt(null, 50 * 60)).toBe("stale");
  // Measured ten minutes ago: current for its own half hour, when the score of the set is overdue.
  expect(freshnessAt({ ...ofSet, overdue_at: ago(60) }, 10 * 60)).toBe("live");
});

const limits = (change: Partial<LimitsInForce>): LimitsInForce => {
  const none = { critical_low: null, low: null, high: null, critical_high: null, silence_s: null };
  return { code: CODES.heart_rate, ...none, set_by: "patient", ...change };
};

it("judges each patient by the silence limit in force for that patient", () => {
  const [half, short] = [known([sample(CODES.heart_rate, 72, 60)]), limits({ silence_s: 30 })];
  expect(getDisplayValue(half, CODES.heart_rate, moment()).freshness).toBe("late");
  const impatient = known([sample(CODES.heart_rate, 72, 60)], [], null, [short]);
  expect(getDisplayValue(impatient, CODES.heart_rate, moment()).freshness).toBe("stale");
});

it("lists changed limits, the patient's before the ward's, and no defaults", () => {
  const pressures = [CODES.systolic, CODES.diastolic];
  const ofWard = limits({ code: CODES.systolic, high: 180, set_by: "ward" });
  const own = limits({ code: CODES.diastolic, high: 100 });
  const moved = (...all: LimitsInForce[]) => findCustomLimits(known([], [], null, all), pressures);
  expect(moved(ofWard, limits({ low: 50 }))).toEqual([ofWard]);
  expect(moved(ofWard, own)).toEqual([own]);
  expect(moved({ ...ofWard, set_by: "default" })).toEqual([]);
  expect(moved()).toEqual([]);
});

it("shows 0 as 0 and an absent value as missing", () => {
  expect(getDisplayValue(known([sample(CODES.heart_rate, 0)]), CODES.heart_rate, moment())).toMatchObject({
    value: 0,
    freshness: "live",
  });
  expect(getDisplayValue(known([]), CODES.heart_rate, moment())).toMatchObject({ value: null, freshness: "missing" });
  expect(getDisplayValue(undefined, CODES.heart_rate, moment())).toMatchObject({ value: null, freshness: "missing" });
});

it("turns one silent vital stale and no other", () => {
  const one = known([...without(CODES.spo2), sample(CODES.spo2, 97, 130)]);
  expect(getDisplayValue(one, CODES.spo2, moment()).freshness).toBe("stale");
  expect(getDisplayValue(one, CODES.heart_rate, moment()).freshness).toBe("live");
  expect(getLastUpdate(one, moment()).freshness).toBe("live");
});

it("shows an invalid value that is newer than the last valid one, and not an older one", () => {
  const invalid = sample(CODES.spo2, 104, 1, { status: "invalid" });
  expect(getDisplayValue(known([sample(CODES.spo2, 97, 5), invalid]), CODES.spo2, moment())).toMatchObject({
    value: 104,
    freshness: "invalid",
    isInvalid: true,
  });
  expect(getDisplayValue(known([invalid]), CODES.spo2, moment({ connection: "lost" }))).toMatchObject({
    freshness: "stale",
    isInvalid: true,
  });
  expect(getDisplayValue(known([sample(CODES.spo2, 97, 0), invalid]), CODES.spo2, moment())).toMatchObject({ value: 97 });
});

it("colours a value by its own alarm, unless the value is old, the alarm is over or it is a sensor alarm", () => {
  const alarmOf = (change: Partial<AlertView>, samples = ALL) =>
    getDisplayValue(known(samples, [alert(change)]), CODES.spo2, moment()).alarm;
  expect(alarmOf({})).toBe("high");
  expect(alarmOf({ state: "acknowledged", priority: "medium" })).toBe("medium");
  expect(alarmOf({ state: "recovered" })).toBeNull();
  expect(alarmOf({ rule: "silence" })).toBeNull();
  expect(alarmOf({ code: CODES.heart_rate })).toBeNull();
  expect(alarmOf({}, [sample(CODES.spo2, 86, 200)])).toBeNull();
});

it("shows both pressures as old as the older, with the alarm of either", () => {
  const samples = [sample(CODES.systolic, 81, 60), sample(CODES.diastolic, 53, 1900)];
  const alarmed = known(samples, [alert({ code: CODES.mean_pressure, priority: "medium" })]);
  expect(getDisplayPressure(alarmed, moment())).toMatchObject({
    systolic: 81,
    diastolic: 53,
    freshness: "stale",
    ageS: 1900,
    alarm: "medium",
  });
  expect(getDisplayPressure(known([]), moment())).toMatchObject({ freshness: "missing", ageS: null });
});

it("never shows values of the board request as live", () => {
  const told = { latest: [sample(CODES.heart_rate, 72)], alerts: [], news2: complete(1), limits: [] };
  const { patient: from, moment: judged } = toPatientState(undefined, told, moment());
  expect(getDisplayValue(from, CODES.heart_rate, judged)).toMatchObject({ value: 72, freshness: "stale" });
  expect(getDisplayScore(from, judged)).toEqual({ kind: "unknown" });
});

it("has a row without any sample that is not live", () => {
  expect(getLastUpdate(known([]), moment())).toEqual({ freshness: "missing", ageS: null });
  expect(getLastUpdate(undefined, moment())).toEqual({ freshness: "missing", ageS: null });
});

it("shows the score while all of it is of now", () => {
  expect(getDisplayScore(known(), moment())).toEqual({ kind: "score", score: 1, band: 1, notCurrent: null });
  expect(getDisplayScore(known(ALL, [], complete(0, {})), moment())).toMatchObject({ band: 0 });
  expect(getDisplayScore(known(ALL, [], complete(3, { spo2: 3 })), moment())).toMatchObject({ band: 2 });
  expect(getDisplayScore(known(ALL, [], complete(11, PARTS)), moment())).toMatchObject({ score: 11, band: 3 });
});

it.each([
  ["respiration is missing", without(CODES.respiratory_rate)],
  ["saturation is stale", [...without(CODES.spo2), sample(CODES.spo2, 97, 121)]],
  ["a pressure is half an hour old", [...without(CODES.systolic), sample(CODES.systolic, 120, 1801)]],
  ["the newest is invalid", [...ALL, sample(CODES.spo2, 104, 0, { status: "invalid" })]],
  ["nobody knows of oxygen", without(CODES.inspired_oxygen)],
] as const)("is not current when %s, whatever the server said before, and keeps its number", (_, samples) => {
  const notCurrent = { asOf: ago(1), isOverdue: false };
  expect(getDisplayScore(known(samples, [], complete(4)), moment())).toEqual({ kind: "score", score: 4, band: 1, notCurrent });
});

it("of a spot patient is as current as its set, and overdue when the next one is, without any frame", () => {
  const old = ALL.map((one) => ({ ...one, received_at: ago(20_000), effective_at: ago(20_000) }));
  const spot = { ...complete(8), as_of: ago(20_000), observation_mode: "spot", due_at: ago(-10) } as const;
  const shown = (overdueAt: string) => getDisplayScore(known(old, [], { ...spot, overdue_at: overdueAt }), moment());
  expect(shown(ago(-1))).toMatchObject({ score: 8, band: 3, notCurrent: null });
  expect(shown(ago(1))).toEqual({ kind: "score", score: 8, band: 3, notCurrent: { asOf: ago(20_000), isOverdue: true } });
});

it("ranks as high as when it was taken, and never as low as a score of now", () => {
  const overdue = (score: number): Score => ({ ...complete(score), status: "overdue" });
  const rank = (score: Score) => {
    const one = known(ALL, [], score);
    return getRiskRank(one, getDisplayScore(one, moment()));
  };
  expect([7, 5, 0].map((score) => rank(overdue(score)))).toEqual(["score_7", "score_5", "unknown"]);
  expect(rank(complete(0, {}))).toBe("rest");
});

it("shows which parameters are missing, where the score does not apply, and nothing while disconnected", () => {
  const incomplete: Score = { status: "incomplete", missing: ["respiratory_rate"], stale: ["systolic"] };
  expect(getDisplayScore(known(ALL, [], incomplete), moment())).toEqual({
    kind: "needs",
    what: ["respiratory_rate", "systolic"],
  });
  expect(getDisplayScore(known(ALL, [], { status: "not_applicable", reason: "age" }), moment())).toMatchObject({ reason: "age" });
  expect(getDisplayScore(known(), moment({ connection: "lost" }))).toEqual({ kind: "unknown" });
});

it("orders by new high, new medium, seen, 7 and more, 5 and 6 or a single 3, unknown, the rest", () => {
  const patients: [string, PatientState | undefined][] = [
    ["rest", known()],
    ["stale", known([sample(CODES.heart_rate, 72, 500)])],
    ["nothing", undefined],
    ["single_3", known(ALL, [], complete(3, { spo2: 3 }))],
    ["five", known(ALL, [], complete(5))],
    ["seven", known(ALL, [], complete(7))],
    ["seen", known(ALL, [alert({ state: "acknowledged" })])],
    ["recovered", known(ALL, [alert({ state: "recovered" })])],
    ["medium", known(ALL, [alert({ priority: "medium" })])],
    ["sensor", known(ALL, [alert({ rule: "silence", priority: "medium" })])],
    ["low", known(ALL, [alert({ rule: "trend", priority: "low" })])],
    ["high", known(ALL, [alert()])],
  ];
  const placed: RankedPatient[] = patients.map(([id, one], number) => {
    const score = getDisplayScore(one, moment());
    return { id, number, rank: getRiskRank(one, score), score: score.kind === "score" ? score.score : null };
  });
  expect(sortByRisk(placed)).toEqual([
    ...["high", "medium", "seen", "recovered", "seven", "five", "single_3"],
    ...["stale", "sensor", "nothing", "low", "rest"],
  ]);
});

it("keeps everybody where they are while rows are held, and counts who would move", () => {
  const kept = ["a", "b", "c", "d"];
  expect(keepOrder(kept, ["d", "a", "b", "c"])).toEqual(kept);
  expect(countMoved(kept, ["d", "a", "b", "c"])).toBe(1);
  expect(countMoved(kept, ["d", "c", "a", "b"])).toBe(2);
  expect(countMoved(kept, kept)).toBe(0);
  expect(keepOrder(kept, ["e", "a", "c", "d"])).toEqual(["a", "b", "c", "d", "e"]);
});

it("shows a new high or medium alarm first, and none of a patient behind one of a sensor", () => {
  const alerts = [
    alert({ alert_id: "seen", state: "acknowledged" }),
    alert({ alert_id: "over", state: "recovered" }),
    alert({ alert_id: "sensor", rule: "silence", priority: "medium" }),
    alert({ alert_id: "medium", priority: "medium" }),
    alert({ alert_id: "younger" }),
    alert({ alert_id: "older", raised_at: ago(90) }),
  ];
  expect(sortedByUrgency(alerts).map(({ alert_id }) => alert_id)).toEqual([
    "older",
    "younger",
    "medium",
    "over",
    "seen",
    "sensor",
  ]);
  const both = [alert({ state: "acknowledged" }), alert({ alert_id: "b", rule: "trend", priority: "low" })];
  expect(getDisplayValue(known(ALL, both), CODES.spo2, moment()).alarm).toBe("high");
});

it("shows no value as current beside an alarm that says it is missing, and says of its score that it is not", () => {
  const score = (change: Partial<AlertView> = {}) => {
    const silence = { rule: "device_silence", priority: "medium", code: null, device_id: "d", raised_at: ago(0.5) } as const;
    return getDisplayScore(known(ALL, [alert({ ...silence, ...change })]), moment());
  };
  const notCurrent = { score: 1, notCurrent: { isOverdue: false } };
  expect(getDisplayScore(known(), moment())).toMatchObject({ notCurrent: null });
  expect(score()).toMatchObject(notCurrent);
  expect(score({ state: "acknowledged" })).toMatchObject(notCurrent);
  expect(score({ device_id: "another" })).toMatchObject({ notCurrent: null });
  expect(score({ raised_at: ago(5) })).toMatchObject({ notCurrent: null });
  expect(score({ rule: "silence", code: CODES.temperature, device_id: null })).toMatchObject(notCurrent);
  const silent = alert({ rule: "device_silence", code: null, device_id: "d", raised_at: ago(0.5) });
  expect(getDisplayValue(known(ALL, [silent]), CODES.heart_rate, moment()).freshness).toBe("stale");
  expect(getDisplayValue(known(ALL, [silent]), CODES.systolic, moment()).freshness).toBe("live");
});

it("calls only an alarm overdue that still waits for an acknowledgement", () => {
  expect([0, 1, 2, 5].map((escalation_tier) => getOverdueTier(alert({ escalation_tier })))).toEqual([null, "1", "2", "2"]);
  for (const state of ["acknowledged", "recovered", "cleared"] as const)
    expect(getOverdueTier(alert({ state, escalation_tier: 2 }))).toBeNull();
});

it("counts down to the next escalation", () => {
  const escalates_at = ago(-150);
  expect(getEscalationTime(alert({ escalates_at }), NOW)).toBe(NOW + 150_000);
  expect(getEscalationTime(alert(), NOW)).toBeNull();
  expect(getEscalationTime(alert({ escalates_at, state: "acknowledged" }), NOW)).toBeNull();
  expect(getEscalationTime(alert({ escalates_at: ago(1) }), NOW)).toBeNull();
});

it("never bridges a gap of the six hours", () => {
  const measured = new Map([
    [0, 90],
    [1, 92],
    [5, 80],
    [71, 84],
  ]);
  const history = Array.from({ length: POINT_COUNT }, (_, at) => measured.get(at) ?? null);
  expect(toLineSegments(history, { low: 84, high: 100 }, 26).map((piece) => piece.map(({ x }) => x))).toEqual([
    [0, 1],
    [5],
    [71],
  ]);
  expect(getTrendChange(history)).toBe(-6);
  expect(getTrendChange(history.map((mean, at) => (at === 5 ? mean : null)))).toBeNull();
});
