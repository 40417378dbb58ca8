// Step 1: choose the PDF. It is checked in the browser before upload.
import { Button, FileInput, Group } from "@mantine/core";
import { useState } from "react";
import layout from "../../platform/design/layout.module.css";
import { useTranslation } from "../../platform/messages/translate.ts";
import { formatFileSize } from "../file-size.ts";
import { PdfView } from "../pdf-view.tsx";
import { checkFile, type FileError, MAX_FILE_BYTES } from "./upload-draft.ts";
import classes from "./uploads.module.css";

type FileStepProps = { file: File | null; onFile: (file: File | null) => void; onNext: () => void };

export function FileStep({ file, onFile, onNext }: FileStepProps) {
  const t = useTranslation();
  const [fileError, setFileError] = useState<FileError | "missing" | "unreadable" | null>(null);
  async function selectFile(chosen: File | null): Promise<void> {
    onFile(null);
    const error = chosen && (await checkFile(chosen).catch(() => "unreadable" as const));
    setFileError(error);
    if (chosen && !error) onFile(chosen);
  }
  return (
    <div className={`${layout.stack} ${classes.stack}`}>
      <FileInput
        label={t("uploads.file")}
        description={t("uploads.file_hint", { size: formatFileSize(MAX_FILE_BYTES) })}
        placeholder={t("uploads.choose_file")}
        accept="application/pdf,.pdf"
        value={file}
        onChange={(chosen) => void selectFile(chosen)}
        error={fileError && t(`uploads.fault.${fileError}`)}
      />
      {file && (
        <>
          <p className={classes.note}>
            {file.name} · {formatFileSize(file.size)}
          </p>
          <FilePreview file={file} />
        </>
      )}
      <Group justify="flex-end">
        <Button onClick={() => (file ? onNext() : setFileError((previous) => previous ?? "missing"))}>{t("uploads.next")}</Button>
      </Group>
    </div>
  );
}

export function FilePreview({ file }: { file: File }) {
  const [page, setPage] = useState(1);
  return (
    <PdfView
      key={`${file.name} ${file.size} ${file.lastModified}`}
      load={() => file.arrayBuffer()}
      page={page}
      onPage={setPage}
    />
  );
}
