// A list of reports, of everybody whom the caller sees or of one patient.
import { Link } from "@tanstack/react-router";
import { type Column, DataTable } from "../design/data-table.tsx";
import { date, dateTime, number } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { type ListedReport, type ReportFilters, readReportFile, useReports, useZone } from "./api.ts";
import { Download } from "./download.tsx";
import { SenderName } from "./sender.tsx";

type ReportListProps = {
  filters?: Omit<ReportFilters, "patient_id">;
  /** Only this patient's; their name is not said in every line then. */
  patientId?: string;
  /** Whose page of a report a line leads to. */
  linkTo?: "/reports/$reportId" | "/me/reports/$reportId";
};

const NO_FILTERS = {};

export function ReportList({ filters = NO_FILTERS, patientId, linkTo = "/reports/$reportId" }: ReportListProps) {
  const say = useSay();
  const query = useReports({ ...filters, patient_id: patientId });
  const own = linkTo === "/me/reports/$reportId";
  const columns: Column<ListedReport>[] = [
    {
      label: say("reports.measured"),
      cell: (report) => (
        <Link to={linkTo} params={{ reportId: report.report_id }}>
          {sayOf("report_kind", report.kind)}, <At report={report} />
        </Link>
      ),
    },
    ...(patientId || own ? [] : [{ label: say("reports.patient"), cell: (report: ListedReport) => <Whose report={report} /> }]),
    {
      label: say("vital.heart_rate"),
      cell: ({ heart_rate }) => (heart_rate === null ? "—" : `${number(heart_rate)} /min`),
    },
    { label: say("reports.sender"), cell: ({ uploaded_by }) => <SenderName sender={uploaded_by} /> },
    {
      label: say("reports.file"),
      cell: (report) => (
        <Download
          compact
          load={() => readReportFile(report.report_id)}
          fileName={report.file_name ?? "report.pdf"}
          of={`${sayOf("report_kind", report.kind)} ${date(report.effective_at)}, ${say("common.number", { n: report.patient.patient_number })}`}
        />
      ),
    },
  ];
  return (
    <DataTable
      label={say("reports.title")}
      query={query}
      columns={columns}
      keyOf={(report) => report.report_id}
      filtered={Object.values(filters).some((value) => value !== undefined)}
      empty={say("reports.none_yet")}
    />
  );
}

/** In the zone of the hospital where it was measured. */
function At({ report }: { report: ListedReport }) {
  const zone = useZone(report.hospital_id);
  return <time dateTime={report.effective_at}>{dateTime(report.effective_at, zone)}</time>;
}

function Whose({ report: { patient } }: { report: ListedReport }) {
  const say = useSay();
  return (
    <Link to="/patients/$patientId" params={{ patientId: patient.patient_id }}>
      {patient.name ?? say("reports.name_lost")}, {say("common.number", { n: patient.patient_number })}
    </Link>
  );
}
