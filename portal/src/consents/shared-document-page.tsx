// A document that another hospital shares, read only.
import { Link, useParams } from "@tanstack/react-router";
import { useDocument } from "../documents/api.ts";
import { documentName } from "../documents/document-file.tsx";
import { DocumentView } from "../documents/document-view.tsx";
import { usePatientNumberAndZone } from "../patients/record/use-patient-record.ts";
import { Page } from "../platform/design/page.tsx";
import { NoAccess, QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { SharedFrame } from "./shared-frame.tsx";
import type { SharedPlace } from "./shared-place.ts";

export function SharedDocumentPage() {
  const t = useTranslation();
  const { documentId, ...place } = useParams({
    from: "/signed-in/patients/$patientId/other-hospitals/$consentId/$recordId/documents/$documentId",
  });
  const { number } = usePatientNumberAndZone(place.patientId);
  return (
    <Page key={documentId} title={t("consents.others")} windowTitle={t("consents.shared_of", { n: number })}>
      <p>
        <Link to="/patients/$patientId/other-hospitals" params={place}>
          {t("consents.back_to_others")}
        </Link>
      </p>
      <SharedFrame place={place}>{() => <SharedDocument place={place} documentId={documentId} />}</SharedFrame>
    </Page>
  );
}

function SharedDocument({ place, documentId }: { place: SharedPlace; documentId: string }) {
  const query = useDocument(documentId);
  return (
    <QueryBoundary query={query}>
      {(document) =>
        document.patient_id === place.recordId ? (
          <>
            <h2>{documentName(document)}</h2>
            <DocumentView document={document} isOwn={false} shared={place} />
          </>
        ) : (
          <NoAccess />
        )
      }
    </QueryBoundary>
  );
}
