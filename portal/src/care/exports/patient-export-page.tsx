// Exports of one patient's record, for staff.
import { useParams } from "@tanstack/react-router";
import { usePatientNumberAndZone } from "../../patients/record/use-patient-record.ts";
import { Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { RecordExports } from "./record-exports.tsx";

export function PatientExportPage() {
  const t = useTranslation();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/export" });
  const { number, zone } = usePatientNumberAndZone(patientId);
  return (
    <Page title={t("exports.record")} windowTitle={t("exports.of_patient", { n: number })}>
      <RecordExports key={patientId} patientId={patientId} zone={zone} />
    </Page>
  );
}
