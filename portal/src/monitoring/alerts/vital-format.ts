// Names, units and values of vital signs, short and long.
import { formatNumber } from "../../platform/design/format.ts";
import { translateCode } from "../../platform/messages/translate.ts";
import { CODES } from "./vital-codes.ts";

const NAMES = new Map<string, string>(Object.entries(CODES).map(([name, code]) => [code, name]));
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  [CODES.heart_rate]: "HR",
  [CODES.respiratory_rate]: "RR",
  [CODES.spo2]: "SpO₂",
  [CODES.systolic]: "SBP",
  [CODES.diastolic]: "DBP",
  [CODES.mean_pressure]: "MAP",
  [CODES.etco2]: "EtCO₂",
};
const UNITS: Readonly<Record<string, string>> = {
  [CODES.heart_rate]: "/min",
  [CODES.respiratory_rate]: "/min",
  [CODES.spo2]: "%",
  [CODES.systolic]: "mmHg",
  [CODES.diastolic]: "mmHg",
  [CODES.mean_pressure]: "mmHg",
  [CODES.temperature]: "°C",
  [CODES.glucose]: "mg/dL",
  [CODES.etco2]: "mmHg",
};
/** Labels of the consciousness values 0 to 4. */
const CONSCIOUSNESS_LETTERS = "ACVPU";

/** Full name in the current language. */
export const vitalName = (code: string): string => translateCode("vital", NAMES.get(code) ?? code);
/** Abbreviation as on a monitor (HR, RR, SpO₂), or the full name when there is none. */
export const vitalAbbreviation = (code: string): string => ABBREVIATIONS[code] ?? vitalName(code);

/** Value without its unit. */
export function formatVital(code: string, value: number): string {
  if (code === CODES.consciousness) return CONSCIOUSNESS_LETTERS[value] ?? formatNumber(value);
  return code === CODES.temperature ? formatNumber(value, 1) : formatNumber(Math.round(value * 10) / 10);
}

/** "86 %" */
export function formatVitalWithUnit(code: string, value: number): string {
  const unit = UNITS[code];
  return unit ? `${formatVital(code, value)} ${unit}` : formatVital(code, value);
}
