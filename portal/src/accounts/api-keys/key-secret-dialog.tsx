// Dialog that shows the secret of a key once.
import { Dialog } from "../../platform/design/dialog.tsx";
import { OneTimeSecretDialog } from "../../platform/design/one-time-secret-dialog.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";

export function KeySecretDialog({ name, token, onClose }: { name: string; token: string | null; onClose: () => void }) {
  const t = useTranslation();
  if (token === null) {
    return (
      <Dialog title={name} onClose={onClose}>
        <p>{t("keys.shown_before")}</p>
      </Dialog>
    );
  }
  return (
    <OneTimeSecretDialog title={name} label={t("keys.secret")} value={token} onClose={onClose}>
      <p>{t("keys.once")}</p>
    </OneTimeSecretDialog>
  );
}
