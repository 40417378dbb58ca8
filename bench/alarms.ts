// Alarms on recorded patients: alarms per day with plain limits and with the rules, and how early septic deterioration is found.
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { emptyMemory, nextDeadline, stepAlarms } from "../src/monitoring/alarm-rules/engine.ts";
import { locateValue } from "../src/monitoring/alarm-rules/limit-rule.ts";
import type { AlarmConfig, AlarmInput, Alert, RuleName, Transition } from "../src/monitoring/alarm-rules/model.ts";
import { CODES, findVital, getDefaultLimits } from "../src/monitoring/vitals/catalogue.ts";
import type { Limits, Sample } from "../src/monitoring/vitals/model.ts";
import { scoreNews2 } from "../src/monitoring/vitals/news2.ts";

const DATA = "../shared/data/vitals";
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2026, 0, 1);
const LIMITS = getDefaultLimits("adult");

/** `septic`: time at which the sepsis label starts; null for none. */
type Stay = { name: string; samples: Sample[]; hours: number; septic: number | null };

/** A value as ingest stores it: implausible values get the status `invalid`. */
function toSample(code: string, value: number, at: number): Sample {
  const { min, max } = findVital(code)?.plausible ?? { min: 0, max: 0 };
  return { code, value, unit: "", at, seq: null, status: value >= min && value <= max ? "final" : "invalid" };
}

function parseColumns(row: string, codes: readonly string[], scale: readonly number[], at: number): Sample[] {
  return codes.flatMap((code, column) => {
    const value = Number.parseFloat(row.split(/[|,]/)[column] ?? "");
    return code && Number.isFinite(value) ? [toSample(code, value * (scale[column] ?? 1), at)] : [];
  });
}

const HOURLY = [
  CODES.heart_rate,
  CODES.spo2,
  CODES.temperature,
  CODES.systolic,
  CODES.mean_pressure,
  CODES.diastolic,
  CODES.respiratory_rate,
  CODES.etco2,
];
const FIO2_COLUMN = 10;
const LABEL_COLUMN = 40;

function readHourlyStays(): Stay[] {
  return globSync(`${DATA}/icu-hourly/*.psv`)
    .sort()
    .map((file) => {
      const rows = readFileSync(file, "utf8").trim().split("\n").slice(1);
      const samples = rows.flatMap((row, hour) => {
        const at = START + hour * HOUR_MS;
        const oxygen = Number.parseFloat(row.split("|")[FIO2_COLUMN] ?? "");
        const inspired = Number.isFinite(oxygen)
          ? [toSample(CODES.inspired_oxygen, oxygen <= 1 ? oxygen * 100 : oxygen, at)]
          : [];
        return [...parseColumns(row, HOURLY, [], at), ...inspired];
      });
      const label = rows.findIndex((row) => row.split("|")[LABEL_COLUMN] === "1");
      return { name: basename(file, ".psv"), samples, hours: rows.length, septic: label < 0 ? null : START + label * HOUR_MS };
    });
}

const LONG: Record<string, string> = {
  HR: CODES.heart_rate,
  SaO2: CODES.spo2,
  Temp: CODES.temperature,
  SysABP: CODES.systolic,
  NISysABP: CODES.systolic,
  DiasABP: CODES.diastolic,
  NIDiasABP: CODES.diastolic,
  MAP: CODES.mean_pressure,
  NIMAP: CODES.mean_pressure,
  RespRate: CODES.respiratory_rate,
};

function readLongStays(): Stay[] {
  return globSync(`${DATA}/icu-48h/*.txt`)
    .sort()
    .map((file) => {
      const samples = readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .slice(1)
        .flatMap((row) => {
          const [time = "", parameter = "", value = ""] = row.split(",");
          const [hours = 0, minutes = 0] = time.split(":").map(Number);
          const code = LONG[parameter];
          // -1 means unknown.
          return code && Number(value) >= 0 ? [toSample(code, Number(value), START + hours * HOUR_MS + minutes * MINUTE_MS)] : [];
        });
      return { name: basename(file, ".txt"), samples, hours: 48, septic: null };
    });
}

const BEDSIDE = [
  "",
  CODES.heart_rate,
  "",
  CODES.respiratory_rate,
  CODES.spo2,
  CODES.systolic,
  CODES.diastolic,
  CODES.mean_pressure,
];

function readBedsideStays(): Stay[] {
  return globSync(`${DATA}/bedside/*n.csv`).map((file) => {
    const rows = readFileSync(file, "utf8").trim().split("\n").slice(1);
    const samples = rows.flatMap((row, minute) => parseColumns(row, BEDSIDE, [], START + minute * MINUTE_MS));
    return { name: basename(file, ".csv"), samples, hours: rows.length / 60, septic: null };
  });
}

type AlarmFilter = (what: Transition["what"], alert: Alert) => boolean;
type Alarm = { at: number; rule: RuleName | "naive" | "score"; code: string | null };

/** Each crossing of a limit or critical limit from inside: what a monitor without alarm delay reports. */
function findNaiveAlarms({ samples }: Stay): Alarm[] {
  const before = new Map<string, string>();
  return samples.flatMap(({ code, value, at, status }) => {
    const limits = LIMITS[code];
    if (!limits || status === "invalid") return [];
    const where = locateValue(code, value, limits);
    const now = where ? `${where.side} ${where.critical}` : "";
    const alarms: Alarm[] = now && before.get(code) !== now ? [{ at, rule: "naive", code }] : [];
    before.set(code, now);
    return alarms;
  });
}

/** NEWS2 without oxygen and consciousness, last value carried forward, 0 points if unknown; alarms when it reaches `from`. */
function findScoreAlarms({ samples }: Stay, from: number): Alarm[] {
  const latest: Record<string, number> = {};
  let wasAbove = false;
  const alarms: Alarm[] = [];
  for (const [at, group] of groupByTime(samples)) {
    for (const { code, value, status } of group) if (status === "final") latest[code] = value;
    const isAbove = computePartialScore(latest) >= from;
    if (isAbove && !wasAbove) alarms.push({ at, rule: "score", code: null });
    wasAbove = isAbove;
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

function groupByTime(samples: readonly Sample[]): [number, Sample[]][] {
  const groups = new Map<number, Sample[]>();
  for (const sample of samples) groups.set(sample.at, [...(groups.get(sample.at) ?? []), sample]);
  return [...groups].sort(([a], [b]) => a - b);
}

const CONFIG: AlarmConfig = {
  monitoring: "home",
  limits: LIMITS,
  news2: null,
  watch: { mode: "spot", grace_ms: 15 * MINUTE_MS },
  devices: {},
  escalation: { high: [], medium: [], low: [] },
  repeat_minutes: { high: null, medium: null, low: null },
};
/** Delay until staff acknowledge an alarm. */
const ACKNOWLEDGE_DELAY_MS = 5 * MINUTE_MS;

const isNew: AlarmFilter = (what) => what === "raised";
const isHigh: AlarmFilter = (what, { priority }) => priority === "high" && (what === "raised" || what === "raised_priority");

/** Runs the engine as the product does: one step per set of values and per deadline; acknowledges after five minutes. */
function runEngine({ samples }: Stay, config: AlarmConfig, filter = isNew): Alarm[] {
  let memory = emptyMemory();
  const alarms: Alarm[] = [];
  const applyInput = (input: AlarmInput, now: number) => {
    const done = stepAlarms(memory, input, config, now);
    memory = done.state;
    for (const { what, alert, at } of done.transitions)
      if (filter(what, alert)) alarms.push({ at, rule: alert.rule, code: alert.code });
  };
  const advanceTo = (time: number) => {
    for (;;) {
      const answers = memory.alerts
        .filter((alert) => alert.acknowledged_at === null)
        .map((alert) => alert.raised_at + ACKNOWLEDGE_DELAY_MS);
      const due = Math.min(nextDeadline(memory, config) ?? time, ...answers);
      if (due >= time) return;
      const answered = memory.alerts.find(
        (alert) => alert.acknowledged_at === null && alert.raised_at + ACKNOWLEDGE_DELAY_MS <= due,
      );
      applyInput(
        answered ? { kind: "acknowledge", number: answered.number, by: "nurse" } : { kind: "tick" },
        Math.max(due, memory.now),
      );
    }
  };
  for (const [at, group] of groupByTime(samples)) {
    advanceTo(at);
    applyInput({ kind: "samples", device: null, samples: group }, at);
  }
  advanceTo((samples.at(-1)?.at ?? START) + HOUR_MS);
  return alarms;
}

/** Unrecorded consciousness counts as alert and unrecorded oxygen as air: otherwise NEWS2 would never be complete. */
function withAssumedValues(stay: Stay): Stay {
  const times = [...new Set(stay.samples.map((sample) => sample.at))];
  const known = new Set(stay.samples.filter((sample) => sample.code === CODES.inspired_oxygen).map((sample) => sample.at));
  const alert = times.map((at) => toSample(CODES.consciousness, 0, at));
  const air = times.filter((at) => !known.has(at)).map((at) => toSample(CODES.inspired_oxygen, 21, at));
  return { ...stay, samples: [...stay.samples, ...alert, ...air] };
}

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

const NEWS2_CONFIG: AlarmConfig = { ...CONFIG, news2: { scale: 1, window_ms: DAY_MS } };
const NEWS2_ONLY_CONFIG: AlarmConfig = { ...NEWS2_CONFIG, limits: NO_LIMITS };

const METHODS: Record<string, (stay: Stay) => Alarm[]> = {
  "bare limits, each crossing": findNaiveAlarms,
  "our limits": (stay) => runEngine(stay, { ...CONFIG, limits: LIMITS_WITHOUT_CHANGE }),
  "our limits, rate and trend": (stay) => runEngine(stay, CONFIG),
  "our trend": (stay) => runEngine(stay, CONFIG).filter((alarm) => alarm.rule === "trend"),
  "yardstick: NEWS2 from 5": (stay) => findScoreAlarms(stay, 5),
  "yardstick: NEWS2 from 7": (stay) => findScoreAlarms(stay, 7),
  "our NEWS2": (stay) => runEngine(withAssumedValues(stay), NEWS2_ONLY_CONFIG),
  "our NEWS2, high": (stay) => runEngine(withAssumedValues(stay), NEWS2_ONLY_CONFIG, isHigh),
  "all of ours": (stay) => runEngine(withAssumedValues(stay), NEWS2_CONFIG),
};

function alarmsPerDay(stays: readonly Stay[], alarms: readonly (readonly Alarm[])[]): number {
  const hours = stays.reduce((sum, stay) => sum + stay.hours, 0);
  return alarms.reduce((sum, of) => sum + of.length, 0) / (hours / 24);
}

/** First alarm between six hours before and nine hours after the label's start, in hours before it; null for none. */
function hoursBeforeOnset(stay: Stay, alarms: readonly Alarm[]): number | null {
  const label = stay.septic;
  if (label === null) return null;
  const times = alarms.map((alarm) => alarm.at).filter((at) => at >= label - 6 * HOUR_MS && at <= label + 9 * HOUR_MS);
  return times.length > 0 ? (label - Math.min(...times)) / HOUR_MS : null;
}

/** Share of such windows with an alarm in stays without sepsis: the detection rate by chance. */
function chanceRate(stays: readonly Stay[], alarms: readonly (readonly Alarm[])[]): number {
  let windows = 0;
  let hit = 0;
  for (const [index, { hours }] of stays.entries()) {
    for (let hour = 0; hour + 15 <= hours; hour += 1) {
      const from = START + hour * HOUR_MS;
      windows += 1;
      if (alarms[index]?.some(({ at }) => at >= from && at <= from + 15 * HOUR_MS)) hit += 1;
    }
  }
  return hit / windows;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}

function printReport(): void {
  const hourly = readHourlyStays();
  const septic = hourly.filter((stay) => stay.septic !== null);
  const others = hourly.filter((stay) => stay.septic === null);
  const long = readLongStays();
  const bedside = readBedsideStays();
  console.log(
    `${hourly.length} hourly stays (${septic.length} septic), ${long.length} of 48 hours, ${bedside.length} with minute data\n`,
  );
  const columns = ["method", "septic flagged", "by chance", "before the label", "median hours early"];
  console.log(row([...columns, "alarms per non-septic day", "per day, 48 h", "72 min"]));
  console.log(row(Array.from({ length: 8 }, () => "---")));
  for (const [method, alarmsOf] of Object.entries(METHODS)) {
    const flags = septic.map((stay) => hoursBeforeOnset(stay, alarmsOf(stay))).filter((hours) => hours !== null);
    const quiet = others.map(alarmsOf);
    const flagged = [`${flags.length} of ${septic.length}`, `${(100 * chanceRate(others, quiet)).toFixed(0)} %`];
    const early = [flags.filter((hours) => hours > 0).length, flags.length > 0 ? median(flags).toFixed(1) : "-"];
    const days = [alarmsPerDay(others, quiet), alarmsPerDay(long, long.map(alarmsOf))].map((rate) => rate.toFixed(2));
    console.log(row([method, ...flagged, ...early, ...days, bedside.flatMap(alarmsOf).length]));
  }
  printByVital(others);
}

/** Limit alarms per vital sign. */
function printByVital(stays: readonly Stay[]): void {
  const methods = ["bare limits, each crossing", "our limits"].flatMap((name) => METHODS[name] ?? []);
  const alarms = methods.map((alarmsOf) => stays.map(alarmsOf));
  console.log(`\n${row(["vital", "bare, per non-septic day", "ours"])}\n${row(["---", "---", "---"])}`);
  for (const code of Object.keys(LIMITS)) {
    const rates = alarms.map((of) =>
      alarmsPerDay(
        stays,
        of.map((each) => each.filter((alarm) => alarm.code === code)),
      ).toFixed(2),
    );
    if (rates.some((rate) => rate !== "0.00")) console.log(row([findVital(code)?.display ?? code, ...rates]));
  }
}

if (existsSync(DATA)) printReport();
else console.log(`No recordings at ${DATA}: nothing to evaluate`);
