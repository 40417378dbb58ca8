// Limits in words: values with their units, and what a change does.
import { asProblem, Problem } from "../api/problem.ts";
import { number } from "../design/time.ts";
import { type Key, say, sayOf } from "../messages/index.ts";
import type { Change, Field, VitalRule } from "./limits.ts";
import { isBound } from "./limits.ts";

/** UCUM as a ward writes it. */
const UNITS: Readonly<Record<string, string>> = { "mm[Hg]": "mmHg", Cel: "°C", "{ACVPU}": "" };
export const unitText = (unit: string): string => UNITS[unit] ?? unit;

/** Levels of consciousness are letters to everybody but the rules. */
const LEVELS = ["A", "C", "V", "P", "U"];

export const bareValue = ({ unit }: { unit: string }, value: number): string =>
  unit === "{ACVPU}" ? `${LEVELS[value] ?? ""} (${number(value)})` : number(value);

export const unitOf = (field: Field, unit: string): string => {
  if (field === "duration_s" || field === "silence_s") return say("rules.seconds");
  return field === "rate_per_minute" ? `${unitText(unit)} ${say("rules.per_minute")}`.trim() : unitText(unit);
};

/** What stands beside a field: its unit, or what the numbers mean that stand for letters. */
export const entryUnit = (field: Field, unit: string): string =>
  unit === "{ACVPU}" && isBound(field) ? LEVELS.map((letter, n) => `${letter}${n}`).join(" ") : unitOf(field, unit);

export function valueText(rule: { unit: string }, field: Field, value: number | boolean | null): string {
  if (value === null) return say(isBound(field) ? "rules.no_limit" : "rules.off");
  if (typeof value === "boolean") return say(value ? "rules.on" : "rules.off");
  return `${isBound(field) ? bareValue(rule, value) : number(value)} ${unitOf(field, rule.unit)}`.trim();
}

export const fieldText = (field: Field): string => sayOf("rules.field", field);

/** "Lower the … limit from 90 to 85?", or that several change. */
export function questionOf(rule: VitalRule, changes: readonly Change[]): { title: string; act: string } {
  const vital = sayOf("vital", rule.name);
  const [only] = changes;
  if (changes.length === 1 && only && isBound(only.field) && typeof only.before === "number" && typeof only.after === "number") {
    const told = {
      vital,
      limit: sayOf("rules.bound", only.field),
      from: bareValue(rule, only.before),
      to: bareValue(rule, only.after),
    };
    return only.after < only.before
      ? { title: say("rules.lower_question", told), act: say("rules.lower_act") }
      : { title: say("rules.raise_question", told), act: say("rules.raise_act") };
  }
  return { title: say("rules.change_question", { vital }), act: say("rules.change_act") };
}

type Counted = { before: { alarms: number }; after: { alarms: number } };

/** What the server counted of the last day. */
export function consequence({ before, after }: Counted): string {
  const n = Math.abs(before.alarms - after.alarms);
  const kind = before.alarms === after.alarms ? "same" : before.alarms > after.alarms ? "hidden" : "added";
  if (kind === "same") return say("rules.would_same", { n: after.alarms });
  const key: Key = `rules.would_${kind}_${n === 1 ? "one" : "many"}`;
  return say(key, { n });
}

/** What the API refuses, in the words of the portal and at the fields of the form. */
export function translated(error: unknown): Problem {
  const problem = asProblem(error);
  const errors = problem.errors.map(({ path, code, message }) => {
    const known = sayOf("rules.problem", code);
    return { path: path.replace(/^limits\./, ""), code, message: known === code ? message : known };
  });
  return new Problem(problem.status, problem.code, errors[0]?.message ?? problem.message, problem.errorId, errors);
}
