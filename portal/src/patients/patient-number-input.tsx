// The number of the chosen patient, typed as a check that it is the right one.
import { TextInput } from "@mantine/core";
import { useTranslation } from "../platform/messages/translate.ts";

type PatientNumberInputProps = { patientNumber: number; value: string; onText: (text: string) => void };

export function PatientNumberInput({ patientNumber, value, onText }: PatientNumberInputProps) {
  const t = useTranslation();
  return (
    <TextInput
      mt="sm"
      label={t("uploads.type_number", { n: patientNumber })}
      inputMode="numeric"
      autoComplete="off"
      value={value}
      onChange={(event) => onText(event.currentTarget.value)}
    />
  );
}
