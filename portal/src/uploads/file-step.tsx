// First: which PDF. It is looked at here before anything is sent.
import { Button, FileInput, Group } from "@mantine/core";
import { useState } from "react";
import layout from "../design/layout.module.css";
import { useSay } from "../messages/index.ts";
import { sizeOf } from "../reports/file-size.ts";
import { PdfView } from "../reports/pdf-view.tsx";
import { FILE_LIMIT, type FileFault, faultOf } from "./draft.ts";
import classes from "./uploads.module.css";

type FileStepProps = { file: File | null; onFile: (file: File | null) => void; onNext: () => void };

export function FileStep({ file, onFile, onNext }: FileStepProps) {
  const say = useSay();
  const [fault, setFault] = useState<FileFault | "missing" | "unreadable" | null>(null);
  async function take(chosen: File | null): Promise<void> {
    onFile(null);
    const found = chosen && (await faultOf(chosen).catch(() => "unreadable" as const));
    setFault(found);
    if (chosen && !found) onFile(chosen);
  }
  return (
    <div className={`${layout.stack} ${classes.stack}`}>
      <FileInput
        label={say("uploads.file")}
        description={say("uploads.file_hint", { size: sizeOf(FILE_LIMIT) })}
        placeholder={say("uploads.choose_file")}
        accept="application/pdf,.pdf"
        value={file}
        onChange={(chosen) => void take(chosen)}
        error={fault && say(`uploads.fault.${fault}`)}
      />
      {file && (
        <>
          <p className={classes.note}>
            {file.name} · {sizeOf(file.size)}
          </p>
          <FilePreview file={file} />
        </>
      )}
      <Group justify="flex-end">
        <Button onClick={() => (file ? onNext() : setFault((before) => before ?? "missing"))}>{say("uploads.next")}</Button>
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
