// Button that downloads a file.
import { Button } from "@mantine/core";
import { useState } from "react";
import { ActionError } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";

type DownloadButtonProps = {
  /** @throws Problem */
  load: () => Promise<ArrayBuffer>;
  fileName: string;
  /** Accessible name of the file, where the context is not visible. */
  describes?: string | undefined;
  isCompact?: boolean;
};

export function DownloadButton({ load, fileName, describes, isCompact = false }: DownloadButtonProps) {
  const t = useTranslation();
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: null });
  async function download(): Promise<void> {
    setState({ busy: true, error: null });
    try {
      saveFile(await load(), fileName);
      setState({ busy: false, error: null });
    } catch (error) {
      setState({ busy: false, error });
    }
  }
  return (
    <>
      <Button
        variant="default"
        size={isCompact ? "compact-sm" : "sm"}
        loading={state.busy}
        onClick={() => void download()}
        aria-label={describes && t("reports.download_file", { name: describes })}
      >
        {t("reports.download")}
      </Button>
      <ActionError error={state.error} />
    </>
  );
}

function saveFile(bytes: ArrayBuffer, fileName: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/pdf" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  // Revoke only after the browser has started to read the URL.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
