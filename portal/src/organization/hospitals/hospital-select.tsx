// Hospital selection for platform administrators, who work for all hospitals: a list, or a search where there are many.
import { NativeSelect, TextInput } from "@mantine/core";
import { useId, useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { useHospitals } from "./use-hospitals.ts";

type Choice = { value: string; label: string };
type HospitalSelectProps = {
  id?: string;
  label?: string;
  className?: string;
  error?: string | undefined;
  value: string;
  onChange: (hospitalId: string) => void;
  /** Label of the empty option: "all" in a filter, a prompt in a form. */
  emptyLabel: string;
  /** Choices beside the hospitals. */
  others?: readonly Choice[];
};

/** Hospitals from which a list is too long to choose from. */
const MAX_LISTED = 100;

export function HospitalSelect({ emptyLabel, others = [], ...input }: HospitalSelectProps) {
  const t = useTranslation();
  const hospitals = useHospitals();
  if (useMe().role !== "admin") return null;
  const selectable = (hospitals.data ?? []).filter(({ is_active, hospital_id }) => is_active || hospital_id === input.value);
  const choices = [...others, ...selectable.map(({ hospital_id, name }) => ({ value: hospital_id, label: name }))];
  return <HospitalField {...input} label={input.label ?? t("hospitals.hospital")} emptyLabel={emptyLabel} choices={choices} />;
}

type HospitalFieldProps = Omit<HospitalSelectProps, "others"> & { label: string; choices: readonly Choice[] };

/** A list of the choices, or a text field that suggests them. */
export function HospitalField({ emptyLabel, choices, ...input }: HospitalFieldProps) {
  if (choices.length >= MAX_LISTED) {
    return <HospitalSearch key={input.value} {...input} placeholder={emptyLabel} choices={choices} />;
  }
  return (
    <NativeSelect
      {...input}
      onChange={(event) => input.onChange(event.target.value)}
      data={[{ value: "", label: emptyLabel }, ...choices]}
    />
  );
}

type HospitalSearchProps = Omit<HospitalSelectProps, "emptyLabel" | "others"> & {
  placeholder: string;
  choices: readonly Choice[];
};

/** A text field that suggests names. Hospitals of one name show the end of their id. */
function HospitalSearch({ value, onChange, choices, ...input }: HospitalSearchProps) {
  const t = useTranslation();
  const listId = useId();
  const named = toUniqueLabels(choices);
  const chosen = named.find((choice) => choice.value === value)?.label ?? "";
  const [text, setText] = useState(chosen);
  const isUnknown = text !== "" && !named.some(({ label }) => label === text);
  function change(next: string) {
    setText(next);
    const found = next === "" ? "" : named.find(({ label }) => label === next)?.value;
    if (found !== undefined && found !== value) onChange(found);
  }
  return (
    <>
      <TextInput
        {...input}
        value={text}
        onChange={(event) => change(event.target.value)}
        list={listId}
        autoComplete="off"
        spellCheck={false}
        description={isUnknown && t("hospitals.choose_suggested")}
      />
      <datalist id={listId}>
        {named.map(({ value: id, label }) => (
          <option key={id} value={label} />
        ))}
      </datalist>
    </>
  );
}

function toUniqueLabels(choices: readonly Choice[]): Choice[] {
  const counts = new Map<string, number>();
  for (const { label } of choices) counts.set(label, (counts.get(label) ?? 0) + 1);
  return choices.map(({ value, label }) => ({
    value,
    label: (counts.get(label) ?? 0) > 1 ? `${label} (${value.slice(-8)})` : label,
  }));
}
