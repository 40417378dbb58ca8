// Patient search by name, phone or number. None is preselected; each result shows two identifiers.
import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { getFullName, type PatientSummary, readPatient } from "../../patients/api.ts";
import { formatBirthDate } from "../../patients/patient-age.ts";
import { isSearchable, usePatientSearch } from "../../patients/use-patient-search.ts";
import { toProblem } from "../../platform/api/problem.ts";
import layout from "../../platform/design/layout.module.css";
import { parseNumber } from "../../platform/design/parse-number.ts";
import { EmptyState, LoadError, Loading } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import classes from "./uploads.module.css";

export type Candidate = Pick<
  PatientSummary,
  "patient_id" | "patient_number" | "first_name" | "last_name" | "date_of_birth" | "gender" | "hospital_id"
>;

const MAX_CANDIDATES = 10;

type PickerProps = {
  /** Hospital of the upload, where known: platform administrators search there. */
  hospitalId?: string | null;
  onChoose: (patient: Candidate) => void;
};

export function PatientPicker({ hospitalId = null, onChoose }: PickerProps) {
  const t = useTranslation();
  const [text, setText] = useState("");
  const { hasQuery, isSearching, error, retry, candidates } = useCandidates(text, hospitalId);
  return (
    <div className={`${layout.stack} ${classes.stack}`}>
      <TextInput
        type="search"
        label={t("uploads.find_patient")}
        description={t("uploads.find_patient_hint")}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        autoComplete="off"
      />
      {hasQuery && isSearching && <Loading />}
      {hasQuery && !isSearching && error && <LoadError error={error} retry={retry} />}
      {hasQuery && !isSearching && !error && candidates.length === 0 && <EmptyState>{t("uploads.nobody_found")}</EmptyState>}
      {hasQuery && !isSearching && !error && candidates.length > 0 && (
        <ul className={`${layout.bare} ${classes.candidates}`} aria-label={t("uploads.found_patients")}>
          {candidates.map((patient) => (
            <li key={patient.patient_id}>
              <PatientIdentifiers patient={patient} />
              <Button
                variant="default"
                onClick={() => onChoose(patient)}
                aria-label={t("uploads.choose_patient", { name: getFullName(patient), n: patient.patient_number })}
              >
                {t("uploads.choose")}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Name, number and further identifiers that distinguish patients with one name. */
export function PatientIdentifiers({ patient }: { patient: Candidate }) {
  const t = useTranslation();
  return (
    <div className={classes.identifiers}>
      <strong>{getFullName(patient)}</strong>
      <span>
        <strong>{t("common.number", { n: patient.patient_number })}</strong>
        {patient.date_of_birth && ` · ${t("reports.born", { date: formatBirthDate(patient.date_of_birth) })}`}
        {patient.gender !== "unknown" && ` · ${translateCode("patients.gender", patient.gender)}`}
      </span>
    </div>
  );
}

/** Matches starts of words and, for digits, the patient number. */
function useCandidates(text: string, fixedHospitalId: string | null) {
  const textSearch = usePatientSearch(text, MAX_CANDIDATES, fixedHospitalId);
  const { debouncedText, hospitalId } = textSearch;
  const n = debouncedText === null ? null : parseNumber(debouncedText);
  const numberQuery = useQuery({
    queryKey: ["patients", "numbered", n],
    queryFn: () => (n === null ? null : findPatientByNumber(n)),
    enabled: n !== null,
    gcTime: 0,
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
  const isTextSearch = isSearchable(text);
  const isInHospital = numberQuery.data && (hospitalId === null || numberQuery.data.hospital_id === hospitalId);
  const numberMatch: Candidate | null = isInHospital ? numberQuery.data : null;
  return {
    hasQuery: isTextSearch || n !== null,
    isSearching: (isTextSearch && textSearch.waiting) || numberQuery.isLoading,
    error: (isTextSearch ? textSearch.query.error : null) ?? numberQuery.error,
    retry: () => {
      if (isTextSearch) void textSearch.query.refetch();
      if (n !== null) void numberQuery.refetch();
    },
    candidates: [
      ...(numberMatch ? [numberMatch] : []),
      ...textSearch.found.filter(({ patient_id }) => patient_id !== numberMatch?.patient_id),
    ],
  };
}

async function findPatientByNumber(n: number): Promise<Candidate | null> {
  try {
    return (await readPatient(String(n))).data;
  } catch (error) {
    if ([400, 404].includes(toProblem(error).status)) return null;
    throw error;
  }
}
