// Report page of a patient: PDF, measurements and source.
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { formatBirthDate } from "../patients/patient-age.ts";
import { formatDateTime } from "../platform/design/format.ts";
import { Page } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { usePageZone } from "../platform/design/screen-zone.ts";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type Report, useReport } from "./api.ts";
import { ReportActions, ReportHistory } from "./correction/report-corrections.tsx";
import classes from "./report.module.css";
import { ReportView } from "./report-view.tsx";

export function ReportPage() {
  const t = useTranslation();
  const { reportId } = useParams({ from: "/signed-in/reports/$reportId" });
  const search = useSearch({ from: "/signed-in/reports/$reportId" });
  const navigate = useNavigate({ from: "/reports/$reportId" });
  const report = useReport(reportId);
  const windowTitle = report.data && formatWindowTitle(report.data, t);
  return (
    <Page
      key={reportId}
      actions={report.data && <ReportActions key={report.data.version} report={report.data} />}
      title={report.data ? formatReportTitle(report.data, t) : t("reports.title")}
      windowTitle={windowTitle}
    >
      <QueryBoundary query={report}>
        {(data) => (
          <>
            <ReportIdentity report={data} />
            <ReportView
              report={data}
              page={Number(search.page ?? 1)}
              onPage={(page) => void navigate({ search: { page: String(page) }, replace: true })}
            />
            <ReportHistory report={data} />
          </>
        )}
      </QueryBoundary>
    </Page>
  );
}

const formatReportTitle = ({ kind, patient }: Report, t: ReturnType<typeof useTranslation>) =>
  `${translateCode("report_kind", kind)} · ${patient.name ?? t("reports.name_lost")} · ${t("common.number", { n: patient.patient_number })}`;
const formatWindowTitle = ({ kind, patient }: Report, t: ReturnType<typeof useTranslation>) =>
  t("reports.one", { kind: translateCode("report_kind", kind), n: patient.patient_number });

function ReportIdentity({ report: { patient, effective_at, hospital_id } }: { report: Report }) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(hospital_id);
  usePageZone(zone);
  return (
    <p className={classes.identity}>
      <span>{t("reports.measured_at", { at: formatDateTime(effective_at, zone) })}</span>
      {patient.gender && patient.gender !== "unknown" && <span>{translateCode("patients.gender", patient.gender)}</span>}
      {patient.date_of_birth && <span>{t("reports.born", { date: formatBirthDate(patient.date_of_birth) })}</span>}
      <Link to="/patients/$patientId" params={{ patientId: patient.patient_id }}>
        {t("reports.to_patient")}
      </Link>
    </p>
  );
}
