// The file of a document: format, size, and the button that downloads it.
import { FileButton } from "../platform/design/file-button.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type DocumentVersion, readDocumentFile } from "./api.ts";

type ContentType = DocumentVersion["content_type"];

const FORMATS: Record<ContentType, { name: string; extension: string }> = {
  "application/pdf": { name: "PDF", extension: "pdf" },
  "image/jpeg": { name: "JPEG", extension: "jpg" },
  "image/png": { name: "PNG", extension: "png" },
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": { name: "DOCX", extension: "docx" },
  "text/plain": { name: "TXT", extension: "txt" },
};

export const formatName = (contentType: ContentType): string => FORMATS[contentType].name;

type Titled = { title: string | null; type: { code: string; display: string } };

/** Title, or the name of the type where the title cannot be decrypted or is that name: the API gives it to a document without one. */
export const documentName = ({ title, type: { code, display } }: Titled): string =>
  title === null || title === display ? translateCode("document_type", code) : title;

type DocumentFileButtonProps = {
  documentId: string;
  contentType: ContentType;
  fileName: string | null;
  /** Of the document, for its accessible name. */
  name: string;
  isCompact?: boolean;
};

export function DocumentFileButton({ documentId, contentType, fileName, name, isCompact = false }: DocumentFileButtonProps) {
  const t = useTranslation();
  return (
    <FileButton
      load={(signal) => readDocumentFile(documentId, signal)}
      fileName={fileName ?? `document.${FORMATS[contentType].extension}`}
      label={t("documents.download_one", { name })}
      isCompact={isCompact}
    >
      {t("documents.download")}
    </FileButton>
  );
}
