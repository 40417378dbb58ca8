// Limits that somebody moved, in words.
import type { LimitsInForce } from "../../../src/monitoring/patient-object/contract.ts";
import { valueText, vitalSign } from "../alarms/vital-words.ts";
import { say } from "../messages/index.ts";

/** Stands before limits that are not the defaults. */
export const MOVED = "✎";

/** "85–100", "≥ 85", "≤ 130", or that there are none. */
function rangeOf({ code, critical_low, low, high, critical_high }: LimitsInForce): string {
  const text = (value: number) => valueText(code, value);
  const [bottom, top] = [low ?? critical_low, high ?? critical_high];
  if (bottom === null) return top === null ? say("limits.off") : `≤ ${text(top)}`;
  return top === null ? `≥ ${text(bottom)}` : `${text(bottom)}–${text(top)}`;
}

/** @param moved of one value, set by the same @returns null where nothing was moved */
export function movedText(moved: readonly LimitsInForce[]): string | null {
  if (moved.length === 0) return null;
  const range = moved.map((one) => (moved.length > 1 ? `${vitalSign(one.code)} ${rangeOf(one)}` : rangeOf(one))).join(", ");
  return moved[0]?.set_by === "patient" ? say("limits.of_patient", { range }) : say("limits.of_ward", { range });
}

/** As short as it can be, of this patient's own: the ward's are said once, above. */
export const ownRanges = (moved: readonly LimitsInForce[]): string | null =>
  moved[0]?.set_by === "patient" ? moved.map(rangeOf).join(" ") : null;
