// Asks why a document was entered in error, and marks all of its versions.
import { Textarea } from "@mantine/core";
import { useState } from "react";
import { Problem } from "../platform/api/problem.ts";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type DocumentDetail, isOutdated, markInError } from "./api.ts";

const MIN_REASON_LENGTH = 3;
const MAX_REASON_LENGTH = 500;

/** @param document the page's, which is read again when the mark was refused because it has changed */
export function MarkInErrorDialog({ document, onClose }: { document: DocumentDetail; onClose: () => void }) {
  const t = useTranslation();
  const [reason, setReason] = useState("");
  async function mark(): Promise<void> {
    try {
      await markInError(document, reason.trim());
    } catch (error) {
      if (!isOutdated(error)) throw error;
      throw new Problem(0, "document_outdated", t("documents.outdated"), null);
    }
  }
  return (
    <ConfirmDialog
      title={t("documents.mark_error")}
      confirmLabel={t("documents.mark_error")}
      disabled={reason.trim().length < MIN_REASON_LENGTH || document.status !== "current"}
      onConfirm={mark}
      onClose={onClose}
    >
      <p>{t("documents.mark_error_text")}</p>
      <Textarea
        label={t("documents.reason")}
        description={t("documents.reason_hint")}
        required
        maxLength={MAX_REASON_LENGTH}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </ConfirmDialog>
  );
}
