// A new report in four steps: PDF, patient, numbers, check. Leaving stops what is under way; until its last byte nothing is filed.
import { useQuery } from "@tanstack/react-query";
import { useBlocker, useLocation } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Confirm } from "../design/confirm.tsx";
import { Card, Page } from "../design/page.tsx";
import { Loading } from "../design/states.tsx";
import { type PlainKey, useSay } from "../messages/index.ts";
import { readPatient } from "../patients/api.ts";
import { useZone } from "../reports/api.ts";
import { momentOf } from "../reports/days.ts";
import { CheckStep } from "./check-step.tsx";
import { metricsOf } from "./draft.ts";
import { FileStep } from "./file-step.tsx";
import { MetricsStep, type Said } from "./metrics-step.tsx";
import type { Candidate } from "./patient-picker.tsx";
import { PatientStep } from "./patient-step.tsx";
import { isUnderWay } from "./sending.ts";
import classes from "./uploads.module.css";
import { useSending } from "./use-sending.ts";

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** The patient from whose page somebody comes to send a report. */
    patientId?: string;
  }
}

const STEPS = ["uploads.step_file", "uploads.step_patient", "uploads.step_metrics", "uploads.step_check"] as const;
const NOTHING_SAID: Said = { kind: "ecg", wall: "", typed: {}, interpretation: "" };

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
  const [step, setStep] = useState(0);
  const [file, setFile] = useState<File | null>(null);
  const [said, setSaid] = useState(NOTHING_SAID);
  const { patient, choose, reading, error } = usePatient();
  const zone = useZone(patient?.hospital_id);
  const { state, start, cancel } = useSending();
  const draft = file &&
    patient && {
      file,
      patientId: patient.patient_id,
      kind: said.kind,
      recordedAt: said.wall ? momentOf(said.wall, zone) : null,
      metrics: metricsOf(said.kind, said.typed, said.interpretation),
    };
  const next = () => setStep(step + 1);
  const back = () => setStep(step - 1);
  return (
    <>
      <Steps at={step} />
      <Step key={step} moved={step > 0}>
        <Card title={say(STEPS[step] ?? STEPS[0])}>
          {step === 0 && <FileStep file={file} onFile={setFile} onNext={next} />}
          {step === 1 && reading && <Loading />}
          {step === 1 && !reading && (
            <PatientStep patient={patient} error={error} onPatient={choose} onNext={next} onBack={back} />
          )}
          {step === 2 && <MetricsStep said={said} zone={zone} onSaid={setSaid} onNext={next} onBack={back} />}
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

/** The patient from whose page one came, until another is chosen. */
function usePatient() {
  const preset = useLocation().state.patientId ?? null;
  const [chosen, setChosen] = useState<Candidate | null | "preset">(preset ? "preset" : null);
  const query = useQuery({
    queryKey: ["uploads", "preset", preset],
    queryFn: async () => (await readPatient(preset ?? "")).data,
    enabled: chosen === "preset",
  });
  const patient: Candidate | null = chosen === "preset" ? (query.data ?? null) : chosen;
  const waiting = chosen === "preset" && query.isPending;
  return { patient, choose: setChosen, reading: waiting, error: chosen === "preset" ? query.error : null };
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
      onConfirm={async () => blocker.proceed()}
      onClose={() => blocker.reset()}
    >
      {say("uploads.leave_text")}
    </Confirm>
  );
}
