// Every vital with its limits in force, where each comes from, and what can be done about it.
import { Button } from "@mantine/core";
import { type Column, Table } from "../design/data-table.tsx";
import layout from "../design/layout.module.css";
import { sayOf, useSay } from "../messages/index.ts";
import { BOUNDS, type Field, type Layer, MANNERS, type VitalRule } from "./limits.ts";
import classes from "./rules.module.css";
import { fieldText, unitText, valueText } from "./words.ts";

type LimitsTableProps = {
  rules: readonly VitalRule[];
  onChange: (rule: VitalRule) => void;
  onTakeBack: (rule: VitalRule) => void;
  /** One more column, before what can be done. */
  more?: Column<VitalRule>;
};

export function LimitsTable({ rules, onChange, onTakeBack, more }: LimitsTableProps) {
  const say = useSay();
  const columns: Column<VitalRule>[] = [
    { label: say("rules.vital"), cell: (rule) => <VitalName rule={rule} /> },
    ...BOUNDS.map((field) => ({ label: fieldText(field), cell: (rule: VitalRule) => <Bound rule={rule} field={field} /> })),
    { label: say("rules.manner"), cell: (rule) => rule.limits && <Manner rule={rule} /> },
    ...(more ? [more] : []),
    {
      label: say("rules.change_limits"),
      cell: (rule) => <Acts rule={rule} onChange={() => onChange(rule)} onTakeBack={() => onTakeBack(rule)} />,
    },
  ];
  return <Table label={say("rules.table")} columns={columns} items={rules} keyOf={({ code }) => code} />;
}

function VitalName({ rule: { name, unit } }: { rule: VitalRule }) {
  return (
    <div>
      <strong className={classes.whole}>{sayOf("vital", name)}</strong> <span className={classes.unit}>{unitText(unit)}</span>
    </div>
  );
}

export function LayerMark({ layer }: { layer: Layer }) {
  return (
    <span className={classes.layer} data-changed={layer !== "default"}>
      {sayOf("rules.layer", layer)}
    </span>
  );
}

function Bound({ rule, field }: { rule: VitalRule; field: Field }) {
  const say = useSay();
  const value = rule.limits?.[field] ?? null;
  // A side that never had a limit comes from nowhere.
  const layer = rule.from[field];
  return (
    <div>
      <span className={classes.value} data-none={value === null}>
        {rule.limits ? valueText(rule, field, value) : say("rules.none_for_age")}
      </span>
      {(value !== null || layer !== "default") && <LayerMark layer={layer} />}
    </div>
  );
}

function Manner({ rule }: { rule: VitalRule }) {
  const { limits } = rule;
  if (!limits) return null;
  const fields: readonly Field[] = [...MANNERS, "trend"];
  return (
    <ul className={classes.manner}>
      {fields
        // What is off everywhere needs no line.
        .filter((field) => rule.from[field] !== "default" || (limits[field] !== null && limits[field] !== false))
        .map((field) => (
          <li key={field}>
            {fieldText(field)}: {valueText(rule, field, limits[field])}{" "}
            {rule.from[field] !== "default" && <LayerMark layer={rule.from[field]} />}
          </li>
        ))}
    </ul>
  );
}

function Acts({ rule, onChange, onTakeBack }: { rule: VitalRule; onChange: () => void; onTakeBack: () => void }) {
  const say = useSay();
  const vital = sayOf("vital", rule.name);
  return (
    <div className={`${layout.acts} ${classes.acts}`}>
      <Button variant="default" size="compact-sm" onClick={onChange} aria-label={say("rules.change_of", { vital })}>
        {say(rule.limits ? "rules.change_limits" : "rules.set_limits")}
      </Button>
      {rule.version !== null && (
        <Button variant="default" size="compact-sm" onClick={onTakeBack} aria-label={say("rules.take_back_of", { vital })}>
          {say("rules.take_back")}
        </Button>
      )}
    </div>
  );
}
