// Step 2: choose the patient.
import { Button, Group, NativeSelect } from "@mantine/core";
import { useState } from "react";
import { setSearchHospital, useSearchHospital } from "../../patients/use-patient-search.ts";
import layout from "../../platform/design/layout.module.css";
import { ActionError } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { type Candidate, PatientIdentifiers, PatientPicker } from "./patient-picker.tsx";
import classes from "./uploads.module.css";

type PatientStepProps = {
  patient: Candidate | null;
  /** Why the preset patient could not be loaded. */
  error: unknown;
  onPatient: (patient: Candidate | null) => void;
  onNext: () => void;
  onBack: () => void;
};

export function PatientStep({ patient, error, onPatient, onNext, onBack }: PatientStepProps) {
  const t = useTranslation();
  const [isMissing, setIsMissing] = useState(false);
  const { id, hospitals } = useSearchHospital();
  return (
    <div className={`${layout.stack} ${classes.stack}`}>
      <ActionError error={error} />
      {patient ? (
        <div className={classes.chosen}>
          <PatientIdentifiers patient={patient} />
          <Button variant="default" onClick={() => onPatient(null)}>
            {t("uploads.other_patient")}
          </Button>
        </div>
      ) : (
        <>
          {id !== null && (
            <NativeSelect
              label={t("uploads.hospital")}
              value={id}
              onChange={(event) => setSearchHospital(event.currentTarget.value)}
              data={hospitals.map(({ hospital_id, name }) => ({ value: hospital_id, label: name }))}
            />
          )}
          <PatientPicker onChoose={onPatient} />
        </>
      )}
      {isMissing && !patient && (
        <p className={classes.fault} role="alert">
          {t("uploads.patient_missing")}
        </p>
      )}
      <Group justify="space-between">
        <Button variant="default" onClick={onBack}>
          {t("common.back")}
        </Button>
        <Button onClick={() => (patient ? onNext() : setIsMissing(true))}>{t("uploads.next")}</Button>
      </Group>
    </div>
  );
}
