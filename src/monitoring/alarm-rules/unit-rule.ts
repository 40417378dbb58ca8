// The rule for values whose unit is doubtful: one alert per vital, until a usable value of the vital arrives.
import { findVital, UNKNOWN_UNIT } from "../vitals/catalogue.ts";
import type { Sample } from "../vitals/model.ts";
import type { RuleRun } from "./alarm-memory.ts";
import { raiseAlert, recoverUnlessStanding } from "./alert-lifecycle.ts";

const toUnitKey = (code: string) => `unit:${code}`;

/**
 * Raises an alert of medium priority at once: the value may be a critical one in either unit. It is not compared with limits, since
 * a conversion by guess could hide or invent hypoglycaemia.
 */
export function raiseUnitAlert(run: RuleRun, { code, value, unit }: Sample): void {
  const said = unit === UNKNOWN_UNIT ? `${value} without a unit` : `${value} ${unit}`;
  const text = `Check ${(findVital(code)?.display ?? code).toLowerCase()}: unit unclear (sent: ${said})`;
  const why = { value, bound: null, side: null, window_s: null, text };
  raiseAlert(run, { key: toUnitKey(code), rule: "unit", code, device: null, priority: "medium", why });
}

/** Ends the alert, since the vital has a usable value. */
export function endUnitAlert(run: RuleRun, code: string): void {
  recoverUnlessStanding(run, toUnitKey(code));
}
