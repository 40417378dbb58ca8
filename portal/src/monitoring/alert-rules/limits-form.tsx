// Form of the limits of one vital sign: each inherited, custom or off.

import { NativeSelect } from "@mantine/core";
import { BOUND_FIELDS } from "../../../../src/monitoring/alarm-rules/no-limits.ts";
import { Form } from "../../platform/design/form.tsx";
import { NumberTextInput } from "../../platform/design/number-text-input.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { FieldChoice, LimitsDraft } from "./limits-draft.ts";
import { validateDraft } from "./limits-draft.ts";
import {
  canBeOff,
  isBound,
  type NumberField,
  RULE_FIELDS,
  type RuleField,
  TIMING_FIELDS,
  type VitalRule,
} from "./rule-limits.ts";
import { fieldLabel, formatRuleValue, inputUnitHint, translateProblem } from "./rule-text.ts";
import classes from "./rules.module.css";

type FormField = (path: string) => { id: string; error: string | undefined };

type LimitsFormProps = {
  rule: VitalRule;
  draft: LimitsDraft;
  onDraft: (draft: LimitsDraft) => void;
  /** @throws Problem */
  onCheck: () => Promise<void>;
  onCancel: () => void;
};

export function LimitsForm({ rule, draft, onDraft, onCheck, onCancel }: LimitsFormProps) {
  const t = useTranslation();
  const checkDraft = () =>
    onCheck().catch((error: unknown) => {
      throw translateProblem(error);
    });
  const renderNumberField = (name: NumberField, field: FormField) => (
    <LimitFieldInput
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
      submitLabel={t("rules.check")}
      validate={() => validateDraft(draft, rule)}
      onSubmit={checkDraft}
      isMutation={false}
      onCancel={onCancel}
      labels={Object.fromEntries(RULE_FIELDS.map((field) => [field, fieldLabel(field)]))}
    >
      {(field) => (
        <>
          <div className={classes.fields}>{BOUND_FIELDS.map((name) => renderNumberField(name, field))}</div>
          <h3>{t("rules.manner")}</h3>
          <div className={classes.fields}>
            {TIMING_FIELDS.map((name) => renderNumberField(name, field))}
            <TrendFieldInput
              rule={rule}
              mode={draft.trend}
              onMode={(trend) => onDraft({ ...draft, trend })}
              {...field("trend")}
            />
          </div>
          <p className={classes.note}>{t("rules.zero_alarms")}</p>
        </>
      )}
    </Form>
  );
}

/** "Ward: 90 %" */
const formatInherited = (rule: VitalRule, field: RuleField): string =>
  `${translateCode("rules.layer", rule.inheritedLayers[field])}: ${formatRuleValue(rule, field, rule.inherited[field])}`;

type LimitFieldInputProps = {
  name: NumberField;
  rule: VitalRule;
  choice: FieldChoice;
  onChoice: (choice: FieldChoice) => void;
  id: string;
  error: string | undefined;
};

function LimitFieldInput({ name, rule, choice, onChoice, id, error }: LimitFieldInputProps) {
  const t = useTranslation();
  const label = fieldLabel(name);
  const isOwn = choice.mode === "own";
  const errorProps = { id, error };
  const options = [
    { value: "inherit", label: formatInherited(rule, name) },
    { value: "own", label: t("rules.own_value") },
    ...(canBeOff(name) ? [{ value: "off", label: t(isBound(name) ? "rules.no_limit" : "rules.off") }] : []),
  ];
  return (
    <fieldset className={classes.field}>
      <legend>{label}</legend>
      <NativeSelect
        {...(isOwn ? {} : errorProps)}
        aria-label={t("rules.choice", { field: label })}
        data={options}
        value={choice.mode}
        onChange={({ currentTarget }) => onChoice({ ...choice, mode: parseMode(currentTarget.value) })}
      />
      {isOwn && (
        <NumberTextInput
          {...errorProps}
          aria-label={t("rules.own_value_of", { field: label })}
          value={choice.text}
          onText={(text) => onChoice({ ...choice, text })}
          rightSection={<span className={classes.unit}>{inputUnitHint(name, rule.unit)}</span>}
          rightSectionWidth={96}
          rightSectionPointerEvents="none"
        />
      )}
      {!isBound(name) && <p className={classes.hint}>{translateCode("rules.hint", name)}</p>}
    </fieldset>
  );
}

const parseMode = (value: string): FieldChoice["mode"] => (value === "own" || value === "off" ? value : "inherit");

type TrendFieldInputProps = {
  rule: VitalRule;
  mode: LimitsDraft["trend"];
  onMode: (mode: LimitsDraft["trend"]) => void;
  id: string;
  error: string | undefined;
};

function TrendFieldInput({ rule, mode, onMode, id, error }: TrendFieldInputProps) {
  const t = useTranslation();
  const label = fieldLabel("trend");
  return (
    <fieldset className={classes.field}>
      <legend>{label}</legend>
      <NativeSelect
        id={id}
        error={error}
        aria-label={t("rules.choice", { field: label })}
        data={[
          { value: "inherit", label: formatInherited(rule, "trend") },
          { value: "on", label: t("rules.on") },
          { value: "off", label: t("rules.off") },
        ]}
        value={mode}
        onChange={({ currentTarget: { value } }) => onMode(value === "on" || value === "off" ? value : "inherit")}
      />
      <p className={classes.hint}>{translateCode("rules.hint", "trend")}</p>
    </fieldset>
  );
}
