// Files a quarantined upload for a patient: selected by hand and confirmed by typing the patient number.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { getFullName } from "../../patients/api.ts";
import { parseWallTime } from "../../platform/design/calendar-days.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { parseNumber } from "../../platform/design/parse-number.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { ReasonField } from "../correction/reason-field.tsx";
import { isReportKind, KINDS, type Kind } from "../report-kinds.ts";
import { assignUpload, type UploadDetail } from "../upload/api.ts";
import { type Candidate, PatientIdentifiers, PatientPicker } from "../upload/patient-picker.tsx";
import classes from "../upload/uploads.module.css";

export function AssignUpload({ upload }: { upload: UploadDetail }) {
  const t = useTranslation();
  const [patient, setPatient] = useState<Candidate | null>(null);
  const [kind, setKind] = useState<Kind>(isReportKind(upload.kind) ? upload.kind : "other");
  const [isConfirming, setIsConfirming] = useState(false);
  const zone = useHospitalTimeZone(upload.hospital_id ?? undefined);
  const [wallTime, setWallTime] = useState("");
  const [reason, setReason] = useState("");
  const recordedAt = parseWallTime(wallTime, zone);
  const isTimeMissing = upload.reason === "time_unclear" && (recordedAt === null || Date.parse(recordedAt) > Date.now());
  const isReasonMissing = upload.reason === "not_pdf" && reason.trim() === "";
  return (
    <Card title={t("uploads.assign_title")}>
      <div className={`${layout.stack} ${classes.stack}`}>
        <p>{t("uploads.assign_text")}</p>
        {patient ? (
          <div className={classes.chosen}>
            <PatientIdentifiers patient={patient} />
            <Button variant="default" onClick={() => setPatient(null)}>
              {t("uploads.other_patient")}
            </Button>
          </div>
        ) : (
          <PatientPicker hospitalId={upload.hospital_id} onChoose={setPatient} />
        )}
        <NativeSelect
          label={t("reports.kind")}
          value={kind}
          onChange={({ currentTarget: { value } }) => isReportKind(value) && setKind(value)}
          data={KINDS.map((value) => ({ value, label: translateCode("report_kind", value) }))}
        />
        {upload.reason === "time_unclear" && (
          <TextInput
            type="datetime-local"
            required
            label={t("reports.measured")}
            description={t("uploads.time_was", { text: String(upload.fields["recorded_at"] ?? "") })}
            value={wallTime}
            onChange={(event) => setWallTime(event.currentTarget.value)}
          />
        )}
        <ReasonField reason={reason} isRequired={upload.reason === "not_pdf"} onReason={setReason} />
        <Button disabled={!patient || isTimeMissing || isReasonMissing} onClick={() => setIsConfirming(true)}>
          {t("uploads.file_report")}…
        </Button>
      </div>
      {isConfirming && patient && (
        <AssignConfirmDialog
          patient={patient}
          onAssign={() =>
            assignUpload(upload.upload_id, {
              patient_id: patient.patient_id,
              kind,
              ...(recordedAt && { recorded_at: recordedAt }),
              ...(reason.trim() && { reason: reason.trim() }),
            })
          }
          onClose={() => setIsConfirming(false)}
        />
      )}
    </Card>
  );
}

type AssignConfirmDialogProps = { patient: Candidate; onAssign: () => Promise<unknown>; onClose: () => void };

function AssignConfirmDialog({ patient, onAssign, onClose }: AssignConfirmDialogProps) {
  const t = useTranslation();
  const [typedNumber, setTypedNumber] = useState("");
  const n = patient.patient_number;
  return (
    <ConfirmDialog
      title={t("uploads.file_question", { name: getFullName(patient), n })}
      confirmLabel={t("uploads.file_report")}
      isDangerous={false}
      disabled={parseNumber(typedNumber) !== n}
      onConfirm={onAssign}
      onClose={onClose}
    >
      <PatientIdentifiers patient={patient} />
      <TextInput
        mt="sm"
        label={t("uploads.type_number", { n })}
        inputMode="numeric"
        autoComplete="off"
        value={typedNumber}
        onChange={(event) => setTypedNumber(event.currentTarget.value)}
      />
    </ConfirmDialog>
  );
}
