// One document of a patient, for staff.
import { useParams } from "@tanstack/react-router";
import { usePatientNumberAndZone } from "../patients/record/use-patient-record.ts";
import { Page } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { useDocument } from "./api.ts";
import { documentName } from "./document-file.tsx";
import { DocumentView } from "./document-view.tsx";

export function PatientDocumentPage() {
  const t = useTranslation();
  const { patientId, documentId } = useParams({ from: "/signed-in/patients/$patientId/documents/$documentId" });
  const { number } = usePatientNumberAndZone(patientId);
  const query = useDocument(documentId);
  return (
    <Page
      key={documentId}
      title={query.data ? documentName(query.data) : t("documents.one")}
      windowTitle={t("documents.one_of_patient", { n: number })}
    >
      <QueryBoundary query={query}>{(document) => <DocumentView document={document} isOwn={false} />}</QueryBoundary>
    </Page>
  );
}
