// Key rotation: the old key stays valid for some days, so that systems can be switched one by one.
import { useState } from "react";
import { Dialog } from "../../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { NumberTextInput } from "../../platform/design/number-text-input.tsx";
import { parseNumber } from "../../platform/design/parse-number.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { type ApiKey, rotateKey } from "./api.ts";
import { KeySecretDialog } from "./key-secret-dialog.tsx";

const DEFAULT_GRACE_DAYS = 7;
const MAX_GRACE_DAYS = 30;

type RotateKeyDialogProps = { apiKey: ApiKey; onChanged: () => Promise<unknown>; onClose: () => void };

export function RotateKeyDialog({ apiKey: { api_key_id, name }, onChanged, onClose }: RotateKeyDialogProps) {
  const t = useTranslation();
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [grace, setGrace] = useState(String(DEFAULT_GRACE_DAYS));
  const [issued, setIssued] = useState<{ token: string | null } | null>(null);
  if (issued) return <KeySecretDialog name={name} token={issued.token} onClose={onClose} />;
  const days = parseNumber(grace);
  const isValid = days !== null && Number.isInteger(days) && days >= 0 && days <= MAX_GRACE_DAYS;
  return (
    <Dialog title={t("keys.rotate_title", { name })} onClose={onClose}>
      <p>{t("keys.rotate_text")}</p>
      <Form
        submitLabel={t("keys.rotate")}
        validate={(): FieldErrors => (isValid ? {} : { grace_days: t("keys.grace_wrong") })}
        onSubmit={async () => {
          setIssued(await rotateKey(api_key_id, days ?? DEFAULT_GRACE_DAYS, idempotencyKey).finally(onChanged));
        }}
        onCancel={onClose}
        labels={{ grace_days: t("keys.grace") }}
      >
        {(field) => (
          <NumberTextInput
            {...field("grace_days")}
            inputMode="numeric"
            label={t("keys.grace")}
            value={grace}
            onText={setGrace}
            data-autofocus
          />
        )}
      </Form>
    </Dialog>
  );
}
