// Dialogs before chosen entries are filed or discarded: the patient by hand and by number, and the reason.
import { Button } from "@mantine/core";
import { useState } from "react";
import { PatientNumberInput } from "../../patients/patient-number-input.tsx";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { parseNumber } from "../../platform/design/parse-number.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { ReasonField } from "../../reports/correction/reason-field.tsx";
import { type Candidate, PatientIdentifiers, PatientPicker } from "../../reports/upload/patient-picker.tsx";
import classes from "../../reports/upload/uploads.module.css";
import type { HeldEntry } from "./api.ts";
import type { HeldJob } from "./use-held-run.ts";

type ResolveDialogProps = { entries: readonly HeldEntry[]; onStart: (job: HeldJob) => void; onClose: () => void };

const countSamples = (entries: readonly HeldEntry[]): number => entries.reduce((sum, { count }) => sum + count, 0);

export function FileDialog({ entries, onStart, onClose }: ResolveDialogProps) {
  const t = useTranslation();
  const [patient, setPatient] = useState<Candidate | null>(null);
  const [typedNumber, setTypedNumber] = useState("");
  const [reason, setReason] = useState("");
  const isConfirmed = patient !== null && parseNumber(typedNumber) === patient.patient_number;
  return (
    <ConfirmDialog
      title={t("held.file_title", { n: entries.length })}
      confirmLabel={t("held.file_confirm")}
      isDangerous={false}
      disabled={!isConfirmed || reason.trim() === ""}
      onConfirm={async () => onStart({ entries, patient, reason: reason.trim() })}
      onClose={onClose}
    >
      <p>{t("held.file_text", { n: countSamples(entries) })}</p>
      {patient ? (
        <div className={classes.chosen}>
          <PatientIdentifiers patient={patient} />
          <Button variant="default" onClick={() => setPatient(null)}>
            {t("uploads.other_patient")}
          </Button>
        </div>
      ) : (
        <PatientPicker hospitalId={entries[0]?.hospital_id ?? null} onChoose={setPatient} />
      )}
      {patient && <PatientNumberInput patientNumber={patient.patient_number} value={typedNumber} onText={setTypedNumber} />}
      <ReasonField reason={reason} onReason={setReason} />
    </ConfirmDialog>
  );
}

export function DiscardDialog({ entries, onStart, onClose }: ResolveDialogProps) {
  const t = useTranslation();
  const [reason, setReason] = useState("");
  return (
    <ConfirmDialog
      title={t("held.discard_title", { n: entries.length })}
      confirmLabel={t("held.discard_confirm")}
      disabled={reason.trim() === ""}
      onConfirm={async () => onStart({ entries, patient: null, reason: reason.trim() })}
      onClose={onClose}
    >
      <p>{t("held.discard_text", { n: countSamples(entries) })}</p>
      <ReasonField reason={reason} onReason={setReason} />
    </ConfirmDialog>
  );
}
