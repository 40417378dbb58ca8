// Sign-in dialog for a session that expired while a page was open. Patient data behind it is hidden.
import { Modal } from "@mantine/core";
import { SignInForm } from "../accounts/session/sign-in-form.tsx";
import { useTranslation } from "../platform/messages/translate.ts";

export function SessionExpiredDialog() {
  const t = useTranslation();
  return (
    <Modal
      opened
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={t("shell.expired")}
      overlayProps={{ backgroundOpacity: 0.9 }}
    >
      <p>{t("shell.expired_text")}</p>
      <SignInForm />
    </Modal>
  );
}
