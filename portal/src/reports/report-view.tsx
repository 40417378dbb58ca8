// One report: its PDF beside what the machine measured and where it came from.
import type { ReactNode } from "react";
import layout from "../design/layout.module.css";
import { Card, Facts } from "../design/page.tsx";
import { date, dateTime, number } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { type Report, readReportFile, useZone } from "./api.ts";
import { Download } from "./download.tsx";
import { sizeOf } from "./file-size.ts";
import { MetricsTable } from "./metrics-table.tsx";
import { PdfView } from "./pdf-view.tsx";
import classes from "./report.module.css";
import { SenderName } from "./sender.tsx";

type ReportViewProps = { report: Report; page: number; onPage: (page: number) => void };

export function ReportView({ report, page, onPage }: ReportViewProps) {
  const say = useSay();
  const zone = useZone(report.hospital_id);
  const load = (leaving?: AbortSignal) => readReportFile(report.report_id, leaving);
  const kind = sayOf("report_kind", report.kind);
  const download = <Download load={load} fileName={report.file_name ?? "report.pdf"} />;
  return (
    <div className={classes.report}>
      <Card title={say("reports.pdf")} actions={download}>
        <PdfView
          key={report.report_id}
          load={load}
          page={page}
          onPage={onPage}
          label={say("reports.pdf_of", { kind, date: date(report.effective_at, zone) })}
          download={download}
        />
      </Card>
      <div className={classes.beside}>
        <Measurements report={report} />
        <Card title={say("reports.about")}>
          <Facts items={aboutOf(report, zone, say)} />
        </Card>
      </div>
    </div>
  );
}

function Measurements({ report: { kind, metrics } }: { report: Report }) {
  const say = useSay();
  const { interpretation, ...measured } = metrics ?? {};
  const some = Object.keys(measured).length > 0;
  return (
    <Card title={say("reports.measurements")}>
      {some || interpretation ? <p className={layout.note}>{say("reports.as_sent")}</p> : <p>{say("reports.no_measurements")}</p>}
      {some && <MetricsTable kind={kind} metrics={measured} />}
      {typeof interpretation === "string" && (
        <>
          <h3 className={classes.interpretation}>{say("metric.interpretation")}</h3>
          <p className={classes.said}>{interpretation}</p>
        </>
      )}
    </Card>
  );
}

function aboutOf(report: Report, zone: string | undefined, say: ReturnType<typeof useSay>): (readonly [string, ReactNode])[] {
  const { session_type, confidence } = report;
  return [
    [say("reports.kind"), sayOf("report_kind", report.kind)],
    [say("reports.status"), sayOf("report_status", report.status)],
    [say("reports.measured"), dateTime(report.effective_at, zone)],
    [say("reports.received"), dateTime(report.created_at, zone)],
    [say("reports.sender"), <SenderName key="sender" sender={report.uploaded_by} />],
    ...(session_type ? [[say("reports.session_type"), session_type] as const] : []),
    ...(confidence === null ? [] : [[say("reports.confidence"), `${number(Math.round(confidence * 100))} %`] as const]),
    [say("reports.file"), report.file_name ?? say("reports.name_lost")],
    [say("reports.size"), sizeOf(report.file_size)],
    [say("reports.version"), number(report.version)],
    [say("reports.sha256"), <code key="sha256">{report.sha256}</code>],
  ];
}
