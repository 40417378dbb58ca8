// The file itself, onto the disk of whoever asks for it.
import { Button } from "@mantine/core";
import { useState } from "react";
import { NotDone } from "../design/states.tsx";
import { useSay } from "../messages/index.ts";

type DownloadProps = {
  /** @throws Problem */
  load: () => Promise<ArrayBuffer>;
  fileName: string;
  /** What it is, for those who do not see where the button stands. */
  of?: string | undefined;
  compact?: boolean;
};

export function Download({ load, fileName, of, compact = false }: DownloadProps) {
  const say = useSay();
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: null });
  async function download(): Promise<void> {
    setState({ busy: true, error: null });
    try {
      save(await load(), fileName);
      setState({ busy: false, error: null });
    } catch (error) {
      setState({ busy: false, error });
    }
  }
  return (
    <>
      <Button
        variant="default"
        size={compact ? "compact-sm" : "sm"}
        loading={state.busy}
        onClick={() => void download()}
        aria-label={of && say("reports.download_file", { name: of })}
      >
        {say("reports.download")}
      </Button>
      <NotDone error={state.error} />
    </>
  );
}

function save(bytes: ArrayBuffer, fileName: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/pdf" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
