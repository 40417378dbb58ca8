// Translated alarm texts: the API's own sentence is in English.

import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { CODES } from "../../../../src/monitoring/vitals/codes.ts";
import { formatAge, formatDateTime, formatDuration, formatNumber } from "../../platform/design/format.ts";
import { t } from "../../platform/messages/translate.ts";
import type { AlarmNow } from "./alarm-now.ts";
import { formatVital, formatVitalWithUnit, vitalAbbreviation, vitalName } from "./vital-format.ts";

type DescribedAlarm = Pick<AlertView, "rule" | "code" | "priority" | "why">;

/** Device conditions are named only in the API's sentence. */
const getDeviceCondition = ({ text }: DescribedAlarm["why"]): string => /: (.+)$/.exec(text)?.[1] ?? text;

/** "17 now, 7 when raised, up 10"; the value when the alarm was raised alone if there is nothing to compare it with. */
function compareValues(then: number | null, now: AlarmNow | null, format: (value: number) => string): string {
  if (then === null || now === null) return then === null ? "" : format(then);
  const raised = t("alarms.now.raised", { value: format(then) });
  if (now.kind === "unknown") return `${t("alarms.now.unknown")}, ${raised}`;
  const value = format(now.value);
  const current =
    now.kind === "current" ? t("alarms.now.current", { value }) : t("alarms.now.old", { value, age: formatAge(now.ageS) });
  // Rounded, since 0.1 + 0.2 is not 0.3; an old value has no direction.
  const change = Math.round((now.value - then) * 10) / 10;
  if (now.kind === "old") return `${current}, ${raised}`;
  const size = formatNumber(Math.abs(change));
  const direction =
    change === 0 ? t("alarms.now.same") : change > 0 ? t("alarms.now.up", { n: size }) : t("alarms.now.down", { n: size });
  return `${current}, ${raised}, ${direction}`;
}

/** The value now beside an alarm whose own value is a rate. */
function describeCurrent(now: AlarmNow | null, format: (value: number) => string): string {
  if (now === null) return "";
  if (now.kind === "unknown") return `${t("alarms.now.unknown")}, `;
  const value = format(now.value);
  return `${now.kind === "current" ? t("alarms.now.current", { value }) : t("alarms.now.old", { value, age: formatAge(now.ageS) })}, `;
}

/**
 * One sentence with the value and the limit: "SpO₂ 86 %, limit 90".
 * @param now "SpO₂ 79 % now, 86 % when raised, down 7, limit 90"; null for the moment when it was raised alone
 */
export function describeAlarm({ rule, code, priority, why }: DescribedAlarm, now: AlarmNow | null = null): string {
  const withUnit = (value: number) => (code === null ? "" : formatVitalWithUnit(code, value));
  const vital = code === null ? "" : vitalAbbreviation(code);
  const formatValue = (value: number | null, withUnit: boolean) =>
    value === null || code === null ? "" : withUnit ? formatVitalWithUnit(code, value) : formatVital(code, value);
  switch (rule) {
    case "limit":
      if (code === CODES.respiratory_rate && why.value === 0)
        return t("alarms.why.apnoea", { vital, value: formatValue(why.value, true) });
      if (code !== null && why.values && why.values.length > 1)
        return t(priority === "high" ? "alarms.why.pressures_critical" : "alarms.why.pressures", {
          values: why.values.map((one) => `${vitalAbbreviation(one.code)} ${formatVital(one.code, one.value)}`).join(", "),
          vital,
          bound: formatVitalWithUnit(code, why.bound ?? 0),
        });
      return t(priority === "high" ? "alarms.why.critical" : "alarms.why.limit", {
        vital,
        value: compareValues(why.value, now, withUnit),
        bound: formatValue(why.bound, false),
      });
    case "rate":
      return t(why.side === "low" ? "alarms.why.falls" : "alarms.why.rises", {
        vital: now === null ? vital : `${vital} ${describeCurrent(now, withUnit)}`.trimEnd(),
        value: formatNumber(Math.abs(why.value ?? 0)),
        bound: formatNumber(why.bound ?? 0),
      });
    case "trend":
      return t(why.side === "low" ? "alarms.why.trend_low" : "alarms.why.trend_high", {
        vital,
        value: compareValues(why.value, now, withUnit),
        bound: formatValue(why.bound, true),
      });
    case "unit":
      return t("alarms.why.unit", { vital, value: formatNumber(why.value ?? 0) });
    case "news2":
      // Three points in one parameter raise an alarm of their own, whatever the total is.
      return (why.bound ?? 0) < 5
        ? t("alarms.why.news2_single", { value: compareValues(why.value, now, formatNumber) })
        : t("alarms.why.news2", { value: compareValues(why.value, now, formatNumber), bound: why.bound ?? "" });
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
    case "observations_due":
      return t("alarms.why.observations_due");
    case "technical":
      if (code !== null) return t("alarms.why.sensor", { vital, value: formatValue(why.value, true) });
      return describeTechnicalAlarm(getDeviceCondition(why));
  }
}

function describeTechnicalAlarm(what: string): string {
  if (what === "leads_off") return t("alarms.why.leads_off");
  if (what === "low_battery") return t("alarms.why.low_battery");
  return t("alarms.why.technical", { what: what.replaceAll("_", " ") });
}

/** Short text for a board cell: "SpO₂ ≤ 91", whose value now is in its own cell; "NEWS2 7 → 17". */
export function abbreviateAlarm({ rule, code, why }: DescribedAlarm, now: AlarmNow | null = null): string {
  const vital = code === null ? "" : vitalAbbreviation(code);
  const bound = why.bound === null || code === null ? "" : formatVital(code, why.bound);
  switch (rule) {
    case "limit":
      return `${vital} ${why.side === "low" ? "≤" : "≥"} ${bound}`;
    case "rate":
      return `${vital} ${why.side === "low" ? "↓" : "↑"} ${formatNumber(Math.abs(why.value ?? 0))}/min`;
    case "trend":
      return t("alarms.short.trend", { vital });
    case "unit":
      return t("alarms.short.unit", { vital });
    case "news2":
      return `NEWS2 ${why.value ?? ""}${now === null ? "" : ` → ${now.kind === "current" ? now.value : "?"}`}`;
    case "silence":
      return t("alarms.short.no_data", { vital });
    case "device_silence":
      return t("alarms.short.device");
    case "late_critical":
      return t("alarms.short.late_critical", { vital });
    case "observations_due":
      return t("alarms.short.observations_due");
    case "technical":
      if (code !== null) return t("alarms.short.sensor", { vital });
      return getDeviceCondition(why) === "leads_off"
        ? t("alarms.short.leads_off")
        : getDeviceCondition(why) === "low_battery"
          ? t("alarms.short.low_battery")
          : t("alarms.short.technical");
  }
}
