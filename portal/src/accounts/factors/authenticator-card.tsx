// The authenticator app: set-up with QR code, secret and first code, and removal.
import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { Problem, toProblem, withErrorMessages } from "../../platform/api/problem.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { Form, validateRequired } from "../../platform/design/form.tsx";
import { formatDate } from "../../platform/design/format.ts";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { Card } from "../../platform/design/page.tsx";
import { QrCode } from "../../platform/design/qr-code.tsx";
import { ActionError } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { confirmTotp, enrollTotp, type Factors, removeTotp, type TotpSecret } from "./api.ts";
import classes from "./factors.module.css";
import { RemovalText } from "./removal-text.tsx";

type OnChanged = (newCodes: readonly string[] | null) => Promise<void>;

export function AuthenticatorCard({ totp, onChanged }: { totp: Factors["totp"]; onChanged: OnChanged }) {
  const t = useTranslation();
  const { offlineProps, offlineNotice } = useOfflineGuard();
  const [secret, setSecret] = useState<TotpSecret | null>(null);
  const [isRemoval, setIsRemoval] = useState(false);
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: null });
  const begin = () => {
    setState({ busy: true, error: null });
    enrollTotp().then(
      (enrolled) => {
        setSecret(enrolled);
        setState({ busy: false, error: null });
      },
      (error: unknown) => setState({ busy: false, error }),
    );
  };
  return (
    <Card title={t("factors.app")}>
      <p>{t("factors.app_text")}</p>
      {totp ? (
        <>
          <p>{t("factors.app_since", { date: formatDate(totp.created_at) })}</p>
          <Button variant="outline" color="red" onClick={() => setIsRemoval(true)}>
            {t("factors.app_remove")}
          </Button>
        </>
      ) : (
        <Button variant="default" loading={state.busy} onClick={begin} {...offlineProps}>
          {t("factors.app_set_up")}
        </Button>
      )}
      {offlineNotice}
      <ActionError error={state.error} />
      {secret && <SetUpDialog secret={secret} onChanged={onChanged} onClose={() => setSecret(null)} />}
      {isRemoval && (
        <ConfirmDialog
          title={t("factors.app_remove_title")}
          confirmLabel={t("factors.app_remove")}
          onConfirm={async () => {
            await removeTotp();
            await onChanged(null);
          }}
          onClose={() => setIsRemoval(false)}
        >
          <RemovalText />
        </ConfirmDialog>
      )}
    </Card>
  );
}

type SetUpDialogProps = { secret: TotpSecret; onChanged: OnChanged; onClose: () => void };

function SetUpDialog({ secret: { secret, uri }, onChanged, onClose }: SetUpDialogProps) {
  const t = useTranslation();
  const [code, setCode] = useState("");
  async function confirm() {
    const confirmation = withErrorMessages(confirmTotp(code.trim()), { conflict: t("factors.app_again") });
    const { recovery_codes } = await confirmation.catch((error: unknown) => {
      const { status, code: problem, message, errorId } = toProblem(error);
      if (problem !== "invalid_code") throw error;
      throw new Problem(status, problem, message, errorId, [{ path: "code", message: t("factors.wrong_code"), code: problem }]);
    });
    onClose();
    await onChanged(recovery_codes);
  }
  return (
    <Dialog title={t("factors.app_set_up")} onClose={onClose}>
      <p>{t("factors.app_scan")}</p>
      <QrCode text={uri} label={t("factors.app_qr")} />
      <p>{t("factors.app_secret")}</p>
      <p className={classes.secret}>
        {(secret.match(/.{1,4}/g) ?? []).map((group, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the index is the position of the group
          <span key={i}>{group}</span>
        ))}
      </p>
      <Form
        submitLabel={t("factors.app_confirm")}
        validate={() => validateRequired({ code })}
        onSubmit={confirm}
        onCancel={onClose}
        labels={{ code: t("factors.app_code") }}
      >
        {(field) => (
          <TextInput
            {...field("code")}
            label={t("factors.app_code")}
            description={t("factors.app_code_hint")}
            value={code}
            onChange={(event) => setCode(event.target.value)}
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={12}
            data-autofocus
          />
        )}
      </Form>
    </Dialog>
  );
}
