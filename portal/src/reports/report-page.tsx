// One report of a patient: the PDF, what was measured, where it came from.
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Page } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { date, dateTime } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { type Report, useReport, useZone } from "./api.ts";
import classes from "./report.module.css";
import { ReportView } from "./report-view.tsx";

export function ReportPage() {
  const say = useSay();
  const { reportId } = useParams({ from: "/house/reports/$reportId" });
  const search = useSearch({ from: "/house/reports/$reportId" });
  const navigate = useNavigate({ from: "/reports/$reportId" });
  const report = useReport(reportId);
  const windowTitle = report.data && windowTitleOf(report.data, say);
  return (
    <Page key={reportId} title={report.data ? titleOf(report.data, say) : say("reports.title")} windowTitle={windowTitle}>
      <Query query={report}>
        {(data) => (
          <>
            <Identity report={data} />
            <ReportView
              report={data}
              page={Number(search.page ?? 1)}
              onPage={(page) => void navigate({ search: { page: String(page) }, replace: true })}
            />
          </>
        )}
      </Query>
    </Page>
  );
}

const titleOf = ({ kind, patient }: Report, say: ReturnType<typeof useSay>) =>
  `${sayOf("report_kind", kind)} · ${patient.name ?? say("reports.name_lost")} · ${say("common.number", { n: patient.patient_number })}`;
const windowTitleOf = ({ kind, patient }: Report, say: ReturnType<typeof useSay>) =>
  say("reports.one", { kind: sayOf("report_kind", kind), n: patient.patient_number });

function Identity({ report: { patient, effective_at, hospital_id } }: { report: Report }) {
  const say = useSay();
  const zone = useZone(hospital_id);
  return (
    <p className={classes.identity}>
      <span>{say("reports.measured_at", { at: dateTime(effective_at, zone) })}</span>
      {patient.gender && patient.gender !== "unknown" && <span>{sayOf("patients.gender", patient.gender)}</span>}
      {patient.date_of_birth && <span>{say("reports.born", { date: date(patient.date_of_birth, "UTC") })}</span>}
      <Link to="/patients/$patientId" params={{ patientId: patient.patient_id }}>
        {say("reports.to_patient")}
      </Link>
    </p>
  );
}
