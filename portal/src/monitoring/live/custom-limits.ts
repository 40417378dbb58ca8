// Limits that somebody moved, in words.
import type { LimitsInForce } from "../../../../src/monitoring/patient-object/contract.ts";
import { t } from "../../platform/messages/translate.ts";
import { formatVital, vitalAbbreviation } from "../alerts/vital-format.ts";

/** Stands before limits that are not the defaults. */
export const CUSTOM_LIMITS_MARK = "✎";

/** "85–100", "≥ 85", "≤ 130", or that there are none. */
function formatLimitRange({ code, critical_low, low, high, critical_high }: LimitsInForce): string {
  const formatValue = (value: number) => formatVital(code, value);
  const [bottom, top] = [low ?? critical_low, high ?? critical_high];
  if (bottom === null) return top === null ? t("limits.off") : `≤ ${formatValue(top)}`;
  return top === null ? `≥ ${formatValue(bottom)}` : `${formatValue(bottom)}–${formatValue(top)}`;
}

/** @param customLimits of one value, set by the same @returns null where nothing was moved */
export function describeCustomLimits(customLimits: readonly LimitsInForce[]): string | null {
  if (customLimits.length === 0) return null;
  const range = customLimits
    .map((one) => (customLimits.length > 1 ? `${vitalAbbreviation(one.code)} ${formatLimitRange(one)}` : formatLimitRange(one)))
    .join(", ");
  return customLimits[0]?.set_by === "patient" ? t("limits.of_patient", { range }) : t("limits.of_ward", { range });
}

/** As short as it can be, of this patient's own: the ward's are said once, above. */
export const formatPatientRanges = (customLimits: readonly LimitsInForce[]): string | null =>
  customLimits[0]?.set_by === "patient" ? customLimits.map(formatLimitRange).join(" ") : null;
