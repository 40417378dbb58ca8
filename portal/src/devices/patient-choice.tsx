// Patient search within one hospital; exactly one is chosen, none is preselected.
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { getFullName, type PatientSummary } from "../patients/api.ts";
import { formatBirthDate } from "../patients/patient-age.ts";
import { isSearchable, usePatientSearch } from "../patients/use-patient-search.ts";
import { LoadError, Loading } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import classes from "./devices.module.css";

const MAX_RESULTS = 20;

type PatientChoiceProps = {
  hospitalId: string;
  chosen: PatientSummary | null;
  onChoose: (patient: PatientSummary | null) => void;
  field: { id: string; error: string | undefined };
};

export function PatientChoice({ hospitalId, chosen, onChoose, field }: PatientChoiceProps) {
  const t = useTranslation();
  const [text, setText] = useState("");
  const { query, waiting: isSearching, found: results } = usePatientSearch(text, MAX_RESULTS, hospitalId);
  return (
    <>
      <TextInput
        {...field}
        data-autofocus
        label={t("devices.find_patient")}
        description={t("devices.find_hint")}
        autoComplete="off"
        value={text}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          onChoose(null);
        }}
      />
      {isSearching && isSearchable(text) && <Loading />}
      {!isSearching && query.error && <LoadError error={query.error} retry={() => void query.refetch()} />}
      {!isSearching && !query.error && results.length === 0 && <p role="status">{t("devices.nobody_found")}</p>}
      {results.length > 0 && (
        <fieldset className={classes.choices}>
          <legend className="visually-hidden">{t("devices.patient")}</legend>
          {results.map((patient) => (
            <label key={patient.patient_id} className={classes.choice}>
              <input
                type="radio"
                name={`${field.id}-patient`}
                checked={chosen?.patient_id === patient.patient_id}
                onChange={() => onChoose(patient)}
              />
              <span>
                {getFullName(patient)}
                <small>
                  {t("common.number", { n: patient.patient_number })} · <BirthDate patient={patient} />
                </small>
              </span>
            </label>
          ))}
        </fieldset>
      )}
    </>
  );
}

function BirthDate({ patient: { date_of_birth } }: { patient: PatientSummary }) {
  const t = useTranslation();
  return date_of_birth ? t("devices.born", { date: formatBirthDate(date_of_birth) }) : t("devices.born_unknown");
}
