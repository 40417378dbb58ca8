// The newest checkpoint of a log as a file, and the key that verifies it.
import { useState } from "react";
import { FileButton } from "../platform/design/file-button.tsx";
import { formatNumber } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, DescriptionList } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type Checkpoint, type LogChoice, readCheckpoint } from "./api.ts";
import classes from "./audit.module.css";

export function CheckpointCard({ hospitalId }: { hospitalId: LogChoice }) {
  const t = useTranslation();
  const [saved, setSaved] = useState<Checkpoint | null>(null);
  // The file is the signed note, byte for byte, so that any C2SP verifier takes it.
  async function load(): Promise<Blob> {
    const checkpoint = await readCheckpoint(hospitalId);
    setSaved(checkpoint);
    return new Blob([checkpoint.checkpoint], { type: "text/plain;charset=utf-8" });
  }
  return (
    <Card title={t("audit.checkpoint_title")}>
      <p>{t("audit.checkpoint_text")}</p>
      <div className={layout.acts}>
        <FileButton load={load} fileName={`edgecare-checkpoint-${hospitalId ?? "log"}.txt`}>
          {t("audit.checkpoint_download")}
        </FileButton>
      </div>
      <div role="status">
        {saved && (
          <DescriptionList
            items={[
              [t("audit.checkpoint_size"), formatNumber(saved.size)],
              [
                t("audit.verifier_key"),
                <code key="key" className={classes.id}>
                  {saved.verifier_key}
                </code>,
              ],
            ]}
          />
        )}
      </div>
    </Card>
  );
}
