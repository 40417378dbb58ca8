// One of a patient's own reports: the file and its measurements, explained.
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ExportReport } from "../../care/exports/export-report.tsx";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { formatDate, formatDateTime, formatNumber } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card, Page } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { usePageZone } from "../../platform/design/screen-zone.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { type Report, readReportFile, useReport } from "../../reports/api.ts";
import { DownloadButton } from "../../reports/download-button.tsx";
import { type MetricReading, toMetricReadings } from "../../reports/metrics.ts";
import { PdfView } from "../../reports/pdf-view.tsx";
import { QtcTable } from "../../reports/qtc-table.tsx";
import classes from "./me.module.css";

export function MyReportPage() {
  const t = useTranslation();
  const { reportId } = useParams({ from: "/signed-in/me/reports/$reportId" });
  const { page } = useSearch({ from: "/signed-in/me/reports/$reportId" });
  const report = useReport(reportId);
  const kind = report.data && translateCode("report_kind", report.data.kind);
  return (
    <Page key={reportId} title={kind ?? t("me.report")}>
      <Link to="/me/reports" className={classes.more}>
        {t("me.back_to_reports")}
      </Link>
      <QueryBoundary query={report}>{(data) => <ReportContent report={data} page={Number(page ?? 1)} />}</QueryBoundary>
    </Page>
  );
}

function ReportContent({ report, page }: { report: Report; page: number }) {
  const t = useTranslation();
  const navigate = useNavigate({ from: "/me/reports/$reportId" });
  const zone = useHospitalTimeZone(report.hospital_id);
  usePageZone(zone);
  const load = (signal?: AbortSignal) => readReportFile(report.report_id, signal);
  const download = <DownloadButton load={load} fileName={report.file_name ?? "report.pdf"} />;
  const { interpretation, ...measured } = report.metrics ?? {};
  const readings = toMetricReadings(report.kind, measured);
  return (
    <>
      <p>{t("me.measured_at", { time: formatDateTime(report.effective_at, zone) })}</p>
      <ExportReport reportId={report.report_id} number={report.patient.patient_number} />
      {report.status === "entered-in-error" && <p role="alert">{t("me.report_wrong")}</p>}
      <Card title={t("me.the_report")} actions={download}>
        <PdfView
          key={report.report_id}
          load={load}
          page={page}
          onPage={(next) => void navigate({ search: { page: String(next) }, replace: true })}
          label={t("reports.pdf_of", {
            kind: translateCode("report_kind", report.kind),
            date: formatDate(report.effective_at, zone),
          })}
          download={download}
        />
      </Card>
      <Card title={t("me.what_was_measured")}>
        {readings.length === 0 ? (
          <p>{t("reports.no_measurements")}</p>
        ) : (
          <ul className={`${layout.list} ${classes.list}`}>
            {readings.map((reading) => (
              <MeasuredValue key={reading.key} reading={reading} />
            ))}
          </ul>
        )}
        {report.computed_qtc && <QtcTable computed={report.computed_qtc} metrics={measured} />}
        {typeof interpretation === "string" && (
          <p>
            {t("me.machine_says")} {interpretation}
          </p>
        )}
        <p className={classes.ask}>
          {t("common.decision_support")}. {t("me.questions")}
        </p>
      </Card>
    </>
  );
}

function MeasuredValue({ reading: { key, value, unit, valid } }: { reading: MetricReading }) {
  const t = useTranslation();
  const valueText = `${typeof value === "number" ? formatNumber(value) : value}${unit ? ` ${translateCode("me.unit", unit)}` : ""}`;
  const meaning = translateCode("me.meaning", key);
  return (
    <li>
      <div className={`${layout.line} ${classes.line}`}>
        <h3>{translateCode("metric", key)}</h3>
        {valid ? (
          <strong>{valueText}</strong>
        ) : (
          <span>
            <del>{valueText}</del> {t("me.not_usable")}
          </span>
        )}
      </div>
      {meaning !== key && <p className={layout.muted}>{meaning}</p>}
    </li>
  );
}
