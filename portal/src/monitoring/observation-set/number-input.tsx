// One typed value with its unit, its points and, where it is far out, the question whether it is right.
import { UNITS } from "../../../../src/monitoring/vitals/codes.ts";
import { formatNumber } from "../../platform/design/format.ts";
import { NumberTextInput } from "../../platform/design/number-text-input.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { formatUcumUnit } from "../vitals/chart-catalogue.ts";
import classes from "./observation-set.module.css";
import { type NumberField, numberOf, type SetDraft, typeNumber } from "./set-draft.ts";

type NumberInputProps = {
  field: NumberField;
  label: string;
  hint?: string;
  draft: SetDraft;
  isFarOut: boolean;
  id: string;
  error: string | undefined;
  onDraft: (draft: SetDraft) => void;
};

/** Longest value: "103.55". */
const MAX_LENGTH = 6;
const DECIMAL_FIELDS: readonly NumberField[] = ["temperature", "oxygen_flow", "inspired_oxygen"];

export function NumberInput({ field, label, hint, draft, isFarOut, id, error, onDraft }: NumberInputProps) {
  const t = useTranslation();
  const unit = formatUcumUnit(UNITS[field]);
  const value = numberOf(draft, field);
  const isConfirmed = draft.confirmed.includes(field);
  return (
    <div className={classes.numberInput}>
      <NumberTextInput
        id={id}
        error={error}
        label={label}
        description={hint}
        inputMode={DECIMAL_FIELDS.includes(field) ? "decimal" : "numeric"}
        enterKeyHint="next"
        maxLength={MAX_LENGTH}
        size="md"
        rightSection={<span className={classes.unit}>{unit}</span>}
        rightSectionWidth={64}
        value={draft.numbers[field]}
        onText={(text) => onDraft(typeNumber(draft, field, text))}
      />
      {isFarOut && value !== null && (
        <label className={classes.choice} data-checked={isConfirmed}>
          <input
            type="checkbox"
            checked={isConfirmed}
            onChange={({ currentTarget: { checked } }) =>
              onDraft({
                ...draft,
                confirmed: checked ? [...draft.confirmed, field] : draft.confirmed.filter((confirmed) => confirmed !== field),
              })
            }
          />
          {t("set.confirm", { value: `${formatNumber(value)} ${unit}` })}
        </label>
      )}
    </div>
  );
}

/** Points of a parameter, in the line of its label. */
export function Points({ points }: { points: number | undefined }) {
  const t = useTranslation();
  return (
    <span className={classes.points} data-points={points}>
      {points !== undefined && (
        <>
          <span aria-hidden="true">+{points}</span>
          <span className="visually-hidden">{t("set.points", { n: points })}</span>
        </>
      )}
    </span>
  );
}
