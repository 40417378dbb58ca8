// Where notifications of document requests lead: to the request for staff, and to its consent for the person.
import { Navigate, useParams } from "@tanstack/react-router";
import { isStaff, useMe } from "../accounts/session/use-session.ts";
import { Page } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { useRequest } from "./api.ts";

export function RequestLinkPage() {
  const { role } = useMe();
  const { requestId } = useParams({ from: "/signed-in/document-requests/$requestId" });
  return isStaff(role) ? (
    <Navigate to="/requests/$requestId" params={{ requestId }} replace />
  ) : (
    <ToConsent requestId={requestId} />
  );
}

function ToConsent({ requestId }: { requestId: string }) {
  const t = useTranslation();
  const query = useRequest(requestId);
  return (
    <Page title={t("requests.one")}>
      <QueryBoundary query={query}>
        {({ consent_id: consentId }) => <Navigate to="/me/consents/$consentId" params={{ consentId }} replace />}
      </QueryBoundary>
    </Page>
  );
}
