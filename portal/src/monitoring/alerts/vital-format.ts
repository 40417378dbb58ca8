// Names, units and values of vital signs, short and long.
import { ACVPU, CODES } from "../../../../src/monitoring/vitals/codes.ts";
import { formatNumber } from "../../platform/design/format.ts";
import { translateCode } from "../../platform/messages/translate.ts";
import { findAbbreviation } from "../vitals/abbreviations.ts";
import { formatUcumUnit, getVitalName, getVitalUnit } from "../vitals/chart-catalogue.ts";

/** Full name in the current language. */
export const vitalName = (code: string): string => translateCode("vital", getVitalName(code));
/** Abbreviation as on a monitor (HR, RR, SpO₂), or the full name when there is none. */
export const vitalAbbreviation = (code: string): string => findAbbreviation(getVitalName(code)) ?? vitalName(code);

/** Value without its unit. */
export function formatVital(code: string, value: number): string {
  if (code === CODES.consciousness) return ACVPU[value] ?? formatNumber(value);
  return code === CODES.temperature ? formatNumber(value, 1) : formatNumber(Math.round(value * 10) / 10);
}

/** "86 %" */
export function formatVitalWithUnit(code: string, value: number): string {
  const unit = formatUcumUnit(getVitalUnit(getVitalName(code)));
  return unit ? `${formatVital(code, value)} ${unit}` : formatVital(code, value);
}
