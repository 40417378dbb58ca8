// One patient's documents, newest first, for staff.
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMe } from "../accounts/session/use-session.ts";
import { useIsReadOnly, usePatientNumberAndZone } from "../patients/record/use-patient-record.ts";
import { LinkButton } from "../platform/design/link-button.tsx";
import { Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { NewDocumentButton } from "./document-links.tsx";
import { DocumentList } from "./document-list.tsx";

export function PatientDocumentsPage() {
  const t = useTranslation();
  const { role } = useMe();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/documents" });
  const search = useSearch({ from: "/signed-in/patients/$patientId/documents" });
  const navigate = useNavigate({ from: "/patients/$patientId/documents" });
  const { number } = usePatientNumberAndZone(patientId);
  const isReadOnly = useIsReadOnly(patientId);
  const place = { patientId, isOwn: false };
  return (
    <Page
      title={t("documents.title")}
      windowTitle={t("documents.of_patient", { n: number })}
      actions={
        !isReadOnly && (
          <>
            {role !== "admin" && (
              <LinkButton to="/patients/$patientId/documents/request" params={{ patientId }} variant="default">
                {t("requests.ask")}
              </LinkButton>
            )}
            <NewDocumentButton place={place}>{t("documents.upload")}</NewDocumentButton>
          </>
        )
      }
    >
      <DocumentList place={place} search={search} onSearch={(next) => void navigate({ search: next, replace: true })} />
    </Page>
  );
}
