// The form for the limits of one vital: each inherited, a value of its own, or off.
import { NativeSelect, TextInput } from "@mantine/core";
import { Form } from "../design/form.tsx";
import { sayOf, useSay } from "../messages/index.ts";
import type { Choice, Draft } from "./draft.ts";
import { errorsOf } from "./draft.ts";
import { BOUNDS, canBeOff, FIELDS, type Field, isBound, MANNERS, type NumberField, type VitalRule } from "./limits.ts";
import classes from "./rules.module.css";
import { entryUnit, fieldText, translated, valueText } from "./words.ts";

type FormField = (path: string) => { id: string; error: string | undefined };

type LimitsFormProps = {
  rule: VitalRule;
  draft: Draft;
  onDraft: (draft: Draft) => void;
  /** @throws Problem */
  onCheck: () => Promise<void>;
  onCancel: () => void;
};

export function LimitsForm({ rule, draft, onDraft, onCheck, onCancel }: LimitsFormProps) {
  const say = useSay();
  const check = () =>
    onCheck().catch((error: unknown) => {
      throw translated(error);
    });
  const numberField = (name: NumberField, field: FormField) => (
    <LimitField
      key={name}
      name={name}
      rule={rule}
      choice={draft[name]}
      onChoice={(choice) => onDraft({ ...draft, [name]: choice })}
      {...field(name)}
    />
  );
  return (
    <Form
      submit={say("rules.check")}
      check={() => errorsOf(draft, rule)}
      onSubmit={check}
      changes={false}
      onCancel={onCancel}
      labels={Object.fromEntries(FIELDS.map((field) => [field, fieldText(field)]))}
    >
      {(field) => (
        <>
          <div className={classes.fields}>{BOUNDS.map((name) => numberField(name, field))}</div>
          <h3>{say("rules.manner")}</h3>
          <div className={classes.fields}>
            {MANNERS.map((name) => numberField(name, field))}
            <TrendField rule={rule} mode={draft.trend} onMode={(trend) => onDraft({ ...draft, trend })} {...field("trend")} />
          </div>
          <p className={classes.note}>{say("rules.zero_alarms")}</p>
        </>
      )}
    </Form>
  );
}

/** "Ward: 90 %" */
const inheritedText = (rule: VitalRule, field: Field): string =>
  `${sayOf("rules.layer", rule.inheritedFrom[field])}: ${valueText(rule, field, rule.inherited[field])}`;

type LimitFieldProps = {
  name: NumberField;
  rule: VitalRule;
  choice: Choice;
  onChoice: (choice: Choice) => void;
  id: string;
  error: string | undefined;
};

function LimitField({ name, rule, choice, onChoice, id, error }: LimitFieldProps) {
  const say = useSay();
  const label = fieldText(name);
  const own = choice.mode === "own";
  const told = { id, error };
  const options = [
    { value: "inherit", label: inheritedText(rule, name) },
    { value: "own", label: say("rules.own_value") },
    ...(canBeOff(name) ? [{ value: "off", label: say(isBound(name) ? "rules.no_limit" : "rules.off") }] : []),
  ];
  return (
    <fieldset className={classes.field}>
      <legend>{label}</legend>
      <NativeSelect
        {...(own ? {} : told)}
        aria-label={say("rules.choice", { field: label })}
        data={options}
        value={choice.mode}
        onChange={({ currentTarget }) => onChoice({ ...choice, mode: modeOf(currentTarget.value) })}
      />
      {own && (
        <TextInput
          {...told}
          aria-label={say("rules.own_value_of", { field: label })}
          inputMode="decimal"
          autoComplete="off"
          value={choice.text}
          onChange={({ currentTarget }) => onChoice({ ...choice, text: currentTarget.value })}
          rightSection={<span className={classes.unit}>{entryUnit(name, rule.unit)}</span>}
          rightSectionWidth={96}
          rightSectionPointerEvents="none"
        />
      )}
      {!isBound(name) && <p className={classes.hint}>{sayOf("rules.hint", name)}</p>}
    </fieldset>
  );
}

const modeOf = (value: string): Choice["mode"] => (value === "own" || value === "off" ? value : "inherit");

type TrendFieldProps = {
  rule: VitalRule;
  mode: Draft["trend"];
  onMode: (mode: Draft["trend"]) => void;
  id: string;
  error: string | undefined;
};

function TrendField({ rule, mode, onMode, id, error }: TrendFieldProps) {
  const say = useSay();
  const label = fieldText("trend");
  return (
    <fieldset className={classes.field}>
      <legend>{label}</legend>
      <NativeSelect
        id={id}
        error={error}
        aria-label={say("rules.choice", { field: label })}
        data={[
          { value: "inherit", label: inheritedText(rule, "trend") },
          { value: "on", label: say("rules.on") },
          { value: "off", label: say("rules.off") },
        ]}
        value={mode}
        onChange={({ currentTarget: { value } }) => onMode(value === "on" || value === "off" ? value : "inherit")}
      />
      <p className={classes.hint}>{sayOf("rules.hint", "trend")}</p>
    </fieldset>
  );
}
