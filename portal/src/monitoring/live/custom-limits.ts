// Texts of limits that differ from the defaults.
import type { LimitsInForce } from "../../../../src/monitoring/patient-object/contract.ts";
import { t } from "../../platform/messages/translate.ts";
import { formatVital, vitalAbbreviation } from "../alerts/vital-format.ts";

/** Marker of limits that are not the defaults. */
export const CUSTOM_LIMITS_MARK = "✎";

/** "85–100", "≥ 85", "≤ 130", or that there are none. */
function formatLimitRange({ code, critical_low, low, high, critical_high }: LimitsInForce): string {
  const formatValue = (value: number) => formatVital(code, value);
  const [bottom, top] = [low ?? critical_low, high ?? critical_high];
  if (bottom === null) return top === null ? t("limits.off") : `≤ ${formatValue(top)}`;
  return top === null ? `≥ ${formatValue(bottom)}` : `${formatValue(bottom)}–${formatValue(top)}`;
}

/** @param customLimits of one value, from one source @returns null when there are none */
export function describeCustomLimits(customLimits: readonly LimitsInForce[]): string | null {
  if (customLimits.length === 0) return null;
  const range = customLimits
    .map((one) => (customLimits.length > 1 ? `${vitalAbbreviation(one.code)} ${formatLimitRange(one)}` : formatLimitRange(one)))
    .join(", ");
  return customLimits[0]?.set_by === "patient" ? t("limits.of_patient", { range }) : t("limits.of_ward", { range });
}

/** Short form for the patient's own limits: ward limits are shown once, in the column head. */
export const formatPatientRanges = (customLimits: readonly LimitsInForce[]): string | null =>
  customLimits[0]?.set_by === "patient" ? customLimits.map(formatLimitRange).join(" ") : null;
