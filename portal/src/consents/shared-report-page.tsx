// A report that another hospital shares: the file and its measurements, read only.
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { usePatientNumberAndZone } from "../patients/record/use-patient-record.ts";
import { formatDateTime } from "../platform/design/format.ts";
import { Page } from "../platform/design/page.tsx";
import { NoAccess, QueryBoundary } from "../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { useReport } from "../reports/api.ts";
import { ReportView } from "../reports/report-view.tsx";
import { SharedFrame } from "./shared-frame.tsx";
import type { SharedPlace } from "./shared-place.ts";

const ROUTE = "/signed-in/patients/$patientId/other-hospitals/$consentId/$recordId/reports/$reportId";

export function SharedReportPage() {
  const t = useTranslation();
  const { reportId, ...place } = useParams({ from: ROUTE });
  const { number } = usePatientNumberAndZone(place.patientId);
  return (
    <Page key={reportId} title={t("consents.others")} windowTitle={t("consents.shared_of", { n: number })}>
      <p>
        <Link to="/patients/$patientId/other-hospitals" params={place}>
          {t("consents.back_to_others")}
        </Link>
      </p>
      <SharedFrame place={place}>
        {(_, { hospital_name: hospital }) => (
          <>
            <p>
              <Link to="/patients/$patientId/other-hospitals/$consentId/$recordId" params={place} search={{ show: "reports" }}>
                {t("consents.back_to_shared", { hospital })}
              </Link>
            </p>
            <SharedReport place={place} reportId={reportId} />
          </>
        )}
      </SharedFrame>
    </Page>
  );
}

function SharedReport({ place, reportId }: { place: SharedPlace; reportId: string }) {
  const { page } = useSearch({ from: ROUTE });
  const navigate = useNavigate();
  const query = useReport(reportId);
  return (
    <QueryBoundary query={query}>
      {(report) =>
        report.patient.patient_id === place.recordId ? (
          <>
            <h2>
              {translateCode("report_kind", report.kind)}, {formatDateTime(report.effective_at)}
            </h2>
            <ReportView
              isShared
              report={report}
              page={Number(page ?? 1)}
              onPage={(next) =>
                void navigate({
                  to: "/patients/$patientId/other-hospitals/$consentId/$recordId/reports/$reportId",
                  params: { ...place, reportId },
                  search: { page: String(next) },
                  replace: true,
                })
              }
            />
          </>
        ) : (
          <NoAccess />
        )
      }
    </QueryBoundary>
  );
}
