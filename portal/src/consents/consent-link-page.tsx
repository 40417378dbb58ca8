// Where notifications of consents lead: to the person's page of the consent, or to what the hospital of staff asked.
import { Navigate, useParams } from "@tanstack/react-router";
import { isStaff, useMe } from "../accounts/session/use-session.ts";
import { Page } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { useConsent } from "./api.ts";

export function ConsentLinkPage() {
  const { role } = useMe();
  const { consentId } = useParams({ from: "/signed-in/consents/$consentId" });
  return isStaff(role) ? (
    <ToPatient consentId={consentId} />
  ) : (
    <Navigate to="/me/consents/$consentId" params={{ consentId }} replace />
  );
}

function ToPatient({ consentId }: { consentId: string }) {
  const t = useTranslation();
  const query = useConsent(consentId);
  return (
    <Page title={t("consents.one")}>
      <QueryBoundary query={query}>
        {({ patient_id: patientId }) => <Navigate to="/patients/$patientId/other-hospitals" params={{ patientId }} replace />}
      </QueryBoundary>
    </Page>
  );
}
