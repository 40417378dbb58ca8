// Translated alarm texts: the API's own sentence is in English.
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { formatDateTime, formatDuration, formatNumber } from "../../platform/design/format.ts";
import { t } from "../../platform/messages/translate.ts";
import { formatVital, formatVitalWithUnit, vitalAbbreviation, vitalName } from "./vital-format.ts";

type DescribedAlarm = Pick<AlertView, "rule" | "code" | "priority" | "why">;

/** Device conditions are named only in the API's sentence. */
const getDeviceCondition = ({ text }: DescribedAlarm["why"]): string => /: (.+)$/.exec(text)?.[1] ?? text;

/** One sentence with the value and the limit: "SpO₂ 86 %, limit 90". */
export function describeAlarm({ rule, code, priority, why }: DescribedAlarm): string {
  const vital = code === null ? "" : vitalAbbreviation(code);
  const formatValue = (value: number | null, withUnit: boolean) =>
    value === null || code === null ? "" : withUnit ? formatVitalWithUnit(code, value) : formatVital(code, value);
  switch (rule) {
    case "limit":
      return t(priority === "high" ? "alarms.why.critical" : "alarms.why.limit", {
        vital,
        value: formatValue(why.value, true),
        bound: formatValue(why.bound, false),
      });
    case "rate":
      return t(why.side === "low" ? "alarms.why.falls" : "alarms.why.rises", {
        vital,
        value: formatNumber(Math.abs(why.value ?? 0)),
        bound: formatNumber(why.bound ?? 0),
      });
    case "trend":
      return t(why.side === "low" ? "alarms.why.trend_low" : "alarms.why.trend_high", {
        vital,
        value: formatValue(why.value, true),
        bound: formatValue(why.bound, true),
      });
    case "news2":
      // Three points in one parameter raise an alarm of their own, whatever the total is.
      return (why.bound ?? 0) < 5
        ? t("alarms.why.news2_single", { value: why.value ?? "" })
        : t("alarms.why.news2", { value: why.value ?? "", bound: why.bound ?? "" });
    case "silence":
      return t("alarms.why.silence", { vital: code === null ? "" : vitalName(code), span: formatDuration(why.window_s ?? 0) });
    case "device_silence":
      return t("alarms.why.device_silence", { span: formatDuration(why.window_s ?? 0) });
    case "late_critical":
      return t("alarms.why.late_critical", {
        vital,
        value: formatValue(why.value, true),
        bound: formatValue(why.bound, false),
        time: formatDateTime(why.measured_at ?? ""),
      });
    case "technical":
      return describeTechnicalAlarm(getDeviceCondition(why));
  }
}

function describeTechnicalAlarm(what: string): string {
  if (what === "leads_off") return t("alarms.why.leads_off");
  if (what === "low_battery") return t("alarms.why.low_battery");
  return t("alarms.why.technical", { what: what.replaceAll("_", " ") });
}

/** Short text for a board cell: "SpO₂ ≤ 91". */
export function abbreviateAlarm({ rule, code, why }: DescribedAlarm): string {
  const vital = code === null ? "" : vitalAbbreviation(code);
  const bound = why.bound === null || code === null ? "" : formatVital(code, why.bound);
  switch (rule) {
    case "limit":
      return `${vital} ${why.side === "low" ? "≤" : "≥"} ${bound}`;
    case "rate":
      return `${vital} ${why.side === "low" ? "↓" : "↑"} ${formatNumber(Math.abs(why.value ?? 0))}/min`;
    case "trend":
      return t("alarms.short.trend", { vital });
    case "news2":
      return `NEWS2 ${why.value ?? ""}`;
    case "silence":
      return t("alarms.short.no_data", { vital });
    case "device_silence":
      return t("alarms.short.device");
    case "late_critical":
      return t("alarms.short.late_critical", { vital });
    case "technical":
      return getDeviceCondition(why) === "leads_off"
        ? t("alarms.short.leads_off")
        : getDeviceCondition(why) === "low_battery"
          ? t("alarms.short.low_battery")
          : t("alarms.short.technical");
  }
}
