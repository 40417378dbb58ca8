// A patient's own documents.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { MyPage } from "../patients/own-record/my-page.tsx";
import layout from "../platform/design/layout.module.css";
import { useTranslation } from "../platform/messages/translate.ts";
import { NewDocumentButton } from "./document-links.tsx";
import { DocumentList } from "./document-list.tsx";

export function MyDocumentsPage() {
  const t = useTranslation();
  const search = useSearch({ from: "/signed-in/me/documents" });
  const navigate = useNavigate({ from: "/me/documents" });
  return (
    <MyPage title={t("documents.mine")}>
      {({ patient_id: patientId }) => {
        const place = { patientId, isOwn: true };
        return (
          <>
            <div className={layout.acts}>
              <NewDocumentButton place={place}>{t("documents.upload")}</NewDocumentButton>
            </div>
            <DocumentList
              key={patientId}
              place={place}
              search={search}
              onSearch={({ type }) => void navigate({ search: type ? { type } : {}, replace: true })}
            />
            <p className={layout.muted}>{t("documents.ask")}</p>
          </>
        );
      }}
    </MyPage>
  );
}
