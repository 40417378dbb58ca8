// Dialog that shows a secret or link once.
import { Button, Group, TextInput } from "@mantine/core";
import { type ReactNode, useRef, useState } from "react";
import { useTranslation } from "../messages/translate.ts";
import { Dialog } from "./dialog.tsx";

type OneTimeSecretDialogProps = { title: string; label: string; value: string; children: ReactNode; onClose: () => void };

export function OneTimeSecretDialog({ title, label, value, children, onClose }: OneTimeSecretDialogProps) {
  const t = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  const [isCopied, setIsCopied] = useState(false);
  const copyValue = () => {
    // Without clipboard access the text is selected, ready for Ctrl+C.
    navigator.clipboard.writeText(value).then(
      () => setIsCopied(true),
      () => input.current?.select(),
    );
  };
  return (
    <Dialog title={title} onClose={onClose} wide isShownOnce>
      {children}
      <TextInput
        ref={input}
        label={label}
        value={value}
        readOnly
        spellCheck={false}
        onFocus={(event) => event.currentTarget.select()}
        data-autofocus
      />
      <p role="status">{isCopied ? t("common.copied") : " "}</p>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {t("common.close")}
        </Button>
        <Button onClick={copyValue}>{t("common.copy")}</Button>
      </Group>
    </Dialog>
  );
}
