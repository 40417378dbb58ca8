// Button that fetches a file and saves it; a long download can be cancelled.
import { Button } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "../messages/translate.ts";
import { ActionError } from "./query-states.tsx";
import { saveFile } from "./save-file.ts";

type FileButtonProps = {
  /** @throws Problem */
  load: (signal: AbortSignal) => Promise<Blob>;
  fileName: string;
  /** Accessible name, where the visible one does not say which file. */
  label?: string;
  isCompact?: boolean;
  children: ReactNode;
};

export function FileButton({ load, fileName, label, isCompact = false, children }: FileButtonProps) {
  const t = useTranslation();
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: null });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  async function download(): Promise<void> {
    const controller = new AbortController();
    running.current = controller;
    setState({ busy: true, error: null });
    try {
      const file = await load(controller.signal);
      controller.signal.throwIfAborted();
      saveFile(file, fileName);
      setState({ busy: false, error: null });
    } catch (error) {
      setState({ busy: false, error: controller.signal.aborted ? null : error });
    }
  }
  const size = isCompact ? "compact-sm" : "sm";
  return (
    <>
      <Button variant="default" size={size} loading={state.busy} onClick={() => void download()} aria-label={label}>
        {children}
      </Button>
      {state.busy && (
        <Button variant="subtle" size={size} onClick={() => running.current?.abort()}>
          {t("common.cancel")}
        </Button>
      )}
      <ActionError error={state.error} />
    </>
  );
}
