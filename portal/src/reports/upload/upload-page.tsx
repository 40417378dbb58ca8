// One upload: file, sender and outcome; a quarantined upload is assigned or rejected here.
import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { QUARANTINE_REASONS } from "../../../../src/platform/db/vocabulary.ts";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card, DescriptionList, Page } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { usePageZone } from "../../platform/design/screen-zone.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { DownloadButton } from "../download-button.tsx";
import { formatFileSize } from "../file-size.ts";
import { MetricsTable } from "../metrics-table.tsx";
import { AssignUpload } from "../quarantine/assign-upload.tsx";
import { getClaimedPatient, UploadSender } from "../quarantine/quarantine-page.tsx";
import { RejectDialog } from "../quarantine/reject-dialog.tsx";
import { UploadPreview } from "../quarantine/upload-preview.tsx";
import { isReportKind } from "../report-kinds.ts";
import { readUploadFile, type UploadDetail, useUpload } from "./api.ts";
import { formatReason, OutcomeBadge } from "./outcome-badge.tsx";
import classes from "./uploads.module.css";

export function UploadPage() {
  const t = useTranslation();
  const { uploadId } = useParams({ from: "/signed-in/uploads/$uploadId" });
  return (
    <Page key={uploadId} title={t("uploads.one")}>
      <QueryBoundary query={useUpload(uploadId)}>
        {(upload) =>
          upload.outcome === "quarantined" ? <QuarantinedUpload upload={upload} /> : <SettledUpload upload={upload} />
        }
      </QueryBoundary>
    </Page>
  );
}

function SettledUpload({ upload }: { upload: UploadDetail }) {
  return (
    <>
      <OutcomeCard upload={upload} />
      <UploadFacts upload={upload} />
      <SentFields upload={upload} />
    </>
  );
}

const explainReason = (reason: string | null) =>
  `uploads.why_${QUARANTINE_REASONS.find((known) => known === reason) ?? "unknown"}` as const;

/** The file beside the patient selection. */
function QuarantinedUpload({ upload }: { upload: UploadDetail }) {
  const t = useTranslation();
  const [isRejecting, setIsRejecting] = useState(false);
  const load = () => readUploadFile(upload.upload_id);
  return (
    <>
      <div className={classes.beside}>
        <Card
          title={t("uploads.quarantined_file")}
          actions={<DownloadButton load={load} fileName={upload.file_name ?? "upload.bin"} />}
        >
          <UploadPreview upload={upload} />
        </Card>
        <div className={`${layout.stack} ${classes.stack}`}>
          <Card title={t("uploads.why_here")}>
            <p>
              <strong>{formatReason(upload.reason)}</strong>
            </p>
            <p>{t(explainReason(upload.reason))}</p>
            <Button variant="default" onClick={() => setIsRejecting(true)}>
              {t("uploads.reject_act")}
            </Button>
          </Card>
          <AssignUpload upload={upload} />
          <UploadFacts upload={upload} />
          <SentFields upload={upload} />
        </div>
      </div>
      {isRejecting && <RejectDialog uploadId={upload.upload_id} onClose={() => setIsRejecting(false)} />}
    </>
  );
}

function OutcomeCard({ upload }: { upload: UploadDetail }) {
  const t = useTranslation();
  return (
    <Card title={t("uploads.became")}>
      <p>
        <OutcomeBadge outcome={upload.outcome} /> {translateCode("upload_meaning", upload.outcome)}
      </p>
      {upload.reason && <p>{formatReason(upload.reason)}</p>}
      {upload.discard_reason && <p>{t("uploads.rejected_because", { reason: upload.discard_reason })}</p>}
      <div className={layout.acts}>
        {upload.report_id && (
          <Link to="/reports/$reportId" params={{ reportId: upload.report_id }}>
            {t("uploads.open_report")}
          </Link>
        )}
        {upload.patient_id && (
          <Link to="/patients/$patientId" params={{ patientId: upload.patient_id }}>
            {t("reports.to_patient")}
          </Link>
        )}
      </div>
    </Card>
  );
}

function UploadFacts({ upload }: { upload: UploadDetail }) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(upload.hospital_id);
  usePageZone(zone);
  const { kind, file_name, file_size, sha256 } = upload;
  const facts: (readonly [string, ReactNode])[] = [
    [t("reports.received"), formatDateTime(upload.created_at, zone)],
    [t("uploads.sent_by"), <UploadSender key="sender" upload={upload} />],
    [t("reports.kind"), kind ? translateCode("report_kind", kind) : "—"],
    [t("uploads.claimed"), getClaimedPatient(upload)],
    [t("reports.file"), file_name ?? "—"],
    [t("reports.size"), file_size === null ? "—" : formatFileSize(file_size)],
    [t("reports.sha256"), <code key="sha256">{sha256 ?? "—"}</code>],
    [t("uploads.id"), <code key="id">{upload.upload_id}</code>],
  ];
  return (
    <Card title={t("uploads.facts")}>
      <DescriptionList items={facts} />
    </Card>
  );
}

/** Data sent with the file; not verified. */
function SentFields({ upload: { kind, fields, metrics } }: { upload: UploadDetail }) {
  const t = useTranslation();
  const otherFields = Object.entries(fields).filter(([name]) => !["patient_id", "kind"].includes(name));
  const parsedMetrics = parseMetrics(metrics);
  if (otherFields.length === 0 && metrics === null) return null;
  return (
    <Card title={t("uploads.beside")}>
      <p className={classes.note}>{t("uploads.unchecked")}</p>
      {otherFields.length > 0 && (
        <DescriptionList items={otherFields.map(([name, value]) => [translateCode("upload_field", name), String(value)])} />
      )}
      {parsedMetrics ? (
        <MetricsTable kind={isReportKind(kind) ? kind : "other"} metrics={parsedMetrics} />
      ) : (
        metrics !== null && <code>{metrics}</code>
      )}
    </Card>
  );
}

function parseMetrics(metrics: string | null): Record<string, unknown> | null {
  try {
    const read: unknown = JSON.parse(metrics ?? "null");
    return typeof read === "object" && read !== null && !Array.isArray(read) ? { ...read } : null;
  } catch {
    return null;
  }
}
