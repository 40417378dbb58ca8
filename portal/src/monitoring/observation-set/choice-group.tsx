// One choice of a few, as radio buttons with large targets: arrows move, Space selects, and nothing is preselected.
import classes from "./observation-set.module.css";

type ChoiceGroupProps<Value extends string> = {
  /** Of the first choice, to which an error links. */
  id: string;
  error: string | undefined;
  label: string;
  choices: readonly { value: Value; label: string }[];
  value: Value | null;
  onChange: (value: Value) => void;
};

export function ChoiceGroup<Value extends string>({ id, error, label, choices, value, onChange }: ChoiceGroupProps<Value>) {
  const errorId = `${id}-error`;
  return (
    <fieldset className={classes.choiceGroup}>
      <legend>{label}</legend>
      <div className={classes.choices}>
        {choices.map((choice, i) => (
          <label key={choice.value} className={classes.choice} data-checked={choice.value === value}>
            <input
              type="radio"
              id={i === 0 ? id : undefined}
              name={id}
              value={choice.value}
              checked={choice.value === value}
              onChange={() => onChange(choice.value)}
              aria-describedby={error === undefined ? undefined : errorId}
            />
            {choice.label}
          </label>
        ))}
      </div>
      {error !== undefined && (
        <p id={errorId} className={classes.error}>
          {error}
        </p>
      )}
    </fieldset>
  );
}
