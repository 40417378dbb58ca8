// Shows new recovery codes once: to copy, print or save.
import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { Dialog } from "../../platform/design/dialog.tsx";
import { saveFile } from "../../platform/design/save-file.ts";
import { t as translate, useTranslation } from "../../platform/messages/translate.ts";
import classes from "./factors.module.css";

const FILE_NAME = "edgecare-recovery-codes.txt";

export function RecoveryCodesDialog({ codes, onClose }: { codes: readonly string[]; onClose: () => void }) {
  const t = useTranslation();
  const [status, setStatus] = useState("");
  const copy = () =>
    navigator.clipboard.writeText(codes.join("\n")).then(
      () => setStatus(translate("common.copied")),
      () => setStatus(translate("factors.copy_failed")),
    );
  const save = () => {
    const text = `${[t("factors.codes"), "", ...codes].join("\n")}\n`;
    saveFile(new Blob([text], { type: "text/plain" }), FILE_NAME);
  };
  return (
    <Dialog title={t("factors.codes")} onClose={onClose} isShownOnce>
      <p>{t("factors.codes_once")}</p>
      <ol className={classes.codes}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <div className={classes.noPrint}>
        <Group>
          <Button variant="default" onClick={() => void copy()}>
            {t("common.copy")}
          </Button>
          <Button variant="default" onClick={() => window.print()}>
            {t("factors.print")}
          </Button>
          <Button variant="default" onClick={save}>
            {t("factors.download")}
          </Button>
        </Group>
        <p role="status">{status}</p>
        <Group justify="flex-end">
          <Button onClick={onClose}>{t("factors.codes_kept")}</Button>
        </Group>
      </div>
    </Dialog>
  );
}
