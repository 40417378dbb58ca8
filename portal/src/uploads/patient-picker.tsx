// Finds a patient by name, phone or number. Nobody is preselected: each is shown with two identifiers, and chosen.
import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem } from "../api/problem.ts";
import { numberIn } from "../design/form.tsx";
import layout from "../design/layout.module.css";
import { Empty, Failed, Loading } from "../design/states.tsx";
import { date } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { nameOf, type PatientSummary, readPatient } from "../patients/api.ts";
import { isLongEnough, usePatientSearch } from "../patients/use-patient-search.ts";
import classes from "./uploads.module.css";

export type Candidate = Pick<
  PatientSummary,
  "patient_id" | "patient_number" | "first_name" | "last_name" | "date_of_birth" | "gender" | "hospital_id"
>;

const MOST = 10;

type PickerProps = {
  /** The hospital of what is sent, where it has one already: administrators of the platform look there. */
  hospitalId?: string | null;
  onChoose: (patient: Candidate) => void;
};

export function PatientPicker({ hospitalId = null, onChoose }: PickerProps) {
  const say = useSay();
  const [text, setText] = useState("");
  const { asked, waiting, error, retry, found } = useCandidates(text, hospitalId);
  return (
    <div className={`${layout.stack} ${classes.stack}`}>
      <TextInput
        type="search"
        label={say("uploads.find_patient")}
        description={say("uploads.find_patient_hint")}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        autoComplete="off"
      />
      {asked && waiting && <Loading />}
      {asked && !waiting && error && <Failed error={error} retry={retry} />}
      {asked && !waiting && !error && found.length === 0 && <Empty>{say("uploads.nobody_found")}</Empty>}
      {asked && !waiting && !error && found.length > 0 && (
        <ul className={`${layout.bare} ${classes.candidates}`} aria-label={say("uploads.found_patients")}>
          {found.map((patient) => (
            <li key={patient.patient_id}>
              <Identifiers patient={patient} />
              <Button
                variant="default"
                onClick={() => onChoose(patient)}
                aria-label={say("uploads.choose_patient", { name: nameOf(patient), n: patient.patient_number })}
              >
                {say("uploads.choose")}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Name and number, and what else tells two people of one name apart. */
export function Identifiers({ patient }: { patient: Candidate }) {
  const say = useSay();
  return (
    <div className={classes.identifiers}>
      <strong>{nameOf(patient)}</strong>
      <span>
        <strong>{say("common.number", { n: patient.patient_number })}</strong>
        {patient.date_of_birth && ` · ${say("reports.born", { date: date(patient.date_of_birth, "UTC") })}`}
        {patient.gender !== "unknown" && ` · ${sayOf("patients.gender", patient.gender)}`}
      </span>
    </div>
  );
}

/** By beginnings of words, and where a number was typed, by the patient's number too. */
function useCandidates(text: string, given: string | null) {
  const named = usePatientSearch(text, MOST, given);
  const { rested, hospitalId } = named;
  const n = rested === null ? null : numberIn(rested);
  const numbered = useQuery({
    queryKey: ["patients", "numbered", n],
    queryFn: () => (n === null ? null : byNumber(n)),
    enabled: n !== null,
    gcTime: 0,
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
  const isNamed = isLongEnough(text);
  const isTheirs = numbered.data && (hospitalId === null || numbered.data.hospital_id === hospitalId);
  const first: Candidate | null = isTheirs ? numbered.data : null;
  return {
    asked: isNamed || n !== null,
    waiting: (isNamed && named.waiting) || numbered.isLoading,
    error: (isNamed ? named.query.error : null) ?? numbered.error,
    retry: () => {
      if (isNamed) void named.query.refetch();
      if (n !== null) void numbered.refetch();
    },
    found: [...(first ? [first] : []), ...named.found.filter(({ patient_id }) => patient_id !== first?.patient_id)],
  };
}

async function byNumber(n: number): Promise<Candidate | null> {
  try {
    return (await readPatient(String(n))).data;
  } catch (error) {
    if ([400, 404].includes(asProblem(error).status)) return null;
    throw error;
  }
}
