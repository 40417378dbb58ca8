// Finds a patient by name, phone or number. Nobody is preselected: each is shown with two identifiers, and chosen.
import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { asProblem } from "../api/problem.ts";
import { numberIn } from "../design/form.tsx";
import { Empty, Failed, Loading } from "../design/states.tsx";
import { date } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { nameOf, type PatientSummary, readPatient, searchPatients } from "../patients/api.ts";
import classes from "./uploads.module.css";

export type Candidate = Pick<
  PatientSummary,
  "patient_id" | "patient_number" | "first_name" | "last_name" | "date_of_birth" | "gender" | "hospital_id"
>;

const REST_MS = 250;
const MOST = 10;
const SHORTEST = 2;

type PickerProps = {
  /** Whose patients: needed by administrators of the platform, who have no hospital of their own. */
  hospitalId: string | null;
  onChoose: (patient: Candidate) => void;
};

export function PatientPicker({ hospitalId, onChoose }: PickerProps) {
  const say = useSay();
  const [text, setText] = useState("");
  const rested = useRested(text.trim());
  const found = useFound(rested, hospitalId);
  return (
    <div className={classes.stack}>
      <TextInput
        type="search"
        label={say("uploads.find_patient")}
        description={say("uploads.find_patient_hint")}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        autoComplete="off"
      />
      {found.isFetching && <Loading />}
      {!found.isFetching && found.error && <Failed error={found.error} retry={() => void found.refetch()} />}
      {!found.isFetching && found.data?.length === 0 && <Empty>{say("uploads.nobody_found")}</Empty>}
      {!found.isFetching && found.data && found.data.length > 0 && (
        <ul className={classes.candidates} aria-label={say("uploads.found_patients")}>
          {found.data.map((patient) => (
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

function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}

/** By beginnings of words, and where a number was typed, by the patient's number too. */
function useFound(text: string, hospitalId: string | null) {
  const n = numberIn(text);
  const long = Array.from(text).length >= SHORTEST;
  return useQuery({
    queryKey: ["uploads", "candidates", hospitalId, text],
    queryFn: async ({ signal }) => {
      const [numbered, named] = await Promise.all([
        n === null ? null : byNumber(n),
        long ? searchPatients(text, hospitalId, null, MOST, signal) : null,
      ]);
      const others = (named?.items ?? []).filter((patient) => patient.patient_id !== numbered?.patient_id);
      const all: Candidate[] = [...(numbered ? [numbered] : []), ...others];
      return all.filter((patient) => hospitalId === null || patient.hospital_id === hospitalId);
    },
    enabled: long || n !== null,
    gcTime: 0,
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
}

async function byNumber(n: number): Promise<Candidate | null> {
  try {
    return (await readPatient(String(n))).data;
  } catch (error) {
    if ([400, 404].includes(asProblem(error).status)) return null;
    throw error;
  }
}
