// Button that downloads a file.
import { Button } from "@mantine/core";
import { useState } from "react";
import { ActionError } from "../platform/design/query-states.tsx";
import { saveFile } from "../platform/design/save-file.ts";
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
      saveFile(new Blob([await load()], { type: "application/pdf" }), fileName);
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
