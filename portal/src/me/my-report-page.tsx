// One of a patient's own reports: the file, and what was measured in plain words.
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import layout from "../design/layout.module.css";
import { Card, Page } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { date, dateTime, number } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { type Report, readReportFile, useReport, useZone } from "../reports/api.ts";
import { Download } from "../reports/download.tsx";
import { type Reading, readingsOf } from "../reports/metrics.ts";
import { PdfView } from "../reports/pdf-view.tsx";
import classes from "./me.module.css";

export function MyReportPage() {
  const say = useSay();
  const { reportId } = useParams({ from: "/house/me/reports/$reportId" });
  const { page } = useSearch({ from: "/house/me/reports/$reportId" });
  const report = useReport(reportId);
  const kind = report.data && sayOf("report_kind", report.data.kind);
  return (
    <Page key={reportId} title={kind ?? say("me.report")}>
      <Link to="/me/reports" className={classes.more}>
        {say("me.back_to_reports")}
      </Link>
      <Query query={report}>{(data) => <Shown report={data} page={Number(page ?? 1)} />}</Query>
    </Page>
  );
}

function Shown({ report, page }: { report: Report; page: number }) {
  const say = useSay();
  const navigate = useNavigate({ from: "/me/reports/$reportId" });
  const zone = useZone(report.hospital_id);
  const load = (leaving?: AbortSignal) => readReportFile(report.report_id, leaving);
  const download = <Download load={load} fileName={report.file_name ?? "report.pdf"} />;
  const { interpretation, ...measured } = report.metrics ?? {};
  const readings = readingsOf(report.kind, measured);
  return (
    <>
      <p>{say("me.measured_at", { time: dateTime(report.effective_at, zone) })}</p>
      {report.status === "entered-in-error" && <p role="alert">{say("me.report_wrong")}</p>}
      <Card title={say("me.the_report")} actions={download}>
        <PdfView
          key={report.report_id}
          load={load}
          page={page}
          onPage={(next) => void navigate({ search: { page: String(next) }, replace: true })}
          label={say("reports.pdf_of", { kind: sayOf("report_kind", report.kind), date: date(report.effective_at, zone) })}
          download={download}
        />
      </Card>
      <Card title={say("me.what_was_measured")}>
        {readings.length === 0 ? (
          <p>{say("reports.no_measurements")}</p>
        ) : (
          <ul className={`${layout.list} ${classes.list}`}>
            {readings.map((reading) => (
              <Measured key={reading.key} reading={reading} />
            ))}
          </ul>
        )}
        {typeof interpretation === "string" && (
          <p>
            {say("me.machine_says")} {interpretation}
          </p>
        )}
        <p className={classes.ask}>
          {say("common.decision_support")}. {say("me.questions")}
        </p>
      </Card>
    </>
  );
}

function Measured({ reading: { key, value, unit, valid } }: { reading: Reading }) {
  const say = useSay();
  const shown = `${typeof value === "number" ? number(value) : value}${unit ? ` ${sayOf("me.unit", unit)}` : ""}`;
  const meaning = sayOf("me.meaning", key);
  return (
    <li>
      <div className={`${layout.line} ${classes.line}`}>
        <h3>{sayOf("metric", key)}</h3>
        {valid ? (
          <strong>{shown}</strong>
        ) : (
          <span>
            <del>{shown}</del> {say("me.not_usable")}
          </span>
        )}
      </div>
      {meaning !== key && <p className={layout.muted}>{meaning}</p>}
    </li>
  );
}
