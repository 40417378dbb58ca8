// Preview of a quarantined upload.
import { useState } from "react";
import { useTranslation } from "../../platform/messages/translate.ts";
import { DownloadButton } from "../download-button.tsx";
import { PdfView } from "../pdf-view.tsx";
import { readUploadFile, type UploadDetail } from "../upload/api.ts";

export function UploadPreview({ upload: { upload_id, file_name } }: { upload: UploadDetail }) {
  const t = useTranslation();
  const [page, setPage] = useState(1);
  return (
    <PdfView
      key={upload_id}
      load={(signal) => readUploadFile(upload_id, signal)}
      page={page}
      onPage={setPage}
      label={t("uploads.quarantined_file")}
      download={<DownloadButton load={() => readUploadFile(upload_id)} fileName={file_name ?? "upload.bin"} />}
    />
  );
}
