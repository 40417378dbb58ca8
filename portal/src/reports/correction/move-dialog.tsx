// Moves a misfiled report: the right patient is selected by hand and confirmed by typing the patient number.
import { Button } from "@mantine/core";
import { useState } from "react";
import { PatientNumberInput } from "../../patients/patient-number-input.tsx";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { parseNumber } from "../../platform/design/parse-number.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import type { Report } from "../api.ts";
import { type Candidate, PatientIdentifiers, PatientPicker } from "../upload/patient-picker.tsx";
import classes from "../upload/uploads.module.css";
import { moveReport } from "./api.ts";
import { ReasonField } from "./reason-field.tsx";

export function MoveDialog({ report, onClose }: { report: Report; onClose: () => void }) {
  const t = useTranslation();
  const [patient, setPatient] = useState<Candidate | null>(null);
  const [typedNumber, setTypedNumber] = useState("");
  const [reason, setReason] = useState("");
  const isSame = patient?.patient_id === report.patient.patient_id;
  const isConfirmed = patient !== null && parseNumber(typedNumber) === patient.patient_number;
  return (
    <ConfirmDialog
      title={t("reports.move")}
      confirmLabel={t("reports.move_confirm")}
      disabled={!isConfirmed || isSame || reason.trim() === ""}
      onConfirm={async () => patient && moveReport(report, patient.patient_id, reason.trim())}
      onClose={onClose}
    >
      <p>{t("reports.move_text", { n: report.patient.patient_number })}</p>
      {patient ? (
        <div className={classes.chosen}>
          <PatientIdentifiers patient={patient} />
          <Button variant="default" onClick={() => setPatient(null)}>
            {t("uploads.other_patient")}
          </Button>
        </div>
      ) : (
        <PatientPicker hospitalId={report.hospital_id} onChoose={setPatient} />
      )}
      {isSame && (
        <p className={classes.fault} role="alert">
          {t("reports.move_same")}
        </p>
      )}
      {patient && !isSame && (
        <PatientNumberInput patientNumber={patient.patient_number} value={typedNumber} onText={setTypedNumber} />
      )}
      <ReasonField reason={reason} onReason={setReason} />
    </ConfirmDialog>
  );
}
