// Form values of the limits of one vital sign, before they are parsed.
import { BOUND_FIELDS } from "../../../../src/monitoring/alarm-rules/no-limits.ts";
import type { FieldErrors } from "../../platform/design/form.tsx";
import { formatNumber } from "../../platform/design/format.ts";
import { parseNumber } from "../../platform/design/parse-number.ts";
import { t } from "../../platform/messages/translate.ts";
import type { LimitOverride } from "./api.ts";
import { NUMBER_FIELDS, type NumberField, type VitalRule } from "./rule-limits.ts";

export type FieldChoice = { mode: "inherit" | "own" | "off"; text: string };
export type LimitsDraft = Record<NumberField, FieldChoice> & { trend: "inherit" | "on" | "off" };

export function toDraft({ own, limits }: VitalRule): LimitsDraft {
  const choices = NUMBER_FIELDS.map((field) => {
    const value = own[field];
    const text = String(value ?? limits?.[field] ?? "");
    return [field, { mode: value === undefined ? "inherit" : value === null ? "off" : "own", text }] as const;
  });
  const trend = own.trend === undefined ? "inherit" : own.trend ? "on" : "off";
  return { ...(Object.fromEntries(choices) as Record<NumberField, FieldChoice>), trend };
}

/** Call only when `errorsOf` found no errors: values that are not numbers are dropped. */
export function toOverride(draft: LimitsDraft): LimitOverride {
  const numbers = NUMBER_FIELDS.flatMap((field) => {
    const { mode, text } = draft[field];
    if (mode === "inherit") return [];
    const value = mode === "off" ? null : parseNumber(text);
    return mode === "own" && value === null ? [] : [[field, value] as const];
  });
  return { ...Object.fromEntries(numbers), ...(draft.trend !== "inherit" && { trend: draft.trend === "on" }) };
}

/** Checks that need no API call; the API does the rest. */
export function validateDraft(draft: LimitsDraft, rule: VitalRule): FieldErrors {
  const errors: FieldErrors = {};
  for (const field of NUMBER_FIELDS) {
    const { mode, text } = draft[field];
    if (mode === "own" && parseNumber(text) === null) errors[field] = t("rules.problem.number");
  }
  if (Object.keys(errors).length > 0) return errors;
  const own = toOverride(draft);
  const { plausible } = rule;
  for (const field of BOUND_FIELDS) {
    const value = own[field];
    if (plausible && typeof value === "number" && (value < plausible.min || value > plausible.max)) {
      errors[field] = t("rules.problem.range", { min: formatNumber(plausible.min), max: formatNumber(plausible.max) });
    }
  }
  // Compare each limit with the next one that is set. Two inherited limits cannot be corrected here.
  const setBounds = BOUND_FIELDS.flatMap((field) => {
    const value = own[field] === undefined ? rule.inherited[field] : own[field];
    return value === null ? [] : [{ field, value }];
  });
  setBounds.forEach(({ field, value }, i) => {
    const next = setBounds[i + 1];
    if (next && value > next.value) errors[own[field] === undefined ? next.field : field] ??= t("rules.problem.crossed");
  });
  if (Object.keys(own).length === 0 && rule.version === null) errors["low"] ??= t("rules.problem.nothing");
  return errors;
}
