// Report page of a patient: PDF, measurements and source.
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ExportReport } from "../care/exports/export-report.tsx";
import { EmergencyGate, type OnOver, RecordBanner } from "../emergency/emergency-gate.tsx";
import { useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { formatBirthDate } from "../patients/patient-age.ts";
import { useIsReadOnly } from "../patients/record/use-patient-record.ts";
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
  const { reportId } = useParams({ from: "/signed-in/reports/$reportId" });
  return <EmergencyGate key={reportId}>{(onOver) => <OneReport reportId={reportId} onEmergencyOver={onOver} />}</EmergencyGate>;
}

function OneReport({ reportId, onEmergencyOver }: { reportId: string; onEmergencyOver: OnOver }) {
  const t = useTranslation();
  const search = useSearch({ from: "/signed-in/reports/$reportId" });
  const navigate = useNavigate({ from: "/reports/$reportId" });
  const report = useReport(reportId);
  const isReadOnly = useIsReadOnly(report.data?.patient.patient_id ?? "");
  const windowTitle = report.data && formatWindowTitle(report.data, t);
  return (
    <Page
      actions={report.data && !isReadOnly && <ReportActions key={report.data.version} report={report.data} />}
      title={report.data ? formatReportTitle(report.data, t) : t("reports.title")}
      windowTitle={windowTitle}
    >
      <QueryBoundary query={report}>
        {(data) => (
          <>
            <RecordBanner patientId={data.patient.patient_id} onOver={onEmergencyOver} />
            <ReportIdentity report={data} />
            <ExportReport reportId={data.report_id} number={data.patient.patient_number} />
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
