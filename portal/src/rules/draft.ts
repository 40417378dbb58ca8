// What somebody has entered for the limits of one vital, before it is limits.
import { type FieldErrors, numberIn } from "../design/form.tsx";
import { number } from "../design/time.ts";
import { say } from "../messages/index.ts";
import type { Override } from "./api.ts";
import { BOUNDS, NUMBERS, type NumberField, type VitalRule } from "./limits.ts";

export type Choice = { mode: "inherit" | "own" | "off"; text: string };
export type Draft = Record<NumberField, Choice> & { trend: "inherit" | "on" | "off" };

export function draftOf({ own, limits }: VitalRule): Draft {
  const choices = NUMBERS.map((field) => {
    const value = own[field];
    const text = String(value ?? limits?.[field] ?? "");
    return [field, { mode: value === undefined ? "inherit" : value === null ? "off" : "own", text }] as const;
  });
  const trend = own.trend === undefined ? "inherit" : own.trend ? "on" : "off";
  return { ...(Object.fromEntries(choices) as Record<NumberField, Choice>), trend };
}

/** Only after `errorsOf` found nothing: what is no number is left out. */
export function overrideOf(draft: Draft): Override {
  const numbers = NUMBERS.flatMap((field) => {
    const { mode, text } = draft[field];
    if (mode === "inherit") return [];
    const value = mode === "off" ? null : numberIn(text);
    return mode === "own" && value === null ? [] : [[field, value] as const];
  });
  return { ...Object.fromEntries(numbers), ...(draft.trend !== "inherit" && { trend: draft.trend === "on" }) };
}

/** What can be seen without asking the API, which judges the rest. */
export function errorsOf(draft: Draft, rule: VitalRule): FieldErrors {
  const errors: FieldErrors = {};
  for (const field of NUMBERS) {
    const { mode, text } = draft[field];
    if (mode === "own" && numberIn(text) === null) errors[field] = say("rules.problem.number");
  }
  if (Object.keys(errors).length > 0) return errors;
  const own = overrideOf(draft);
  const { plausible } = rule;
  for (const field of BOUNDS) {
    const value = own[field];
    if (plausible && typeof value === "number" && (value < plausible.min || value > plausible.max)) {
      errors[field] = say("rules.problem.range", { min: number(plausible.min), max: number(plausible.max) });
    }
  }
  // Each is compared with the next one that is set; where both are inherited, nobody here can mend it.
  const set = BOUNDS.flatMap((field) => {
    const value = own[field] === undefined ? rule.inherited[field] : own[field];
    return value === null ? [] : [{ field, value }];
  });
  set.forEach(({ field, value }, i) => {
    const next = set[i + 1];
    if (next && value > next.value) errors[own[field] === undefined ? next.field : field] ??= say("rules.problem.crossed");
  });
  if (Object.keys(own).length === 0 && rule.version === null) errors["low"] ??= say("rules.problem.nothing");
  return errors;
}
