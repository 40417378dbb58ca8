// Day, month and year of birth in three fields: for people who know only the month or the year, the others stay empty.
import { Input, NativeSelect, TextInput } from "@mantine/core";
import { useId } from "react";
import { formatMonthName } from "../../platform/design/format.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import type { BirthDateParts } from "./birth-date.ts";
import classes from "./identity.module.css";

const MONTHS = Array.from({ length: 12 }, (_, i) => String(i + 1).padStart(2, "0"));

type BirthDateInputProps = {
  id: string;
  error: string | undefined;
  label: string;
  description?: string;
  value: BirthDateParts;
  onChange: (parts: BirthDateParts) => void;
};

export function BirthDateInput({ id, error, label, description, value, onChange }: BirthDateInputProps) {
  const t = useTranslation();
  const noteId = useId();
  const partProps = (name: keyof BirthDateParts) => ({
    label: t(`identity.${name}`),
    value: value[name],
    onChange: (event: { target: { value: string } }) => onChange({ ...value, [name]: event.target.value }),
    error: error !== undefined,
    "aria-describedby": noteId,
    autoComplete: "off",
  });
  return (
    <fieldset className={classes.date}>
      <legend>{label}</legend>
      {description && <Input.Description>{description}</Input.Description>}
      <div className={classes.parts}>
        <TextInput {...partProps("day")} id={id} inputMode="numeric" maxLength={2} className={classes.short ?? ""} />
        <NativeSelect
          {...partProps("month")}
          data={[{ value: "", label: "—" }, ...MONTHS.map((month) => ({ value: month, label: formatMonthName(Number(month)) }))]}
        />
        <TextInput {...partProps("year")} inputMode="numeric" maxLength={4} className={classes.short ?? ""} />
      </div>
      <div id={noteId}>{error && <Input.Error>{error}</Input.Error>}</div>
    </fieldset>
  );
}
