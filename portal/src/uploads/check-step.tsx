// Fourth: the file beside the patient and the numbers, once more, and then it is sent.
import { Button, Group } from "@mantine/core";
import layout from "../design/layout.module.css";
import { useHeld } from "../design/offline.tsx";
import { Facts } from "../design/page.tsx";
import { dateTime } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { sizeOf } from "../reports/file-size.ts";
import { MetricsTable } from "../reports/metrics-table.tsx";
import type { Draft } from "./draft.ts";
import { FilePreview } from "./file-step.tsx";
import { type Candidate, Identifiers } from "./patient-picker.tsx";
import { isOver, isUnderWay, type Sending } from "./sending.ts";
import { SendingView } from "./sending-view.tsx";
import classes from "./uploads.module.css";

type CheckStepProps = {
  draft: Draft;
  patient: Candidate;
  zone: string | undefined;
  state: Sending;
  onSend: () => void;
  onCancel: () => void;
  onBack: () => void;
  onAnother: () => void;
};

export function CheckStep({ draft, patient, zone, state, onSend, onCancel, onBack, onAnother }: CheckStepProps) {
  const say = useSay();
  const { held, reason } = useHeld();
  const { file, kind, recordedAt, metrics } = draft;
  return (
    <div className={classes.beside}>
      <FilePreview file={file} />
      <div className={`${layout.stack} ${classes.stack}`}>
        <div className={classes.chosen}>
          <Identifiers patient={patient} />
        </div>
        <p>{say("uploads.same_patient")}</p>
        <Facts
          items={[
            [say("reports.kind"), sayOf("report_kind", kind)],
            [say("reports.measured"), recordedAt ? dateTime(recordedAt, zone) : say("uploads.measured_now")],
            [say("reports.file"), `${file.name} · ${sizeOf(file.size)}`],
          ]}
        />
        {Object.keys(metrics).length > 0 ? (
          <MetricsTable kind={kind} metrics={metrics} />
        ) : (
          <p className={classes.note}>{say("uploads.no_metrics")}</p>
        )}
        <SendingView state={state} onRetry={onSend} onCancel={onCancel} />
        {state.status === "ready" && reason}
        {!isUnderWay(state) && !isOver(state) && (
          <Group justify="space-between">
            <Button variant="default" onClick={onBack}>
              {say("common.back")}
            </Button>
            {state.status === "ready" && (
              <Button onClick={onSend} {...held}>
                {say("uploads.send")}
              </Button>
            )}
          </Group>
        )}
        {isOver(state) && (
          <Group>
            <Button variant="default" onClick={onAnother}>
              {say("uploads.another")}
            </Button>
          </Group>
        )}
      </div>
    </div>
  );
}
