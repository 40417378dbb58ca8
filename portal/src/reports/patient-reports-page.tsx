// One patient's reports, newest first.
import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { Page } from "../design/page.tsx";
import { useSay } from "../messages/index.ts";
import { usePatientShown } from "../patients/shown-patient.ts";
import { ReportList } from "./report-list.tsx";

export function PatientReportsPage() {
  const say = useSay();
  const { patientId } = useParams({ from: "/house/patients/$patientId/reports" });
  const { number } = usePatientShown(patientId);
  return (
    <Page
      title={say("reports.title")}
      windowTitle={say("reports.of_patient", { n: number })}
      actions={
        <Button component={Link} to="/uploads/new" state={{ patientId }}>
          {say("reports.upload")}
        </Button>
      }
    >
      <ReportList patientId={patientId} />
    </Page>
  );
}
