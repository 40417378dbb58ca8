// Table of effective limits and their sources per vital sign, with actions.

import { Button } from "@mantine/core";
import { BOUND_FIELDS } from "../../../../src/monitoring/alarm-rules/no-limits.ts";
import { type Column, Table } from "../../platform/design/data-table.tsx";
import layout from "../../platform/design/layout.module.css";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { formatUcumUnit } from "../vitals/chart-catalogue.ts";
import { type RuleField, type RuleLayer, TIMING_FIELDS, type VitalRule } from "./rule-limits.ts";
import { fieldLabel, formatRuleValue } from "./rule-text.ts";
import classes from "./rules.module.css";

type LimitsTableProps = {
  rules: readonly VitalRule[];
  onChange: (rule: VitalRule) => void;
  onReset: (rule: VitalRule) => void;
  /** Without actions. */
  isReadOnly?: boolean;
  /** Additional column before the actions. */
  extraColumn?: Column<VitalRule>;
};

export function LimitsTable({ rules, onChange, onReset, isReadOnly = false, extraColumn }: LimitsTableProps) {
  const t = useTranslation();
  const columns: Column<VitalRule>[] = [
    { label: t("rules.vital"), cell: (rule) => <VitalName rule={rule} /> },
    ...BOUND_FIELDS.map((field) => ({
      label: fieldLabel(field),
      cell: (rule: VitalRule) => <BoundCell rule={rule} field={field} />,
    })),
    { label: t("rules.manner"), cell: (rule) => rule.limits && <TimingCell rule={rule} /> },
    ...(extraColumn ? [extraColumn] : []),
  ];
  const actions = {
    label: t("rules.change_limits"),
    cell: (rule: VitalRule) => <RowActions rule={rule} onChange={() => onChange(rule)} onReset={() => onReset(rule)} />,
  };
  return (
    <Table
      label={t("rules.table")}
      columns={isReadOnly ? columns : [...columns, actions]}
      items={rules}
      rowKey={({ code }) => code}
    />
  );
}

function VitalName({ rule: { name, unit } }: { rule: VitalRule }) {
  return (
    <div>
      <strong className={classes.whole}>{translateCode("vital", name)}</strong>{" "}
      <span className={classes.unit}>{formatUcumUnit(unit)}</span>
    </div>
  );
}

export function LayerBadge({ layer }: { layer: RuleLayer }) {
  return (
    <span className={classes.layer} data-changed={layer !== "default"}>
      {translateCode("rules.layer", layer)}
    </span>
  );
}

function BoundCell({ rule, field }: { rule: VitalRule; field: RuleField }) {
  const t = useTranslation();
  const value = rule.limits?.[field] ?? null;
  // A side that never had a limit has no source.
  const layer = rule.layers[field];
  return (
    <div>
      <span className={classes.value} data-none={value === null}>
        {rule.limits ? formatRuleValue(rule, field, value) : t("rules.none_for_age")}
      </span>
      {(value !== null || layer !== "default") && <LayerBadge layer={layer} />}
    </div>
  );
}

function TimingCell({ rule }: { rule: VitalRule }) {
  const { limits } = rule;
  if (!limits) return null;
  const fields: readonly RuleField[] = [...TIMING_FIELDS, "trend"];
  return (
    <ul className={classes.manner}>
      {fields
        // Limits that are off at every level are not listed.
        .filter((field) => rule.layers[field] !== "default" || (limits[field] !== null && limits[field] !== false))
        .map((field) => (
          <li key={field}>
            {fieldLabel(field)}: {formatRuleValue(rule, field, limits[field])}{" "}
            {rule.layers[field] !== "default" && <LayerBadge layer={rule.layers[field]} />}
          </li>
        ))}
    </ul>
  );
}

function RowActions({ rule, onChange, onReset }: { rule: VitalRule; onChange: () => void; onReset: () => void }) {
  const t = useTranslation();
  const vital = translateCode("vital", rule.name);
  return (
    <div className={`${layout.acts} ${classes.acts}`}>
      <Button variant="default" size="compact-sm" onClick={onChange} aria-label={t("rules.change_of", { vital })}>
        {t(rule.limits ? "rules.change_limits" : "rules.set_limits")}
      </Button>
      {rule.version !== null && (
        <Button variant="default" size="compact-sm" onClick={onReset} aria-label={t("rules.take_back_of", { vital })}>
          {t("rules.take_back")}
        </Button>
      )}
    </div>
  );
}
