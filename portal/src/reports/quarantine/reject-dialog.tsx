// Rejects a quarantined file: the bytes are deleted, the upload log entry is kept.
import { Textarea } from "@mantine/core";
import { useState } from "react";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { discardUpload } from "../upload/api.ts";

const MAX_REASON_LENGTH = 500;

export function RejectDialog({ uploadId, onClose }: { uploadId: string; onClose: () => void }) {
  const t = useTranslation();
  const [reason, setReason] = useState("");
  return (
    <ConfirmDialog
      title={t("uploads.reject_title")}
      confirmLabel={t("uploads.reject")}
      disabled={reason.trim() === ""}
      onConfirm={() => discardUpload(uploadId, reason.trim())}
      onClose={onClose}
    >
      <p>{t("uploads.reject_text")}</p>
      <Textarea
        label={t("uploads.reject_reason")}
        required
        maxLength={MAX_REASON_LENGTH}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </ConfirmDialog>
  );
}
