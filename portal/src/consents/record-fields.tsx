// Checkboxes of the person's own records.
import { Checkbox } from "@mantine/core";
import { useMe } from "../accounts/session/use-session.ts";
import { SELF_CARE_HOSPITAL_ID } from "../organization/hospitals/api.ts";
import { formatRecord, useRecords } from "../patients/own-record/my-page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import classes from "./consents.module.css";
import { useWards } from "./guardians/api.ts";

/** A record that the person can choose, in words. */
export type RecordChoice = { id: string; hospitalId: string; label: string };

/** The query of the person's records, and what makes choices of them and of those that they decide about as a guardian. */
export function useRecordChoices() {
  const t = useTranslation();
  const query = useRecords();
  const wards = useWards();
  const { patients } = useMe();
  const hospitalName = (patientId: string, hospitalId: string) =>
    hospitalId === SELF_CARE_HOSPITAL_ID
      ? t("consents.own_entries")
      : patients.find(({ patient_id }) => patient_id === patientId)?.hospital_name;
  const toChoices = ({ items }: NonNullable<typeof query.data>): RecordChoice[] => [
    ...items.map((record) => ({
      id: record.patient_id,
      hospitalId: record.hospital_id,
      label: formatRecord(record, hospitalName(record.patient_id, record.hospital_id), t),
    })),
    ...wards
      .filter((ward) => !items.some(({ patient_id }) => patient_id === ward.patient_id))
      .map((ward) => ({
        id: ward.patient_id,
        hospitalId: ward.hospital_id,
        label: [ward.patient_name, ward.hospital_name, t("consents.as_guardian")].filter(Boolean).join(" · "),
      })),
  ];
  return { query, toChoices };
}

type RecordFieldsProps = {
  /** Of the first checkbox, to which the error summary links. */
  id: string;
  error: string | undefined;
  label: string;
  choices: readonly RecordChoice[];
  value: readonly string[];
  onChange: (ids: string[]) => void;
};

export function RecordFields({ id, error, label, choices, value, onChange }: RecordFieldsProps) {
  const t = useTranslation();
  return (
    <Checkbox.Group
      label={label}
      description={t("consents.which_records_hint")}
      error={error}
      value={[...value]}
      onChange={onChange}
    >
      <div className={classes.choices}>
        {choices.map((choice, i) => (
          <Checkbox key={choice.id} {...(i === 0 && { id })} value={choice.id} label={choice.label} />
        ))}
      </div>
    </Checkbox.Group>
  );
}
