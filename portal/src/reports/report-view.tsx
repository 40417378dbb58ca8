// Report view: the PDF beside its measurements and source.
import type { ReactNode } from "react";
import { useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { formatDate, formatDateTime, formatNumber } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, DescriptionList } from "../platform/design/page.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type Report, readReportFile } from "./api.ts";
import { DownloadButton } from "./download-button.tsx";
import { formatFileSize } from "./file-size.ts";
import { MetricsTable } from "./metrics-table.tsx";
import { PdfView } from "./pdf-view.tsx";
import { QtcTable } from "./qtc-table.tsx";
import classes from "./report.module.css";
import { SenderName } from "./sender-name.tsx";

type ReportViewProps = {
  report: Report;
  page: number;
  onPage: (page: number) => void;
  /** Whether another hospital shares it: its zone and its senders are not known here. */
  isShared?: boolean;
};

export function ReportView({ report, page, onPage, isShared = false }: ReportViewProps) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(isShared ? null : report.hospital_id);
  const load = (leaving?: AbortSignal) => readReportFile(report.report_id, leaving);
  const kind = translateCode("report_kind", report.kind);
  const download = <DownloadButton load={load} fileName={report.file_name ?? "report.pdf"} />;
  return (
    <div className={classes.report}>
      {report.status === "entered-in-error" && (
        <p className={classes.errorMark} role="alert">
          {t("reports.is_error")}
        </p>
      )}
      <Card title={t("reports.pdf")} actions={download}>
        <PdfView
          key={report.report_id}
          load={load}
          page={page}
          onPage={onPage}
          label={t("reports.pdf_of", { kind, date: formatDate(report.effective_at, zone) })}
          download={download}
        />
      </Card>
      <div className={classes.beside}>
        <Measurements report={report} />
        <Card title={t("reports.about")}>
          <DescriptionList items={listReportFacts(report, zone, isShared, t)} />
        </Card>
      </div>
    </div>
  );
}

function Measurements({ report: { kind, metrics, metrics_text, computed_qtc } }: { report: Report }) {
  const t = useTranslation();
  const { interpretation, ...measured } = metrics ?? {};
  const hasMeasurements = Object.keys(measured).length > 0;
  return (
    <Card title={t("reports.measurements")}>
      {hasMeasurements || interpretation || metrics_text ? (
        <p className={layout.note}>{t("reports.as_sent")}</p>
      ) : (
        <p>{t("reports.no_measurements")}</p>
      )}
      {metrics_text && (
        <>
          <p>{t("reports.metrics_unreadable")}</p>
          <pre className={classes.said}>{metrics_text}</pre>
        </>
      )}
      {hasMeasurements && <MetricsTable kind={kind} metrics={measured} />}
      {computed_qtc && <QtcTable computed={computed_qtc} metrics={measured} />}
      {typeof interpretation === "string" && (
        <>
          <h3 className={classes.interpretation}>{t("metric.interpretation")}</h3>
          <p className={classes.said}>{interpretation}</p>
        </>
      )}
    </Card>
  );
}

function listReportFacts(
  report: Report,
  zone: string | undefined,
  isShared: boolean,
  t: ReturnType<typeof useTranslation>,
): (readonly [string, ReactNode])[] {
  const { session_type, confidence } = report;
  return [
    [t("reports.kind"), translateCode("report_kind", report.kind)],
    [t("reports.status"), translateCode("report_status", report.status)],
    ...(report.comment ? [[t("reports.comment"), report.comment] as const] : []),
    [t("reports.measured"), formatDateTime(report.effective_at, zone)],
    [t("reports.received"), formatDateTime(report.created_at, zone)],
    ...(isShared ? [] : [[t("reports.sender"), <SenderName key="sender" sender={report.uploaded_by} />] as const]),
    ...(session_type ? [[t("reports.session_type"), session_type] as const] : []),
    ...(confidence === null ? [] : [[t("reports.confidence"), `${formatNumber(Math.round(confidence * 100))} %`] as const]),
    [t("reports.file"), report.file_name ?? t("reports.name_lost")],
    [t("reports.size"), formatFileSize(report.file_size)],
    [t("reports.version"), formatNumber(report.version)],
    [t("reports.sha256"), <code key="sha256">{report.sha256}</code>],
  ];
}
