// What an alarm is about, in the language that is set: the API's own sentence is English.
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import { number, span } from "../design/time.ts";
import { say } from "../messages/index.ts";
import { valueText, valueWithUnit, vitalName, vitalSign } from "./vital-words.ts";

type Told = Pick<AlertView, "rule" | "code" | "priority" | "why">;

/** A device's condition has a word of its own only in the API's sentence. */
const conditionOf = ({ text }: Told["why"]): string => /: (\S+)$/.exec(text)?.[1] ?? text;

/** One sentence with the value and the limit: "SpO₂ 86 %, limit 90". */
export function whatOf({ rule, code, priority, why }: Told): string {
  const vital = code === null ? "" : vitalSign(code);
  const shown = (value: number | null, withUnit: boolean) =>
    value === null || code === null ? "" : withUnit ? valueWithUnit(code, value) : valueText(code, value);
  switch (rule) {
    case "limit":
      return say(priority === "high" ? "alarms.why.critical" : "alarms.why.limit", {
        vital,
        value: shown(why.value, true),
        bound: shown(why.bound, false),
      });
    case "rate":
      return say(why.side === "low" ? "alarms.why.falls" : "alarms.why.rises", {
        vital,
        value: number(Math.abs(why.value ?? 0)),
        bound: number(why.bound ?? 0),
      });
    case "trend":
      return say(why.side === "low" ? "alarms.why.trend_low" : "alarms.why.trend_high", {
        vital,
        value: shown(why.value, true),
        bound: shown(why.bound, true),
      });
    case "news2":
      // Three points in one parameter are an alarm of their own, whatever the sum is.
      return (why.bound ?? 0) < 5
        ? say("alarms.why.news2_single", { value: why.value ?? "" })
        : say("alarms.why.news2", { value: why.value ?? "", bound: why.bound ?? "" });
    case "silence":
      return say("alarms.why.silence", { vital: code === null ? "" : vitalName(code), span: span(why.window_s ?? 0) });
    case "device_silence":
      return say("alarms.why.device_silence", { span: span(why.window_s ?? 0) });
    case "technical":
      return technical(conditionOf(why));
  }
}

function technical(what: string): string {
  if (what === "leads_off") return say("alarms.why.leads_off");
  if (what === "low_battery") return say("alarms.why.low_battery");
  return say("alarms.why.technical", { what: what.replaceAll("_", " ") });
}

/** For a cell of the board: "SpO₂ ≤ 91". */
export function briefOf({ rule, code, why }: Told): string {
  const vital = code === null ? "" : vitalSign(code);
  const bound = why.bound === null || code === null ? "" : valueText(code, why.bound);
  switch (rule) {
    case "limit":
      return `${vital} ${why.side === "low" ? "≤" : "≥"} ${bound}`;
    case "rate":
      return `${vital} ${why.side === "low" ? "↓" : "↑"} ${number(Math.abs(why.value ?? 0))}/min`;
    case "trend":
      return say("alarms.short.trend", { vital });
    case "news2":
      return `NEWS2 ${why.value ?? ""}`;
    case "silence":
      return say("alarms.short.no_data", { vital });
    case "device_silence":
      return say("alarms.short.device");
    case "technical":
      return conditionOf(why) === "leads_off"
        ? say("alarms.short.leads_off")
        : conditionOf(why) === "low_battery"
          ? say("alarms.short.low_battery")
          : say("alarms.short.technical");
  }
}
