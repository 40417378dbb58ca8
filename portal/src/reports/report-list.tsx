// List of reports, of all visible patients or of one.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { SharedPlace } from "../consents/shared-place.ts";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { type Column, DataTable } from "../platform/design/data-table.tsx";
import { formatDate, formatDateTime } from "../platform/design/format.ts";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type ReportFilters, type ReportListItem, readReportFile, useReports } from "./api.ts";
import { DownloadButton } from "./download-button.tsx";
import { formatMetric } from "./format-metric.ts";
import { SenderName } from "./sender-name.tsx";

type ReportListProps = {
  filters?: Omit<ReportFilters, "patient_id">;
  /** Limits the list to this patient and omits the name column. */
  patientId?: string;
  /** Route of a report page. */
  linkTo?: "/reports/$reportId" | "/me/reports/$reportId";
  /** Of a record that another hospital shares: its pages, and no names of senders, which this hospital cannot know. */
  shared?: SharedPlace;
};

const NO_FILTERS = {};

export function ReportList({ filters = NO_FILTERS, patientId, linkTo = "/reports/$reportId", shared }: ReportListProps) {
  const t = useTranslation();
  const query = useReports({ ...filters, patient_id: patientId });
  const isOwn = linkTo === "/me/reports/$reportId";
  const columns: Column<ReportListItem>[] = [
    {
      label: t("reports.measured"),
      cell: (report) => (
        <ReportLink reportId={report.report_id} linkTo={linkTo} shared={shared}>
          {translateCode("report_kind", report.kind)}, <MeasuredAt report={report} />
        </ReportLink>
      ),
    },
    ...(patientId || isOwn
      ? []
      : [{ label: t("reports.patient"), cell: (report: ReportListItem) => <PatientCell report={report} /> }]),
    {
      label: t("vital.heart_rate"),
      cell: ({ heart_rate }) => formatMetric("heart_rate", heart_rate),
    },
    ...(shared
      ? []
      : [
          {
            label: t("reports.sender"),
            cell: ({ uploaded_by }: ReportListItem) => <SenderName sender={uploaded_by} isOneOfMany />,
          },
        ]),
    {
      label: t("reports.file"),
      cell: (report) => (
        <DownloadButton
          isCompact
          load={() => readReportFile(report.report_id)}
          fileName={report.file_name ?? "report.pdf"}
          describes={`${translateCode("report_kind", report.kind)} ${formatDate(report.effective_at)}, ${t("common.number", { n: report.patient.patient_number })}`}
        />
      ),
    },
  ];
  return (
    <DataTable
      label={t("reports.title")}
      query={query}
      columns={columns}
      rowKey={(report) => report.report_id}
      isFiltered={Object.values(filters).some((value) => value !== undefined)}
      empty={t("reports.none_yet")}
    />
  );
}

type ReportLinkProps = Required<Pick<ReportListProps, "linkTo">> & {
  reportId: string;
  shared: SharedPlace | undefined;
  children: ReactNode;
};

function ReportLink({ reportId, linkTo, shared, children }: ReportLinkProps) {
  if (shared) {
    return (
      <Link to="/patients/$patientId/other-hospitals/$consentId/$recordId/reports/$reportId" params={{ ...shared, reportId }}>
        {children}
      </Link>
    );
  }
  return (
    <Link to={linkTo} params={{ reportId }}>
      {children}
    </Link>
  );
}

/** Times are in the time zone of the hospital that received the report. */
function MeasuredAt({ report }: { report: ReportListItem }) {
  const zone = useOwnTimeZone();
  return <time dateTime={report.effective_at}>{formatDateTime(report.effective_at, zone)}</time>;
}

function PatientCell({ report: { patient } }: { report: ReportListItem }) {
  const t = useTranslation();
  return (
    <Link to="/patients/$patientId" params={{ patientId: patient.patient_id }}>
      {patient.name ?? t("reports.name_lost")}, {t("common.number", { n: patient.patient_number })}
    </Link>
  );
}
