// How vitals are written, also where there is little room: the same in every language.
import { ACVPU } from "../../../../src/monitoring/vitals/codes.ts";
import { formatNumber } from "../../platform/design/format.ts";
import { translateCode } from "../../platform/messages/translate.ts";
import { formatUcumUnit, getVitalName, getVitalUnit } from "../vitals/chart-catalogue.ts";
import { CODES } from "./vital-codes.ts";

const ABBREVIATIONS: Readonly<Record<string, string>> = {
  [CODES.heart_rate]: "HR",
  [CODES.respiratory_rate]: "RR",
  [CODES.spo2]: "SpO₂",
  [CODES.systolic]: "SBP",
  [CODES.diastolic]: "DBP",
  [CODES.mean_pressure]: "MAP",
  [CODES.etco2]: "EtCO₂",
};

/** In full, in the language that is set. */
export const vitalName = (code: string): string => translateCode("vital", getVitalName(code));
/** As on a monitor: HR, RR, SpO₂; in full where there is no such sign. */
export const vitalAbbreviation = (code: string): string => ABBREVIATIONS[code] ?? vitalName(code);

/** A value without its unit. */
export function formatVital(code: string, value: number): string {
  if (code === CODES.consciousness) return ACVPU[value] ?? formatNumber(value);
  return code === CODES.temperature ? formatNumber(value, 1) : formatNumber(Math.round(value * 10) / 10);
}

/** "86 %" */
export function formatVitalWithUnit(code: string, value: number): string {
  const unit = formatUcumUnit(getVitalUnit(getVitalName(code)));
  return unit ? `${formatVital(code, value)} ${unit}` : formatVital(code, value);
}
