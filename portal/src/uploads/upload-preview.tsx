// What an upload in quarantine holds, to see whose it is.
import { useState } from "react";
import { useSay } from "../messages/index.ts";
import { Download } from "../reports/download.tsx";
import { PdfView } from "../reports/pdf-view.tsx";
import { type KeptUpload, readUploadFile } from "./api.ts";

export function UploadPreview({ upload: { upload_id, file_name } }: { upload: KeptUpload }) {
  const say = useSay();
  const [page, setPage] = useState(1);
  return (
    <PdfView
      key={upload_id}
      load={(leaving) => readUploadFile(upload_id, leaving)}
      page={page}
      onPage={setPage}
      label={say("uploads.quarantined_file")}
      download={<Download load={() => readUploadFile(upload_id)} fileName={file_name ?? "upload.bin"} />}
    />
  );
}
