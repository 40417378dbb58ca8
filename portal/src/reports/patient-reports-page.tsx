// One patient's reports, newest first.
import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useIsReadOnly, usePatientNumberAndZone } from "../patients/record/use-patient-record.ts";
import { Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { MovedMarks } from "./correction/moved-marks.tsx";
import { ReportList } from "./report-list.tsx";

export function PatientReportsPage() {
  const t = useTranslation();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/reports" });
  const { number, zone } = usePatientNumberAndZone(patientId);
  const isReadOnly = useIsReadOnly(patientId);
  return (
    <Page
      title={t("reports.title")}
      windowTitle={t("reports.of_patient", { n: number })}
      actions={
        !isReadOnly && (
          <Button component={Link} to="/uploads/new" state={{ patientId }}>
            {t("reports.upload")}
          </Button>
        )
      }
    >
      <ReportList patientId={patientId} />
      {!isReadOnly && <MovedMarks patientId={patientId} zone={zone} />}
    </Page>
  );
}
