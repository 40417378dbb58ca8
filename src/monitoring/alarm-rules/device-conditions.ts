// The vocabulary of conditions that devices report: technical alarm conditions in the terms of ISO/IEEE 11073-10101.

/**
 * Words of the API with the reference id of ISO/IEEE 11073-10101 (partition 3, events), which vendors' systems send. The names
 * agree with DICOM PS3.16 CID 3039 where it has them. IEC 60601-1-8 calls them technical alarm conditions.
 */
export const DEVICE_CONDITIONS: Readonly<Record<string, string>> = {
  leads_off: "MDC_EVT_LEAD_OFF",
  lead_disconnected: "MDC_EVT_LEAD_DISCONN",
  sensor_disconnected: "MDC_EVT_SENSOR_DISCONN",
  sensor_fault: "MDC_EVT_SENSOR_MALF",
  transducer_absent: "MDC_EVT_XDUCR_ABSENT",
  transducer_disconnected: "MDC_EVT_XDUCR_DISCONN",
  transducer_fault: "MDC_EVT_XDUCR_MALF",
  artifact: "MDC_EVT_WAVE_ARTIF_ERR",
  cuff_incorrect: "MDC_EVT_CUFF_INCORRECT",
  cuff_leak: "MDC_EVT_CUFF_LEAK",
  cuff_loose: "MDC_EVT_CUFF_LOOSE",
  cuff_not_deflated: "MDC_EVT_CUFF_NOT_DEFLATED",
  cuff_overinflated: "MDC_EVT_CUFF_INFLAT_OVER",
  cuff_position: "MDC_EVT_CUFF_POSN_ERR",
  flow_low: "MDC_EVT_FLOW_LO",
  line_air: "MDC_EVT_FLUID_LINE_AIR",
  line_occluded: "MDC_EVT_FLUID_LINE_OCCL",
  low_battery: "MDC_EVT_BATT_LO",
  battery_depleted: "MDC_EVT_BATT_DEPL",
  battery_service: "MDC_EVT_BATT_SERV",
  power_line_problem: "MDC_EVT_ELEC_PWR_LINE_PROB",
  power_supply_problem: "MDC_EVT_POWER_SUPPLY_PROB",
  device_fault: "MDC_EVT_MALF",
};

/** Stands for every word outside of the vocabulary. */
export const OTHER_CONDITION = "other";
/** Stands for conditions that change too often to have an alert each (condition-rule.ts). */
export const CHANGING_CONDITION = "changing_conditions";
/** Limits per report of a device, of known and of other words. */
const MAX_CONDITIONS = 16;
const MAX_UNKNOWN = 20;

/** The conditions of a report, without repetitions. `unknown`: its words outside of the vocabulary. */
export function classifyConditions(reported: readonly string[]): { conditions: string[]; unknown: string[] } {
  const words = [...new Set(reported)];
  const known = words.filter((word) => Object.hasOwn(DEVICE_CONDITIONS, word)).slice(0, MAX_CONDITIONS);
  const unknown = words.filter((word) => !Object.hasOwn(DEVICE_CONDITIONS, word)).slice(0, MAX_UNKNOWN);
  return { conditions: unknown.length === 0 ? known : [...known, OTHER_CONDITION], unknown };
}
