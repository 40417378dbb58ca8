// Asks before a page with an upload in progress is left.
import { useBlocker } from "@tanstack/react-router";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";

export function LeaveGuard({ isInProgress }: { isInProgress: boolean }) {
  const t = useTranslation();
  const blocker = useBlocker({ shouldBlockFn: () => isInProgress, enableBeforeUnload: isInProgress, withResolver: true });
  if (blocker.status !== "blocked") return null;
  return (
    <ConfirmDialog
      title={t("uploads.leave_title")}
      confirmLabel={t("uploads.leave")}
      isMutation={false}
      onConfirm={async () => blocker.proceed()}
      onClose={() => blocker.reset()}
    >
      {t("uploads.leave_text")}
    </ConfirmDialog>
  );
}
