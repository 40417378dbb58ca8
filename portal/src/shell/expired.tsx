// The session ended while a page was open: sign in over it, and go on where one was. Nothing of patients shows behind it.
import { Modal } from "@mantine/core";
import { useSay } from "../messages/index.ts";
import { SignInForm } from "../session/sign-in-form.tsx";

export function Expired() {
  const say = useSay();
  return (
    <Modal
      opened
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={say("shell.expired")}
      overlayProps={{ backgroundOpacity: 0.9 }}
    >
      <p>{say("shell.expired_text")}</p>
      <SignInForm />
    </Modal>
  );
}
