// Upload of a document to a patient's record, and of a new version, for staff.
import { useParams } from "@tanstack/react-router";
import { usePatientNumberAndZone } from "../patients/record/use-patient-record.ts";
import { Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { NewDocument, NewVersion } from "./new-document.tsx";

export function NewPatientDocumentPage() {
  const t = useTranslation();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/documents/new" });
  const { number, zone } = usePatientNumberAndZone(patientId);
  return (
    <Page title={t("documents.upload")} windowTitle={t("documents.new_of_patient", { n: number })}>
      <NewDocument place={{ patientId, isOwn: false }} zone={zone} />
    </Page>
  );
}

export function NewPatientVersionPage() {
  const t = useTranslation();
  const { patientId, documentId } = useParams({ from: "/signed-in/patients/$patientId/documents/$documentId/new-version" });
  const { number } = usePatientNumberAndZone(patientId);
  return (
    <Page title={t("documents.upload_version")} windowTitle={t("documents.version_of_patient", { n: number })}>
      <NewVersion documentId={documentId} isOwn={false} />
    </Page>
  );
}
