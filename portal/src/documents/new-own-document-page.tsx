// Upload of a patient's own document, and of a new version.
import { useParams } from "@tanstack/react-router";
import { useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { MyPage } from "../patients/own-record/my-page.tsx";
import { Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { NewDocument, NewVersion } from "./new-document.tsx";

export function NewOwnDocumentPage() {
  const t = useTranslation();
  return (
    <MyPage title={t("documents.upload")}>
      {({ patient_id, hospital_id }) => <NewOwnDocument key={patient_id} patientId={patient_id} hospitalId={hospital_id} />}
    </MyPage>
  );
}

function NewOwnDocument({ patientId, hospitalId }: { patientId: string; hospitalId: string }) {
  return <NewDocument place={{ patientId, isOwn: true }} zone={useHospitalTimeZone(hospitalId)} />;
}

export function NewOwnVersionPage() {
  const t = useTranslation();
  const { documentId } = useParams({ from: "/signed-in/me/documents/$documentId/new-version" });
  return (
    <Page title={t("documents.upload_version")}>
      <NewVersion documentId={documentId} isOwn />
    </Page>
  );
}
