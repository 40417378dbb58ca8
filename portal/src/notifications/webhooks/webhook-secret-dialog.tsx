// Dialog that shows the signing secret of a webhook once.
import { Dialog } from "../../platform/design/dialog.tsx";
import { OneTimeSecretDialog } from "../../platform/design/one-time-secret-dialog.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";

export function WebhookSecretDialog({ secret, onClose }: { secret: string | null; onClose: () => void }) {
  const t = useTranslation();
  const title = t("webhooks.secret");
  if (secret === null) {
    return (
      <Dialog title={title} onClose={onClose}>
        <p>{t("webhooks.shown_before")}</p>
      </Dialog>
    );
  }
  return (
    <OneTimeSecretDialog title={title} label={title} value={secret} onClose={onClose}>
      <p>{t("webhooks.once")}</p>
    </OneTimeSecretDialog>
  );
}
