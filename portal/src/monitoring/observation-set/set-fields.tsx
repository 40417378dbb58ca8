// Fields of a set in the order of the NEWS2 chart. Enter goes to the next field, and from the last one to the button.
import type { KeyboardEvent } from "react";
import { ACVPU } from "../../../../src/monitoring/vitals/codes.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { ChoiceGroup } from "./choice-group.tsx";
import { MeasuredAt } from "./measured-at.tsx";
import { NumberInput, Points } from "./number-input.tsx";
import classes from "./observation-set.module.css";
import { type FormingScore, isFarOut, type NumberField, PARTIAL_REASONS, type Scoring, type SetDraft } from "./set-draft.ts";

type SetFieldsProps = {
  field: (path: string) => { id: string; error: string | undefined };
  draft: SetDraft;
  scale: 1 | 2;
  scoring: Scoring;
  parts: FormingScore["parts"];
  isComplete: boolean;
  zone: string | undefined;
  onDraft: (draft: SetDraft) => void;
};

/**
 * Enter goes on as on the number pad of a bedside terminal, and never files: the score is confirmed at the button. Radio buttons of
 * one name are one stop.
 */
function goToNextOnEnter(event: KeyboardEvent<HTMLElement>): void {
  const { target } = event;
  if (event.key !== "Enter" || event.nativeEvent.isComposing || !(target instanceof HTMLInputElement)) return;
  event.preventDefault();
  const inputs = [...event.currentTarget.querySelectorAll("input")];
  const next = inputs.slice(inputs.indexOf(target) + 1).find(({ name }) => name === "" || name !== target.name);
  const stop = next?.type === "radio" ? (inputs.find(({ name, checked }) => name === next.name && checked) ?? next) : next;
  const submit = target.form?.querySelector<HTMLElement>('button[type="submit"]');
  (stop ?? submit)?.focus();
}

export function SetFields({ field, draft, scale, scoring, parts, isComplete, zone, onDraft }: SetFieldsProps) {
  const t = useTranslation();
  const number = (name: NumberField, label: string, hint?: string) => (
    <NumberInput
      field={name}
      label={label}
      {...(hint !== undefined && { hint })}
      draft={draft}
      isFarOut={isFarOut(draft, name, scoring.band)}
      onDraft={onDraft}
      {...field(name)}
    />
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it moves the focus between the fields, which are interactive.
    <div className={classes.fields} onKeyDown={goToNextOnEnter}>
      <div className={classes.line}>
        {number("respiratory_rate", t("vital.respiratory_rate"))}
        <Points points={parts.respiratory_rate} />
      </div>
      <div className={classes.line}>
        {number("spo2", t("vital.spo2"), t("set.scale", { n: scale }))}
        <Points points={parts.spo2} />
      </div>
      <div className={classes.line}>
        <ChoiceGroup
          {...field("oxygen")}
          label={t("set.oxygen")}
          choices={[
            { value: "air", label: t("set.oxygen.air") },
            { value: "oxygen", label: t("set.oxygen.oxygen") },
          ]}
          value={draft.oxygen}
          onChange={(oxygen) => onDraft({ ...draft, oxygen })}
        />
        <Points points={parts.oxygen} />
      </div>
      {draft.oxygen === "oxygen" && (
        <div className={classes.line}>
          <div className={classes.pair}>
            {number("oxygen_flow", t("vital.oxygen_flow"))}
            {number("inspired_oxygen", t("vital.inspired_oxygen"))}
          </div>
        </div>
      )}
      <div className={classes.line}>
        <fieldset className={classes.choiceGroup}>
          <legend>{t("set.pressure")}</legend>
          <div className={classes.pair}>
            {number("systolic", t("set.systolic"))}
            {number("diastolic", t("set.diastolic"))}
          </div>
        </fieldset>
        <Points points={parts.systolic} />
      </div>
      <div className={classes.line}>
        {number("heart_rate", t("set.pulse"))}
        <Points points={parts.pulse} />
      </div>
      <div className={classes.line}>
        <ChoiceGroup
          {...field("consciousness")}
          label={t("vital.consciousness")}
          choices={ACVPU.map((value) => ({ value, label: translateCode("set.consciousness", value) }))}
          value={draft.consciousness}
          onChange={(consciousness) => onDraft({ ...draft, consciousness })}
        />
        <Points points={parts.consciousness} />
      </div>
      <div className={classes.line}>
        {number("temperature", t("vital.temperature"))}
        <Points points={parts.temperature} />
      </div>
      {!isComplete && (
        <ChoiceGroup
          {...field("partial_reason")}
          label={t("set.reason")}
          choices={PARTIAL_REASONS.map((value) => ({ value, label: translateCode("set.reason", value) }))}
          value={draft.reason}
          onChange={(reason) => onDraft({ ...draft, reason })}
        />
      )}
      <MeasuredAt
        {...field("effective_at")}
        zone={zone}
        value={draft.measuredAt}
        onChange={(measuredAt) => onDraft({ ...draft, measuredAt })}
      />
    </div>
  );
}
