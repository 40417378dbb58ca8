// Second: whose it is.
import { Button, Group, NativeSelect } from "@mantine/core";
import { useState } from "react";
import layout from "../design/layout.module.css";
import { NotDone } from "../design/states.tsx";
import { useSay } from "../messages/index.ts";
import { chooseHospital, useSearchedHospital } from "../patients/use-patient-search.ts";
import { type Candidate, Identifiers, PatientPicker } from "./patient-picker.tsx";
import classes from "./uploads.module.css";

type PatientStepProps = {
  patient: Candidate | null;
  /** Why the patient whose page led here could not be read. */
  error: unknown;
  onPatient: (patient: Candidate | null) => void;
  onNext: () => void;
  onBack: () => void;
};

export function PatientStep({ patient, error, onPatient, onNext, onBack }: PatientStepProps) {
  const say = useSay();
  const [missing, setMissing] = useState(false);
  const { id, hospitals } = useSearchedHospital();
  return (
    <div className={`${layout.stack} ${classes.stack}`}>
      <NotDone error={error} />
      {patient ? (
        <div className={classes.chosen}>
          <Identifiers patient={patient} />
          <Button variant="default" onClick={() => onPatient(null)}>
            {say("uploads.other_patient")}
          </Button>
        </div>
      ) : (
        <>
          {id !== null && (
            <NativeSelect
              label={say("uploads.hospital")}
              value={id}
              onChange={(event) => chooseHospital(event.currentTarget.value)}
              data={hospitals.map(({ hospital_id, name }) => ({ value: hospital_id, label: name }))}
            />
          )}
          <PatientPicker onChoose={onPatient} />
        </>
      )}
      {missing && !patient && (
        <p className={classes.fault} role="alert">
          {say("uploads.patient_missing")}
        </p>
      )}
      <Group justify="space-between">
        <Button variant="default" onClick={onBack}>
          {say("common.back")}
        </Button>
        <Button onClick={() => (patient ? onNext() : setMissing(true))}>{say("uploads.next")}</Button>
      </Group>
    </div>
  );
}
