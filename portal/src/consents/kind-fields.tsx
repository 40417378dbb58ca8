// Checkboxes of the kinds of data.
import { Checkbox } from "@mantine/core";
import { useTranslation } from "../platform/messages/translate.ts";
import { type ConsentKind, kindName } from "./consent-facts.tsx";
import classes from "./consents.module.css";

type KindFieldsProps = {
  /** Of the first checkbox, to which the error summary links. */
  id: string;
  error: string | undefined;
  label: string;
  choices: readonly ConsentKind[];
  value: readonly ConsentKind[];
  onChange: (kinds: ConsentKind[]) => void;
};

export function KindFields({ id, error, label, choices, value, onChange }: KindFieldsProps) {
  const t = useTranslation();
  return (
    <Checkbox.Group
      label={label}
      error={error}
      value={[...value]}
      onChange={(chosen) => onChange(choices.filter((kind) => chosen.includes(kind)))}
    >
      <div className={classes.choices}>
        {choices.map((kind, i) => (
          <Checkbox key={kind} {...(i === 0 && { id })} value={kind} label={kindName(kind, t)} />
        ))}
      </div>
    </Checkbox.Group>
  );
}
