// One of a patient's own documents.
import { useParams } from "@tanstack/react-router";
import { Page } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { useDocument } from "./api.ts";
import { documentName } from "./document-file.tsx";
import { DocumentView } from "./document-view.tsx";

export function MyDocumentPage() {
  const t = useTranslation();
  const { documentId } = useParams({ from: "/signed-in/me/documents/$documentId" });
  const query = useDocument(documentId);
  return (
    <Page key={documentId} title={query.data ? documentName(query.data) : t("documents.one")} windowTitle={t("documents.one")}>
      <QueryBoundary query={query}>{(document) => <DocumentView document={document} isOwn />}</QueryBoundary>
    </Page>
  );
}
