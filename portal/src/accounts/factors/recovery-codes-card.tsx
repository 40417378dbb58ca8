// Recovery codes: how many are left, and their replacement.
import { Button } from "@mantine/core";
import { useState } from "react";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { Card } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { replaceRecoveryCodes } from "./api.ts";

type RecoveryCodesCardProps = { left: number; onChanged: (newCodes: readonly string[]) => Promise<void> };

export function RecoveryCodesCard({ left, onChanged }: RecoveryCodesCardProps) {
  const t = useTranslation();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Card title={t("factors.codes")}>
      <p>{t("factors.codes_text")}</p>
      <p>
        <strong>{t("factors.codes_left", { n: left })}</strong>
      </p>
      <Button variant="default" onClick={() => setIsOpen(true)}>
        {t("factors.codes_new")}
      </Button>
      {isOpen && (
        <ConfirmDialog
          title={t("factors.codes_new_title")}
          confirmLabel={t("factors.codes_new")}
          isDangerous={false}
          onConfirm={async () => onChanged(await replaceRecoveryCodes())}
          onClose={() => setIsOpen(false)}
        >
          <p>{t("factors.codes_new_text")}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}
