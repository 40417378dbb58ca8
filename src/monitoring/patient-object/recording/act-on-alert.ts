// An action on an alert, as the rules apply it.
import { AlarmError } from "../../alarm-rules/alert-lifecycle.ts";
import type { AlarmInput, Transition } from "../../alarm-rules/model.ts";
import type { AlertView } from "../contract.ts";
import type { Store } from "../samples/store.ts";
import { toAlertView } from "../snapshot.ts";

export type AlertAction = Extract<AlarmInput, { number: number }>;
export type AlertActionResult = { alert: AlertView } | { error: AlarmError["code"] };

/**
 * Call inside a transaction.
 * @returns the alert after the action, or why the rules rejected it, which changed nothing: an expected result, not an error of the object
 */
export function applyAlertAction(
  store: Store,
  patientId: string,
  action: AlertAction,
  now: number,
  runRules: (input: AlarmInput) => Transition[],
): AlertActionResult {
  try {
    const changed = runRules(action).findLast(({ alert }) => alert.number === action.number)?.alert;
    const alert = changed ?? store.memory(now).alarm.alerts.find(({ number }) => number === action.number);
    return alert ? { alert: toAlertView(patientId, alert) } : { error: "not_open" };
  } catch (error) {
    if (error instanceof AlarmError) return { error: error.code };
    throw error;
  }
}
