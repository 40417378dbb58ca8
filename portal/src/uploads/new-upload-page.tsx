// A new report in four steps: PDF, patient, numbers, check. Leaving stops what is under way; until its last byte nothing is filed.
import { useBlocker } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Confirm } from "../design/confirm.tsx";
import { Card, Page } from "../design/page.tsx";
import { Loading } from "../design/states.tsx";
import { type PlainKey, useSay } from "../messages/index.ts";
import { useZone } from "../reports/api.ts";
import { momentOf } from "../reports/days.ts";
import { CheckStep } from "./check-step.tsx";
import { metricsOf } from "./draft.ts";
import { FileStep } from "./file-step.tsx";
import { MetricsStep } from "./metrics-step.tsx";
import { PatientStep } from "./patient-step.tsx";
import { isOver, isUnderWay } from "./sending.ts";
import classes from "./uploads.module.css";
import { useEntered } from "./use-entered.ts";
import { useSending } from "./use-sending.ts";

const STEPS = ["uploads.step_file", "uploads.step_patient", "uploads.step_metrics", "uploads.step_check"] as const;

export function NewUploadPage() {
  const say = useSay();
  const [round, setRound] = useState(0);
  return (
    <Page title={say("uploads.new")}>
      <NewUpload key={round} onAnother={() => setRound(round + 1)} />
    </Page>
  );
}

function NewUpload({ onAnother }: { onAnother: () => void }) {
  const say = useSay();
  const { entered, change, forget, patient, reading, error } = useEntered();
  const { step, file, said, keyed } = entered;
  const zone = useZone(patient?.hospital_id);
  const { state, start, cancel } = useSending(keyed, (next) => change({ keyed: next }));
  const draft = file &&
    patient && {
      file,
      patientId: patient.patient_id,
      kind: said.kind,
      recordedAt: said.wall ? momentOf(said.wall, zone) : null,
      metrics: metricsOf(said.kind, said.typed, said.interpretation),
    };
  const next = () => change({ step: step + 1 });
  const back = () => change({ step: step - 1 });
  const over = isOver(state);
  // What is filed needs no keeping. Each change of what was entered keeps it anew, so this comes after.
  useEffect(() => {
    if (over) forget();
  });
  return (
    <>
      <Steps at={step} />
      <Step key={step} moved={step > 0}>
        <Card title={say(STEPS[step] ?? STEPS[0])}>
          {step === 0 && <FileStep file={file} onFile={(chosen) => change({ file: chosen })} onNext={next} />}
          {step === 1 && reading && <Loading />}
          {step === 1 && !reading && (
            <PatientStep
              patient={patient}
              error={error}
              onPatient={(chosen) => change({ patient: chosen })}
              onNext={next}
              onBack={back}
            />
          )}
          {step === 2 && (
            <MetricsStep said={said} zone={zone} onSaid={(now) => change({ said: now })} onNext={next} onBack={back} />
          )}
          {step === 3 && draft && patient && (
            <CheckStep
              draft={draft}
              patient={patient}
              zone={zone}
              state={state}
              onSend={() => start(draft)}
              onCancel={cancel}
              onBack={back}
              onAnother={onAnother}
            />
          )}
        </Card>
      </Step>
      <Leaving underWay={isUnderWay(state)} />
    </>
  );
}

function Steps({ at }: { at: number }) {
  const say = useSay();
  return (
    <ol className={classes.steps} aria-label={say("uploads.steps")}>
      {STEPS.map((step: PlainKey, place) => (
        <li key={step} aria-current={place === at ? "step" : undefined} data-done={place < at}>
          {say(step)}
        </li>
      ))}
    </ol>
  );
}

/** A new step takes the focus, as a new page does. */
function Step({ moved, children }: { moved: boolean; children: React.ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (moved) place.current?.focus();
  }, [moved]);
  return (
    <div ref={place} tabIndex={-1} className={classes.step}>
      {children}
    </div>
  );
}

function Leaving({ underWay }: { underWay: boolean }) {
  const say = useSay();
  const blocker = useBlocker({ shouldBlockFn: () => underWay, enableBeforeUnload: underWay, withResolver: true });
  if (blocker.status !== "blocked") return null;
  return (
    <Confirm
      title={say("uploads.leave_title")}
      act={say("uploads.leave")}
      changes={false}
      onConfirm={async () => blocker.proceed()}
      onClose={() => blocker.reset()}
    >
      {say("uploads.leave_text")}
    </Confirm>
  );
}
