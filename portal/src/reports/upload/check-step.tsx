// Step 4: review of file, patient and measurements, then upload.
import { Button, Group } from "@mantine/core";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { DescriptionList } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { formatFileSize } from "../file-size.ts";
import { MetricsTable } from "../metrics-table.tsx";
import { FilePreview } from "./file-step.tsx";
import { type Candidate, PatientIdentifiers } from "./patient-picker.tsx";
import type { UploadDraft } from "./upload-draft.ts";
import { isFinished, isInProgress, type UploadState } from "./upload-state.ts";
import { UploadStatus } from "./upload-status.tsx";
import classes from "./uploads.module.css";

type CheckStepProps = {
  draft: UploadDraft;
  patient: Candidate;
  zone: string | undefined;
  state: UploadState;
  onSend: () => void;
  onCancel: () => void;
  onBack: () => void;
  onAnother: () => void;
};

export function CheckStep({ draft, patient, zone, state, onSend, onCancel, onBack, onAnother }: CheckStepProps) {
  const t = useTranslation();
  const { offlineProps, offlineNotice } = useOfflineGuard();
  const { file, kind, recordedAt, metrics } = draft;
  return (
    <div className={classes.beside}>
      <FilePreview file={file} />
      <div className={`${layout.stack} ${classes.stack}`}>
        <div className={classes.chosen}>
          <PatientIdentifiers patient={patient} />
        </div>
        <p>{t("uploads.same_patient")}</p>
        <DescriptionList
          items={[
            [t("reports.kind"), translateCode("report_kind", kind)],
            [t("reports.measured"), recordedAt ? formatDateTime(recordedAt, zone) : t("uploads.measured_now")],
            [t("reports.file"), `${file.name} · ${formatFileSize(file.size)}`],
          ]}
        />
        {Object.keys(metrics).length > 0 ? (
          <MetricsTable kind={kind} metrics={metrics} />
        ) : (
          <p className={classes.note}>{t("uploads.no_metrics")}</p>
        )}
        <UploadStatus state={state} onRetry={onSend} onCancel={onCancel} />
        {state.status === "ready" && offlineNotice}
        {!isInProgress(state) && !isFinished(state) && (
          <Group justify="space-between">
            <Button variant="default" onClick={onBack}>
              {t("common.back")}
            </Button>
            {state.status === "ready" && (
              <Button onClick={onSend} {...offlineProps}>
                {t("uploads.send")}
              </Button>
            )}
          </Group>
        )}
        {isFinished(state) && (
          <Group>
            <Button variant="default" onClick={onAnother}>
              {t("uploads.another")}
            </Button>
          </Group>
        )}
      </div>
    </div>
  );
}
