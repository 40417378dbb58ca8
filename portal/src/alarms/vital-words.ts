// How vitals are written, also where there is little room: the same in every language.
import { number } from "../design/time.ts";
import { sayOf } from "../messages/index.ts";
import { CODES } from "./vital-codes.ts";

const NAMES = new Map<string, string>(Object.entries(CODES).map(([name, code]) => [code, name]));
const SIGNS: Readonly<Record<string, string>> = {
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
/** What 0 to 4 stand for. */
const ACVPU = "ACVPU";

/** In full, in the language that is set. */
export const vitalName = (code: string): string => sayOf("vital", NAMES.get(code) ?? code);
/** As on a monitor: HR, RR, SpO₂; in full where there is no such sign. */
export const vitalSign = (code: string): string => SIGNS[code] ?? vitalName(code);

/** A value without its unit. */
export function valueText(code: string, value: number): string {
  if (code === CODES.consciousness) return ACVPU[value] ?? number(value);
  return code === CODES.temperature ? number(value, 1) : number(Math.round(value * 10) / 10);
}

/** "86 %" */
export function valueWithUnit(code: string, value: number): string {
  const unit = UNITS[code];
  return unit ? `${valueText(code, value)} ${unit}` : valueText(code, value);
}
