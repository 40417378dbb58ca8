// The methods that the judge compares: plain limits, plain scores and the rules, each as the alarms of a stay.
import { locateValue } from "../../src/monitoring/alarm-rules/limit-rule.ts";
import type { AlarmConfig } from "../../src/monitoring/alarm-rules/model.ts";
import {
  stepTrend,
  summarizeTrend,
  TREND_THRESHOLDS,
  type TrendReading,
  type TrendState,
  type TrendThresholds,
} from "../../src/monitoring/alarm-rules/trend-mark.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import type { Limits, Sample } from "../../src/monitoring/vitals/model.ts";
import { scoreNews2 } from "../../src/monitoring/vitals/news2.ts";
import { type Alarm, CONFIG, isHigh, isNew, isSounding, LIMITS, runEngine } from "./play.ts";
import { DAY_MS, groupByTime, HOUR_MS, MINUTE_MS, type Stay, toSample } from "./recordings.ts";

/** Each crossing of a limit or critical limit from inside: what a monitor without alarm delay reports. */
function findNaiveAlarms({ samples }: Stay): Alarm[] {
  const before = new Map<string, { where: string; alarm: Alarm | null }>();
  return samples.flatMap(({ code, value, at, status }) => {
    const limits = LIMITS[code];
    if (!limits || status === "invalid") return [];
    const position = locateValue(code, value, limits);
    const where = position ? `${position.side} ${position.critical}` : "";
    const last = before.get(code);
    if (last?.where === where) return [];
    if (last?.alarm) last.alarm.until = at;
    const alarm: Alarm | null = where ? { at, until: Number.POSITIVE_INFINITY, rule: "naive", code } : null;
    before.set(code, { where, alarm });
    return alarm ? [alarm] : [];
  });
}

/** NEWS2 without oxygen and consciousness, last value carried forward, 0 points if unknown; alarms when it reaches `from`. */
function findScoreAlarms({ samples }: Stay, from: number): Alarm[] {
  const latest: Record<string, number> = {};
  let open: Alarm | null = null;
  const alarms: Alarm[] = [];
  for (const [at, group] of groupByTime(samples)) {
    for (const { code, value, status } of group) if (status === "final") latest[code] = value;
    const isAbove = computePartialScore(latest) >= from;
    if (isAbove && !open) {
      open = { at, until: Number.POSITIVE_INFINITY, rule: "score", code: null };
      alarms.push(open);
    } else if (!isAbove && open) {
      open.until = at;
      open = null;
    }
  }
  return alarms;
}

function computePartialScore(latest: Readonly<Record<string, number>>): number {
  const scored = scoreNews2(
    {
      respiratory_rate: latest[CODES.respiratory_rate] ?? 16,
      spo2: latest[CODES.spo2] ?? 98,
      oxygen: false,
      systolic: latest[CODES.systolic] ?? 120,
      pulse: latest[CODES.heart_rate] ?? 70,
      consciousness: "A",
      temperature: latest[CODES.temperature] ?? 37,
    },
    1,
  );
  return "score" in scored ? scored.score : 0;
}

/**
 * A full set at every time of the recording: each parameter's last value of the last 24 hours, and the last FiO2 however old. Consciousness
 * is not recorded and counts as alert, oxygen before the first FiO2 as air: otherwise NEWS2 would never be complete.
 */
function withCarriedValues(stay: Stay, others: "alone" | "with the other vitals" = "alone"): Stay {
  const last = new Map<string, Sample>();
  const samples = groupByTime(stay.samples).flatMap(([at, group]) => {
    for (const sample of group) if (sample.status === "final") last.set(sample.code, sample);
    const carried = CARRIED.flatMap((code) => {
      const sample = last.get(code);
      return sample && at - sample.at <= DAY_MS ? [toSample(code, sample.value, at)] : [];
    });
    const oxygen = toSample(CODES.inspired_oxygen, last.get(CODES.inspired_oxygen)?.value ?? 21, at);
    const rest = others === "alone" ? [] : group.filter(({ code }) => !SCORED.has(code));
    return [...carried, oxygen, toSample(CODES.consciousness, 0, at), ...rest];
  });
  return { ...stay, samples };
}

const CARRIED = [CODES.respiratory_rate, CODES.spo2, CODES.systolic, CODES.heart_rate, CODES.temperature];
const SCORED: ReadonlySet<string> = new Set([...CARRIED, CODES.inspired_oxygen, CODES.consciousness]);

function overrideLimits(fields: Partial<Limits>): Record<string, Limits> {
  return Object.fromEntries(Object.entries(LIMITS).map(([code, limits]) => [code, { ...limits, ...fields }]));
}

const LIMITS_WITHOUT_CHANGE = overrideLimits({ rate_per_minute: null, trend: false });
const NO_LIMITS = overrideLimits({
  critical_low: null,
  low: null,
  high: null,
  critical_high: null,
  rate_per_minute: null,
  trend: false,
});

const NEWS2_CONFIG: AlarmConfig = { ...CONFIG, limits: NO_LIMITS, news2: { scale: 1, window_ms: 30 * MINUTE_MS } };
const findNews2Alarms = (stay: Stay, filter = isNew) => runEngine(withCarriedValues(stay), NEWS2_CONFIG, filter);

/** The recordings have a set per hour, so a repeat set within half an hour cannot be in them: it has an hour here. */
const SUSTAINED = { repeat_ms: HOUR_MS };
const SUSTAINED_CONFIG: AlarmConfig = { ...NEWS2_CONFIG, sustained: SUSTAINED };

/** The condition of the sustained profile as the engine keeps it: one alarm from the reading that turns it on to the one that ends it. */
function findSustainedAlarms(stay: Stay): Alarm[] {
  const { noteState, alarms } = collectStates();
  runEngine(withCarriedValues(stay), SUSTAINED_CONFIG, isNew, ({ now, news2 }) =>
    noteState(now, news2.sustained?.state.isOn ?? false),
  );
  return alarms;
}

/** The alerts that sound under the profile, from the sound to the end of the alert. */
const findSoundingAlarms = (stay: Stay) =>
  runEngine(withCarriedValues(stay), SUSTAINED_CONFIG, isSounding).filter(({ rule }) => rule === "news2");

const findRuleAlarms = (stay: Stay) => runEngine(stay, CONFIG);
/** All rules in one run, since an alarm of limits tells what a single parameter of NEWS2 would. */
const findAllAlarms = (stay: Stay) =>
  runEngine(withCarriedValues(stay, "with the other vitals"), { ...CONFIG, news2: NEWS2_CONFIG.news2 });
const findAllAlarmsSustained = (stay: Stay) =>
  runEngine(
    withCarriedValues(stay, "with the other vitals"),
    { ...CONFIG, news2: NEWS2_CONFIG.news2, sustained: SUSTAINED },
    isSounding,
  );

/** A state that is on or off, as one alarm each time from on to off. */
function collectStates(): { noteState: (at: number, isOn: boolean) => void; alarms: Alarm[] } {
  const alarms: Alarm[] = [];
  let open: Alarm | null = null;
  const noteState = (at: number, isOn: boolean) => {
    if (isOn === (open !== null)) return;
    if (open) open.until = at;
    open = isOn ? { at, until: Number.POSITIVE_INFINITY, rule: "news2", code: null } : null;
    if (open) alarms.push(open);
  };
  return { noteState, alarms };
}

const MARK_CONFIG: AlarmConfig = { ...NEWS2_CONFIG, trendMark: true };

/** The trend mark as the engine keeps it, from the reading that begins it to the one that ends it. */
function findMarks(stay: Stay): Alarm[] {
  const { noteState, alarms } = collectStates();
  runEngine(withCarriedValues(stay), MARK_CONFIG, isNew, ({ now, news2: { trend } }) => {
    const summary = trend ? summarizeTrend(trend) : null;
    noteState(now, summary !== null && summary.state.markedSince !== null);
  });
  return alarms;
}

/** The trend mark with other thresholds, over the readings of the engine. */
function findMarksFrom(stay: Stay, thresholds: TrendThresholds): Alarm[] {
  const readings = new Map<number, TrendReading>();
  runEngine(withCarriedValues(stay), MARK_CONFIG, isNew, ({ news2: { trend } }) => {
    const last = trend?.readings.at(-1);
    if (last) readings.set(last.at, last);
  });
  const { noteState, alarms } = collectStates();
  let state: TrendState | null = null;
  for (const { at, score, temperature } of readings.values()) {
    if (score === null) continue;
    state = stepTrend(state, { at, score, temperature }, thresholds);
    noteState(at, state.markedSince !== null);
  }
  return alarms;
}

/** Thresholds among which that of the trend mark was chosen. */
export const MARK_THRESHOLDS: Record<string, (stay: Stay) => Alarm[]> = {
  "from 3.5, with fever from 1.5": (stay) => findMarksFrom(stay, { alone: 3.5, withFever: 1.5 }),
  "from 4, with fever from 2": (stay) => findMarksFrom(stay, { alone: 4, withFever: 2 }),
  "from 4.5, with fever from 2.5": (stay) => findMarksFrom(stay, TREND_THRESHOLDS),
  "from 5, with fever from 3": (stay) => findMarksFrom(stay, { alone: 5, withFever: 3 }),
  "from 3.5, fever not counted": (stay) => findMarksFrom(stay, { alone: 3.5, withFever: 3.5 }),
  "from 4.5, fever not counted": (stay) => findMarksFrom(stay, { alone: 4.5, withFever: 4.5 }),
};

export const METHODS: Record<string, (stay: Stay) => Alarm[]> = {
  "plain limits, each crossing": findNaiveAlarms,
  "EdgeCare: limits": (stay) => runEngine(stay, { ...CONFIG, limits: LIMITS_WITHOUT_CHANGE }),
  "EdgeCare: limits, rate and trend": findRuleAlarms,
  "EdgeCare: trend": (stay) => findRuleAlarms(stay).filter((alarm) => alarm.rule === "trend"),
  "reference: NEWS2 from 5": (stay) => findScoreAlarms(stay, 5),
  "reference: NEWS2 from 7": (stay) => findScoreAlarms(stay, 7),
  "EdgeCare: NEWS2, chart": (stay) => findNews2Alarms(stay),
  "EdgeCare: NEWS2, chart, high": (stay) => findNews2Alarms(stay, isHigh),
  "EdgeCare: NEWS2, sustained": findSustainedAlarms,
  "EdgeCare: NEWS2, sustained, sounds": findSoundingAlarms,
  "EdgeCare: trend mark, not NEWS2": findMarks,
  "EdgeCare: all rules, NEWS2 sustained": findAllAlarmsSustained,
  "EdgeCare: all rules, NEWS2 chart": findAllAlarms,
};
