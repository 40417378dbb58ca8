// A document request on the page of its consent, for the person: what is asked, what has happened, and which documents are shared.
import { Card } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import type { DocumentRequest } from "./api.ts";
import { RequestFacts } from "./request-facts.tsx";
import { RequestSteps } from "./request-steps.tsx";
import { SharedDocuments } from "./shared-documents.tsx";

export function MyRequest({ request, zone }: { request: DocumentRequest; zone: string | undefined }) {
  const t = useTranslation();
  return (
    <>
      <Card title={t("requests.one")}>
        <RequestFacts request={request} zone={zone} isOwn />
      </Card>
      <Card title={t("requests.course")}>
        <RequestSteps request={request} zone={zone} />
      </Card>
      <SharedDocuments request={request} zone={zone} />
    </>
  );
}
