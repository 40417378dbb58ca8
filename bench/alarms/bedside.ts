// The bedside monitor on a ward with all rules: how often its alarms begin to sound.
import type { AlarmConfig, Priority } from "../../src/monitoring/alarm-rules/model.ts";
import { findVital } from "../../src/monitoring/vitals/catalogue.ts";
import { type Alarm, CONFIG, isNew, runEngine } from "./play.ts";
import { MINUTE_MS, repeatStay, START, type Stay } from "./recordings.ts";
import { row } from "./table.ts";

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
export function printBedside(stay: Stay): void {
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
