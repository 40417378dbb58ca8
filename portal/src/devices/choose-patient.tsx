// Finds a patient of one hospital by what they are called, and takes exactly one; nobody is chosen beforehand.
import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Failed, Loading } from "../design/states.tsx";
import { date } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { nameOf, type PatientSummary, searchPatients } from "../patients/api.ts";
import { isLongEnough } from "../patients/use-patient-search.ts";
import { useMe } from "../session/use-session.ts";
import classes from "./devices.module.css";

const REST_MS = 250;
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
  const words = useRested(text.trim());
  // Only who works for no hospital has to name one.
  const asked = useMe().hospital === null ? hospitalId : null;
  const query = useQuery({
    queryKey: ["devices", "search", asked, words],
    queryFn: ({ signal }) => searchPatients(words, asked, null, SHOWN, signal),
    enabled: isLongEnough(words),
    gcTime: 0,
  });
  const found = isLongEnough(words) ? query.data?.items : undefined;
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
      {query.error && <Failed error={query.error} retry={() => void query.refetch()} />}
      {query.isLoading && <Loading />}
      {found?.length === 0 && <p role="status">{say("devices.nobody_found")}</p>}
      {found && found.length > 0 && (
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

function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}
