// Page to enter a set of observations at the bedside.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { currentSession } from "../../accounts/session/session.ts";
import { useMe } from "../../accounts/session/use-session.ts";
import type { Patient } from "../../patients/api.ts";
import { usePatientNumberAndZone, usePatientRecord } from "../../patients/record/use-patient-record.ts";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Page } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { createDraftStore } from "../../platform/draft-store.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { type Monitoring, readMonitoring } from "../alert-rules/api.ts";
import { useServerNow } from "../live/use-live.ts";
import classes from "./observation-set.module.css";
import { EMPTY_DRAFT, judgeScoring, type SetDraft, toDraft } from "./set-draft.ts";
import { type Outcome, SetForm } from "./set-form.tsx";
import { useOutbox } from "./use-outbox.ts";

export function ObservationSetPage() {
  const t = useTranslation();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/observations/new" });
  const { set: replaces = null } = useSearch({ from: "/signed-in/patients/$patientId/observations/new" });
  const { number, zone } = usePatientNumberAndZone(patientId);
  const patient = usePatientRecord(patientId);
  const monitoring = useQuery({ queryKey: ["rules", "monitoring", patientId], queryFn: () => readMonitoring(patientId) });
  return (
    <Page title={t("set.title")} windowTitle={t("set.window_title", { n: number })}>
      <QueryBoundary query={patient}>
        {({ data: record }) => (
          <QueryBoundary query={monitoring}>
            {({ data: settings }) => (
              <ObservationSet key={replaces} patient={record} settings={settings} zone={zone} replaces={replaces} />
            )}
          </QueryBoundary>
        )}
      </QueryBoundary>
    </Page>
  );
}

/** Nothing remains for another hospital: its patients are others. */
const drafts = createDraftStore<SetDraft>(() => null);

type ObservationSetProps = { patient: Patient; settings: Monitoring; zone: string | undefined; replaces: string | null };

function ObservationSet({ patient, settings, zone, replaces }: ObservationSetProps) {
  const t = useTranslation();
  const now = useServerNow(60_000);
  const { sets, failure } = useOutbox();
  const { user_id: user, hospital } = useMe();
  const visit = `${patient.patient_id} ${useLocation().state.__TSR_key}`;
  const owner = { user, hospital: hospital?.id ?? null, visit };
  const [entered, setEntered] = useState<SetDraft | null>(() => drafts.load(owner));
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const refused = sets.find((set) => set.id === replaces && set.patientId === patient.patient_id);
  // The set to correct is read from the browser's store after the page is shown.
  const draft = entered ?? (refused ? toDraft(refused.body, zone) : EMPTY_DRAFT);
  useEffect(() => {
    if (entered) drafts.save(owner, entered);
  });
  useEffect(
    () => () => {
      if (currentSession().status !== "expired") drafts.clear();
    },
    [],
  );
  if (outcome) {
    const enterAnother = () => {
      setEntered(EMPTY_DRAFT);
      setOutcome(null);
    };
    return <OutcomePanel outcome={outcome} patientId={patient.patient_id} zone={zone} onAnother={enterAnother} />;
  }
  return (
    <>
      {failure !== null && <p className={layout.alert}>{t("set.cannot_keep")}</p>}
      <SetForm
        patientId={patient.patient_id}
        scale={settings.spo2_scale === 2 ? 2 : 1}
        scoring={judgeScoring({ dateOfBirth: patient.date_of_birth, pregnant: settings.pregnant }, now)}
        zone={zone}
        draft={draft}
        replaces={refused?.id ?? null}
        onDraft={setEntered}
        onDone={(done) => {
          drafts.clear();
          setEntered(null);
          setOutcome(done);
        }}
      />
    </>
  );
}

type OutcomePanelProps = { outcome: Outcome; patientId: string; zone: string | undefined; onAnother: () => void };

function OutcomePanel({ outcome, patientId, zone, onAnother }: OutcomePanelProps) {
  const t = useTranslation();
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => panel.current?.focus(), []);
  return (
    <div ref={panel} tabIndex={-1} role="status" className={classes.done}>
      {outcome.kind === "filed" ? (
        <FiledText filed={outcome} zone={zone} />
      ) : (
        <>
          <p>
            <strong>{t("set.kept")}</strong>
          </p>
          <p>{t("set.kept_text")}</p>
        </>
      )}
      <div className={layout.acts}>
        <Button component={Link} to={`/patients/${patientId}/vitals`}>
          {t("set.to_vitals")}
        </Button>
        <Button variant="default" onClick={onAnother}>
          {t("set.another")}
        </Button>
      </div>
    </div>
  );
}

function FiledText({ filed, zone }: { filed: Extract<Outcome, { kind: "filed" }>; zone: string | undefined }) {
  const t = useTranslation();
  const { due_at } = filed.answer.observations;
  return (
    <>
      <p>
        <strong>{t(filed.isPartial ? "set.filed_partial" : "set.filed")}</strong>
      </p>
      {due_at !== null && <p>{t("set.next_due", { time: formatDateTime(due_at, zone) })}</p>}
    </>
  );
}
