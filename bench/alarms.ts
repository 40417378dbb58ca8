// Alarms on recorded patients: alarms per day with plain limits and with the rules, and how early septic deterioration is found.
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { type AlarmMemory, emptyMemory, nextDeadline, stepAlarms } from "../src/monitoring/alarm-rules/engine.ts";
import { locateValue } from "../src/monitoring/alarm-rules/limit-rule.ts";
import type { AlarmConfig, AlarmInput, Alert, Priority, RuleName, Transition } from "../src/monitoring/alarm-rules/model.ts";
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
  CODES.pulse_rate,
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

/** The same hour again and again, as long as the stays of two days. */
function repeatStay(stay: Stay, hours: number): Stay {
  const lengthMs = stay.hours * HOUR_MS;
  const rounds = Math.ceil(hours / stay.hours);
  const samples = Array.from({ length: rounds }, (_, round) =>
    stay.samples.map((sample) => ({ ...sample, at: sample.at + round * lengthMs })),
  ).flat();
  return { ...stay, samples: samples.filter(({ at }) => at < START + hours * HOUR_MS), hours };
}

type AlarmFilter = (what: Transition["what"], alert: Alert) => boolean;
/** `until`: when it ended, infinite at the end of the recording. */
type Alarm = {
  at: number;
  until: number;
  rule: RuleName | "naive" | "score";
  code: string | null;
  priority?: Priority;
  value?: number | null;
};

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
  sustained: null,
  devices: { monitor: { silence_s: 60, isContinuous: true } },
  escalation: { high: [], medium: [], low: [] },
  repeat_minutes: { high: null, medium: null, low: null },
};
/** Delay until staff acknowledge an alarm. */
const ACKNOWLEDGE_DELAY_MS = 5 * MINUTE_MS;

const isNew: AlarmFilter = (what) => what === "raised";
/** Begins to sound: raised with a sound, or silent and now sounding. */
const isSounding: AlarmFilter = (what, { sounds }) => (what === "raised" || what === "raised_sound") && sounds !== false;
const isHigh: AlarmFilter = (what, { priority }) => priority === "high" && (what === "raised" || what === "raised_priority");

/** Runs the engine as the product does: one step per set of values and per deadline; acknowledges after five minutes. */
function runEngine(
  { samples }: Stay,
  config: AlarmConfig,
  filter = isNew,
  onStep: (memory: AlarmMemory) => void = () => {},
): Alarm[] {
  let memory = emptyMemory();
  const alarms: Alarm[] = [];
  const open = new Map<number, Alarm>();
  const close = (number: number, at: number) => {
    const alarm = open.get(number);
    if (alarm) alarm.until = at;
    open.delete(number);
  };
  const applyInput = (input: AlarmInput, now: number) => {
    const done = stepAlarms(memory, input, config, now);
    memory = done.state;
    onStep(memory);
    for (const { what, alert, at } of done.transitions) {
      if (what === "recovered" || what === "cleared") close(alert.number, at);
      if (!filter(what, alert)) continue;
      close(alert.number, at);
      const { rule, code, priority, why } = alert;
      const alarm: Alarm = { at, until: Number.POSITIVE_INFINITY, rule, code, priority, value: why.value };
      open.set(alert.number, alarm);
      alarms.push(alarm);
    }
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
    applyInput({ kind: "samples", device: "monitor", samples: group }, at);
  }
  advanceTo((samples.at(-1)?.at ?? START) + HOUR_MS);
  return alarms;
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
  const alarms: Alarm[] = [];
  let open: Alarm | null = null;
  runEngine(withCarriedValues(stay), SUSTAINED_CONFIG, isNew, ({ now, news2 }) => {
    const isOn = news2.sustained?.state.isOn ?? false;
    if (isOn === (open !== null)) return;
    if (open) open.until = now;
    open = isOn ? { at: now, until: Number.POSITIVE_INFINITY, rule: "news2", code: null } : null;
    if (open) alarms.push(open);
  });
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

const METHODS: Record<string, (stay: Stay) => Alarm[]> = {
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
  "EdgeCare: all rules, NEWS2 sustained": findAllAlarmsSustained,
  "EdgeCare: all rules, NEWS2 chart": findAllAlarms,
};

function alarmsPerDay(stays: readonly Stay[], alarms: readonly (readonly Alarm[])[]): number {
  const hours = stays.reduce((sum, stay) => sum + stay.hours, 0);
  return alarms.reduce((sum, of) => sum + of.length, 0) / (hours / 24);
}

/** Between six hours before and nine hours after the start of the label. */
const WINDOW_HOURS = 15;
const HOURS_BEFORE_LABEL = 6;

/** Two ways to count a window: an alarm that is on in it, which may stand since long before, or one that was raised in it. */
const COUNTS = {
  on: (alarm: Alarm, from: number, to: number) => alarm.at <= to && alarm.until > from,
  raised: (alarm: Alarm, from: number, to: number) => alarm.at >= from && alarm.at <= to,
} as const;
type Count = keyof typeof COUNTS;

function isFlagged(alarms: readonly Alarm[], from: number, count: Count): boolean {
  return alarms.some((alarm) => COUNTS[count](alarm, from, from + WINDOW_HOURS * HOUR_MS));
}

/** What one stay adds to each figure. */
type Tally = {
  septic: boolean;
  flagged: Record<Count, boolean>;
  windows: number;
  byChance: Record<Count, number>;
  raised: number;
  hours: number;
  hoursOn: number;
};

function tally(stay: Stay, alarms: readonly Alarm[]): Tally {
  const from = (stay.septic ?? 0) - HOURS_BEFORE_LABEL * HOUR_MS;
  const starts = Array.from({ length: Math.max(0, stay.hours - WINDOW_HOURS + 1) }, (_, hour) => START + hour * HOUR_MS);
  const chance = (count: Count) => starts.filter((start) => isFlagged(alarms, start, count)).length;
  return {
    septic: stay.septic !== null,
    flagged: { on: isFlagged(alarms, from, "on"), raised: isFlagged(alarms, from, "raised") },
    windows: starts.length,
    byChance: { on: chance("on"), raised: chance("raised") },
    raised: alarms.length,
    hours: stay.hours,
    hoursOn: hoursUnderAlarm(stay, alarms),
  };
}

/** Hours with at least one alarm on. */
function hoursUnderAlarm({ hours }: Stay, alarms: readonly Alarm[]): number {
  const end = START + hours * HOUR_MS;
  let covered = START;
  let total = 0;
  for (const { at, until } of alarms.toSorted((a, b) => a.at - b.at)) {
    const from = Math.max(at, covered);
    const to = Math.min(until, end);
    if (to > from) total += to - from;
    covered = Math.max(covered, to);
  }
  return total / HOUR_MS;
}

type Figures = Record<"on" | "onByChance" | "raised" | "raisedByChance" | "perDay" | "share", number>;

function summarize(tallies: readonly Tally[]): Figures {
  const septic = tallies.filter((one) => one.septic);
  const others = tallies.filter((one) => !one.septic);
  const sum = (of: readonly Tally[], value: (one: Tally) => number) => of.reduce((total, one) => total + value(one), 0);
  const windows = sum(others, (one) => one.windows);
  return {
    on: sum(septic, (one) => Number(one.flagged.on)) / septic.length,
    onByChance: sum(others, (one) => one.byChance.on) / windows,
    raised: sum(septic, (one) => Number(one.flagged.raised)) / septic.length,
    raisedByChance: sum(others, (one) => one.byChance.raised) / windows,
    perDay: sum(others, (one) => one.raised) / (sum(others, (one) => one.hours) / 24),
    share: sum(others, (one) => one.hoursOn) / sum(others, (one) => one.hours),
  };
}

const RESAMPLES = 1_000;
const SEED = 20_261_129;

/** Mulberry32: the same resamples in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** 95 % intervals by bootstrap over stays, septic and others apart (percentile method, Efron 1979). */
function intervals(tallies: readonly Tally[]): Record<keyof Figures, [number, number]> {
  const random = createRandom(SEED);
  const groups = [true, false].map((septic) => tallies.filter((one) => one.septic === septic));
  const drawn = Array.from({ length: RESAMPLES }, () =>
    summarize(groups.flatMap((group) => group.flatMap(() => group[Math.floor(random() * group.length)] ?? []))),
  );
  const interval = (name: keyof Figures): [number, number] => {
    const sorted = drawn.map((one) => one[name]).sort((a, b) => a - b);
    return [sorted[Math.floor(RESAMPLES * 0.025)] ?? Number.NaN, sorted[Math.floor(RESAMPLES * 0.975)] ?? Number.NaN];
  };
  return {
    on: interval("on"),
    onByChance: interval("onByChance"),
    raised: interval("raised"),
    raisedByChance: interval("raisedByChance"),
    perDay: interval("perDay"),
    share: interval("share"),
  };
}

const percent = (value: number) => `${(100 * value).toFixed(0)} %`;

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}

const COLUMNS = [
  "method",
  "on",
  "by chance",
  "raised",
  "by chance",
  "new per day",
  "time under alarm",
  "per day, 48 h",
  "72 min",
];

function describeMethod(method: string, alarmsOf: (stay: Stay) => Alarm[], hourly: readonly Stay[]): string[] {
  const tallies = hourly.map((stay) => tally(stay, alarmsOf(stay)));
  const found = summarize(tallies);
  const range = intervals(tallies);
  const share = (name: keyof Figures) =>
    `${percent(found[name])} (${range[name].map((end) => (100 * end).toFixed(0)).join("-")})`;
  const perDay = `${found.perDay.toFixed(2)} (${range.perDay.map((end) => end.toFixed(2)).join("-")})`;
  return [method, share("on"), share("onByChance"), share("raised"), share("raisedByChance"), perDay, share("share")];
}

function printReport(): void {
  const hourly = readHourlyStays();
  const others = hourly.filter((stay) => stay.septic === null);
  const long = readLongStays();
  const bedside = readBedsideStays();
  console.log(
    `${hourly.length} hourly stays (${hourly.length - others.length} septic), ${long.length} of 48 hours, ${bedside.length} with minute data\n`,
  );
  console.log(row(COLUMNS));
  console.log(row(COLUMNS.map(() => "---")));
  for (const [method, alarmsOf] of Object.entries(METHODS)) {
    const perDay = alarmsPerDay(long, long.map(alarmsOf)).toFixed(2);
    console.log(row([...describeMethod(method, alarmsOf, hourly), perDay, bedside.flatMap(alarmsOf).length]));
  }
  // The rules were developed on every second stay by name.
  const development = hourly.filter((_, index) => index % 2 === 0);
  console.log(
    `\n${development.length} development stays\n\n${row(COLUMNS.slice(0, 7))}\n${row(COLUMNS.slice(0, 7).map(() => "---"))}`,
  );
  for (const [method, alarmsOf] of Object.entries(METHODS))
    if (method.includes("NEWS2")) console.log(row(describeMethod(method, alarmsOf, development)));
  printByVital(others);
  for (const stay of bedside) printBedside(stay);
}

const TONES: readonly (Priority | null)[] = ["high", "medium", "low", null];

/** How often the portal's tone begins or becomes more urgent: one tone, of the most urgent alarm that nobody has acknowledged. */
function countTones(stay: Stay, config: AlarmConfig): number {
  let before = TONES.length - 1;
  let count = 0;
  runEngine(stay, config, isNew, ({ alerts }) => {
    const tone = TONES.findIndex(
      (one) => one === null || alerts.some(({ state, priority }) => state === "active" && priority === one),
    );
    if (tone < before) count += 1;
    before = tone;
  });
  return count;
}

/** A bedside monitor on a ward, with all rules, in its own length and as 32 hours. */
function printBedside(stay: Stay): void {
  const config: AlarmConfig = { ...CONFIG, monitoring: "ward", watch: { ...CONFIG.watch, mode: "continuous" } };
  console.log(`\n${row(["bedside monitor", "alarms", "high", "of value 0", "silence", "begins to sound"])}`);
  console.log(row(Array.from({ length: 6 }, () => "---")));
  for (const [name, one] of [
    ["72 minutes", stay],
    ["repeated for 32 hours", repeatStay(stay, 32)],
  ] as const) {
    const alarms = runEngine(one, config);
    const count = (is: (alarm: Alarm) => boolean) => alarms.filter(is).length;
    const high = count(({ priority }) => priority === "high");
    const zero = count(({ priority, value }) => priority === "high" && value === 0);
    console.log(row([name, alarms.length, high, zero, count(({ rule }) => /silence/.test(rule)), countTones(one, config)]));
    if (one === stay)
      for (const { at, rule, code, priority, value } of alarms)
        console.log(
          `  minute ${(at - START) / MINUTE_MS}: ${priority} ${rule} ${findVital(code ?? "")?.display ?? ""} ${value ?? ""}`,
        );
  }
}

/** Limit alarms per vital sign. */
function printByVital(stays: readonly Stay[]): void {
  const methods = ["plain limits, each crossing", "EdgeCare: limits"].flatMap((name) => METHODS[name] ?? []);
  const alarms = methods.map((alarmsOf) => stays.map(alarmsOf));
  console.log(`\n${row(["vital", "plain limits, per non-septic day", "EdgeCare"])}\n${row(["---", "---", "---"])}`);
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
