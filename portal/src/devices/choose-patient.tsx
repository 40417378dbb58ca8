// Finds a patient of one hospital by what they are called, and takes exactly one; nobody is chosen beforehand.
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { Failed, Loading } from "../design/states.tsx";
import { date } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { nameOf, type PatientSummary } from "../patients/api.ts";
import { isLongEnough, usePatientSearch } from "../patients/use-patient-search.ts";
import classes from "./devices.module.css";

const SHOWN = 20;

type ChoosePatientProps = {
  hospitalId: string;
  chosen: PatientSummary | null;
  onChoose: (patient: PatientSummary | null) => void;
  field: { id: string; error: string | undefined };
};

export function ChoosePatient({ hospitalId, chosen, onChoose, field }: ChoosePatientProps) {
  const say = useSay();
  const [text, setText] = useState("");
  const { query, waiting, found } = usePatientSearch(text, SHOWN, hospitalId);
  return (
    <>
      <TextInput
        {...field}
        data-autofocus
        label={say("devices.find_patient")}
        description={say("devices.find_hint")}
        autoComplete="off"
        value={text}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          onChoose(null);
        }}
      />
      {waiting && isLongEnough(text) && <Loading />}
      {!waiting && query.error && <Failed error={query.error} retry={() => void query.refetch()} />}
      {!waiting && !query.error && found.length === 0 && <p role="status">{say("devices.nobody_found")}</p>}
      {found.length > 0 && (
        <fieldset className={classes.choices}>
          <legend className="visually-hidden">{say("devices.patient")}</legend>
          {found.map((patient) => (
            <label key={patient.patient_id} className={classes.choice}>
              <input
                type="radio"
                name={`${field.id}-patient`}
                checked={chosen?.patient_id === patient.patient_id}
                onChange={() => onChoose(patient)}
              />
              <span>
                {nameOf(patient)}
                <small>
                  {say("common.number", { n: patient.patient_number })} · <Born patient={patient} />
                </small>
              </span>
            </label>
          ))}
        </fieldset>
      )}
    </>
  );
}

function Born({ patient: { date_of_birth } }: { patient: PatientSummary }) {
  const say = useSay();
  return date_of_birth ? say("devices.born", { date: date(date_of_birth, "UTC") }) : say("devices.born_unknown");
}
