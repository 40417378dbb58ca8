// Texts of limits: values with units, and the effect of a change.
import { ACVPU, UNITS } from "../../../../src/monitoring/vitals/codes.ts";
import { Problem, toProblem } from "../../platform/api/problem.ts";
import { formatNumber } from "../../platform/design/format.ts";
import { t, translateCode } from "../../platform/messages/translate.ts";
import { formatUcumUnit } from "../vitals/chart-catalogue.ts";
import type { LimitChange, RuleField, VitalRule } from "./rule-limits.ts";
import { isBound } from "./rule-limits.ts";

export const formatBoundValue = ({ unit }: { unit: string }, value: number): string =>
  unit === UNITS.consciousness ? `${ACVPU[value] ?? ""} (${formatNumber(value)})` : formatNumber(value);

export const fieldUnit = (field: RuleField, unit: string): string => {
  if (field === "duration_s" || field === "silence_s") return t("rules.seconds");
  return field === "rate_per_minute" ? `${formatUcumUnit(unit)} ${t("rules.per_minute")}`.trim() : formatUcumUnit(unit);
};

/** Field suffix: the unit, or the meaning of numbers that stand for letters. */
export const inputUnitHint = (field: RuleField, unit: string): string =>
  unit === UNITS.consciousness && isBound(field) ? ACVPU.map((letter, n) => `${letter}${n}`).join(" ") : fieldUnit(field, unit);

export function formatRuleValue(rule: { unit: string }, field: RuleField, value: number | boolean | null): string {
  if (value === null) return t(isBound(field) ? "rules.no_limit" : "rules.off");
  if (typeof value === "boolean") return t(value ? "rules.on" : "rules.off");
  return `${isBound(field) ? formatBoundValue(rule, value) : formatNumber(value)} ${fieldUnit(field, rule.unit)}`.trim();
}

export const fieldLabel = (field: RuleField): string => translateCode("rules.field", field);

/** "Lower the … limit from 90 to 85?", or that several limits change. */
export function buildChangeQuestion(rule: VitalRule, changes: readonly LimitChange[]): { title: string; confirmLabel: string } {
  const vital = translateCode("vital", rule.name);
  const [onlyChange] = changes;
  if (
    changes.length === 1 &&
    onlyChange &&
    isBound(onlyChange.field) &&
    typeof onlyChange.before === "number" &&
    typeof onlyChange.after === "number"
  ) {
    const params = {
      vital,
      limit: translateCode("rules.bound", onlyChange.field),
      from: formatBoundValue(rule, onlyChange.before),
      to: formatBoundValue(rule, onlyChange.after),
    };
    return onlyChange.after < onlyChange.before
      ? { title: t("rules.lower_question", params), confirmLabel: t("rules.lower_act") }
      : { title: t("rules.raise_question", params), confirmLabel: t("rules.raise_act") };
  }
  return { title: t("rules.change_question", { vital }), confirmLabel: t("rules.change_act") };
}

type PreviewTotals = { before: { alarms: number }; after: { alarms: number } };

/** Text of the server's preview of the last day. */
export function describePreview({ before, after }: PreviewTotals): string {
  const n = Math.abs(before.alarms - after.alarms);
  const kind = before.alarms === after.alarms ? "same" : before.alarms > after.alarms ? "hidden" : "added";
  if (kind === "same") return t("rules.would_same", { n: after.alarms });
  return t(`rules.would_${kind}`, { n });
}

/** Maps API errors to translated texts at the form fields. */
export function translateProblem(error: unknown): Problem {
  const problem = toProblem(error);
  const errors = problem.errors.map(({ path, code, message }) => {
    const known = translateCode("rules.problem", code);
    return { path: path.replace(/^limits\./, ""), code, message: known === code ? message : known };
  });
  return new Problem(problem.status, problem.code, errors[0]?.message ?? problem.message, problem.errorId, errors);
}
