// New report in four steps: PDF, patient, measurements, review. Leaving aborts the upload; nothing is filed until the last byte.
import { useEffect, useRef, useState } from "react";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { parseWallTime } from "../../platform/design/calendar-days.ts";
import { Card, Page } from "../../platform/design/page.tsx";
import { Loading } from "../../platform/design/query-states.tsx";
import { usePageZone } from "../../platform/design/screen-zone.ts";
import { type PlainMessageKey, useTranslation } from "../../platform/messages/translate.ts";
import { CheckStep } from "./check-step.tsx";
import { FilePreview, FileStep } from "./file-step.tsx";
import { LeaveGuard } from "./leave-guard.tsx";
import { MetricsStep } from "./metrics-step.tsx";
import { PatientStep } from "./patient-step.tsx";
import { toMetrics } from "./upload-draft.ts";
import { isFinished, isInProgress } from "./upload-state.ts";
import classes from "./uploads.module.css";
import { useSendReport } from "./use-send-report.ts";
import { useUploadDraft } from "./use-upload-draft.ts";

const STEPS = ["uploads.step_file", "uploads.step_patient", "uploads.step_metrics", "uploads.step_check"] as const;

export function NewUploadPage() {
  const t = useTranslation();
  const [formKey, setFormKey] = useState(0);
  return (
    <Page title={t("uploads.new")}>
      <NewUpload key={formKey} onAnother={() => setFormKey(formKey + 1)} />
    </Page>
  );
}

function NewUpload({ onAnother }: { onAnother: () => void }) {
  const t = useTranslation();
  const { entered, updateDraft: change, clearDraft: forget, patient, isReading, error } = useUploadDraft();
  const { step, file, input, uploadKey } = entered;
  const zone = useHospitalTimeZone(patient?.hospital_id);
  usePageZone(zone);
  const { state, start, cancel } = useSendReport(uploadKey, (nextKey) => change({ uploadKey: nextKey }));
  const draft = file &&
    patient && {
      file,
      patientId: patient.patient_id,
      kind: input.kind,
      recordedAt: input.timeIs === "known" ? parseWallTime(input.wallTime, zone) : null,
      metrics: toMetrics(input.kind, input.typedMetrics, input.interpretation),
    };
  const goNext = () => change({ step: step + 1 });
  const goBack = () => change({ step: step - 1 });
  const isDone = isFinished(state);
  // Discard the draft after filing. Must come after the effect that saves each change of the draft.
  useEffect(() => {
    if (isDone) forget();
  });
  return (
    <>
      <Steps at={step} />
      <Step key={step} takesFocus={step > 0}>
        <Card title={t(STEPS[step] ?? STEPS[0])}>
          {step === 0 && <FileStep file={file} onFile={(chosen) => change({ file: chosen })} onNext={goNext} />}
          {step === 1 && isReading && <Loading />}
          {step === 1 && !isReading && (
            <PatientStep
              patient={patient}
              error={error}
              onPatient={(chosen) => change({ patient: chosen })}
              onNext={goNext}
              onBack={goBack}
            />
          )}
          {step === 2 && (
            <div className={classes.beside}>
              {file && <FilePreview file={file} />}
              <MetricsStep
                input={input}
                zone={zone}
                onInput={(next) => change({ input: next })}
                onNext={goNext}
                onBack={goBack}
              />
            </div>
          )}
          {step === 3 && draft && patient && (
            <CheckStep
              draft={draft}
              patient={patient}
              zone={zone}
              state={state}
              onSend={() => start(draft)}
              onCancel={cancel}
              onBack={goBack}
              onAnother={onAnother}
            />
          )}
        </Card>
      </Step>
      <LeaveGuard isInProgress={isInProgress(state)} />
    </>
  );
}

function Steps({ at }: { at: number }) {
  const t = useTranslation();
  return (
    <ol className={classes.steps} aria-label={t("uploads.steps")}>
      {STEPS.map((step: PlainMessageKey, index) => (
        <li key={step} aria-current={index === at ? "step" : undefined} data-done={index < at}>
          {t(step)}
        </li>
      ))}
    </ol>
  );
}

/** Each step takes the focus, as a new page does. */
function Step({ takesFocus, children }: { takesFocus: boolean; children: React.ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (takesFocus) place.current?.focus();
  }, [takesFocus]);
  return (
    <div ref={place} tabIndex={-1} className={classes.step}>
      {children}
    </div>
  );
}
