// Alarms on recorded patients: alarms per day with plain limits and with the rules, and how early septic deterioration is found.
import { existsSync } from "node:fs";
import { findVital } from "../src/monitoring/vitals/catalogue.ts";
import { printBedside } from "./alarms/bedside.ts";
import { alarmsPerDay, type Figures, intervals, summarize, tally } from "./alarms/figures.ts";
import { MARK_THRESHOLDS, METHODS } from "./alarms/methods.ts";
import { type Alarm, LIMITS } from "./alarms/play.ts";
import { DATA, readBedsideStays, readHourlyStays, readLongStays, type Stay } from "./alarms/recordings.ts";
import { row } from "./alarms/table.ts";

const percent = (value: number) => `${(100 * value).toFixed(0)} %`;

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
  console.log(`\n${row(["trend mark", ...COLUMNS.slice(1, 7)])}\n${row(COLUMNS.slice(0, 7).map(() => "---"))}`);
  for (const [thresholds, alarmsOf] of Object.entries(MARK_THRESHOLDS))
    console.log(row(describeMethod(thresholds, alarmsOf, development)));
  printByVital(others);
  for (const stay of bedside) printBedside(stay);
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
