// Abbreviations as on bedside monitors, the same in every language.

/** By name in the API (`heart_rate`) or id of a chart (`blood_pressure`). */
const BY_VITAL: Readonly<Record<string, string>> = {
  heart_rate: "HR",
  pulse_rate: "PR",
  arterial_pulse_rate: "PR art",
  respiratory_rate: "RR",
  spo2: "SpO₂",
  blood_pressure: "BP",
  systolic: "SBP",
  diastolic: "DBP",
  mean_pressure: "MAP",
  etco2: "EtCO₂",
};
/** NEWS2 parameters whose abbreviation differs from that of the vital sign. */
const BY_PARAMETER: Readonly<Record<string, string>> = { systolic: "BP" };
/** NEWS2 parameters that are abbreviated only where space is short. */
const BY_PARAMETER_SHORT: Readonly<Record<string, string>> = { oxygen: "O₂", pulse: "HR" };

/** Undefined when there is none. */
export const findAbbreviation = (vital: string): string | undefined => BY_VITAL[vital];
export const findParameterAbbreviation = (parameter: string): string | undefined =>
  BY_PARAMETER[parameter] ?? BY_VITAL[parameter];
/** For narrow cells. */
export const findShortParameterAbbreviation = (parameter: string): string | undefined =>
  BY_PARAMETER_SHORT[parameter] ?? findParameterAbbreviation(parameter);
