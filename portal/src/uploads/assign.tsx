// Files an upload in quarantine for a patient: chosen by hand, and named a second time by number.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import { Confirm } from "../design/confirm.tsx";
import { numberIn } from "../design/form.tsx";
import layout from "../design/layout.module.css";
import { Card } from "../design/page.tsx";
import { sayOf, useSay } from "../messages/index.ts";
import { nameOf } from "../patients/api.ts";
import { isKind, KINDS, type Kind } from "../reports/kinds.ts";
import { assignUpload, type KeptUpload } from "./api.ts";
import { type Candidate, Identifiers, PatientPicker } from "./patient-picker.tsx";
import classes from "./uploads.module.css";

export function Assign({ upload }: { upload: KeptUpload }) {
  const say = useSay();
  const [patient, setPatient] = useState<Candidate | null>(null);
  const [kind, setKind] = useState<Kind>(isKind(upload.kind) ? upload.kind : "other");
  const [asking, setAsking] = useState(false);
  return (
    <Card title={say("uploads.assign_title")}>
      <div className={`${layout.stack} ${classes.stack}`}>
        <p>{say("uploads.assign_text")}</p>
        {patient ? (
          <div className={classes.chosen}>
            <Identifiers patient={patient} />
            <Button variant="default" onClick={() => setPatient(null)}>
              {say("uploads.other_patient")}
            </Button>
          </div>
        ) : (
          <PatientPicker hospitalId={upload.hospital_id} onChoose={setPatient} />
        )}
        <NativeSelect
          label={say("reports.kind")}
          value={kind}
          onChange={({ currentTarget: { value } }) => isKind(value) && setKind(value)}
          data={KINDS.map((value) => ({ value, label: sayOf("report_kind", value) }))}
        />
        <Button disabled={!patient} onClick={() => setAsking(true)}>
          {say("uploads.file_report")}…
        </Button>
      </div>
      {asking && patient && (
        <FileFor
          patient={patient}
          onFile={() => assignUpload(upload.upload_id, patient.patient_id, kind)}
          onClose={() => setAsking(false)}
        />
      )}
    </Card>
  );
}

type FileForProps = { patient: Candidate; onFile: () => Promise<unknown>; onClose: () => void };

function FileFor({ patient, onFile, onClose }: FileForProps) {
  const say = useSay();
  const [typed, setTyped] = useState("");
  const n = patient.patient_number;
  return (
    <Confirm
      title={say("uploads.file_question", { name: nameOf(patient), n })}
      act={say("uploads.file_report")}
      risky={false}
      disabled={numberIn(typed) !== n}
      onConfirm={onFile}
      onClose={onClose}
    >
      <Identifiers patient={patient} />
      <TextInput
        mt="sm"
        label={say("uploads.type_number", { n })}
        inputMode="numeric"
        autoComplete="off"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
    </Confirm>
  );
}
