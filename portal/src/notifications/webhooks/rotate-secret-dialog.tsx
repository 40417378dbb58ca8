// Rotation of a webhook's signing secret: the old one signs for another day, so that the receiver can be changed meanwhile.
import { useState } from "react";
import { Dialog } from "../../platform/design/dialog.tsx";
import { Form } from "../../platform/design/form.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { rotateSecret } from "./api.ts";
import { WebhookSecretDialog } from "./webhook-secret-dialog.tsx";

type RotateSecretDialogProps = { webhookId: string; onChanged: () => Promise<unknown>; onClose: () => void };

export function RotateSecretDialog({ webhookId, onChanged, onClose }: RotateSecretDialogProps) {
  const t = useTranslation();
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [rotated, setRotated] = useState<{ secret: string | null } | null>(null);
  if (rotated) return <WebhookSecretDialog secret={rotated.secret} onClose={onClose} />;
  const submit = async () => setRotated(await rotateSecret(webhookId, idempotencyKey).finally(onChanged));
  return (
    <Dialog title={t("webhooks.rotate_title")} onClose={onClose}>
      <Form submitLabel={t("webhooks.rotate")} onSubmit={submit} onCancel={onClose}>
        {() => <p>{t("webhooks.rotate_text")}</p>}
      </Form>
    </Dialog>
  );
}
