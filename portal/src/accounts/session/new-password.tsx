// Sets a new password with a link that was mailed, or issued by an administrator.
import { useState } from "react";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { Form, validateRequired } from "../../platform/design/form.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { resetPassword } from "../email/api.ts";
import { isPasswordLongEnough, NewPasswordInput } from "./new-password-input.tsx";

export function NewPasswordForm({ token, onDone }: { token: string; onDone?: () => void }) {
  const t = useTranslation();
  const [password, setInput] = useState("");
  const [isDone, setIsDone] = useState(false);
  if (isDone) {
    return (
      <>
        <p role="status">{t("session.password_set")}</p>
        <a href="/login">{t("session.sign_in")}</a>
      </>
    );
  }
  return (
    <>
      <p>{t("session.new_password_text")}</p>
      <Form
        submitLabel={t("session.set_password")}
        validate={() => ({
          ...(!isPasswordLongEnough(password) && { new_password: t("session.password_short") }),
          ...validateRequired({ new_password: password }),
        })}
        onSubmit={async () => {
          const errorMessages = { weak_password: t("session.weak_password"), link_invalid: t("session.link_invalid") };
          await withErrorMessages(resetPassword(token, password), errorMessages);
          setIsDone(true);
          onDone?.();
        }}
        labels={{ new_password: t("session.password") }}
      >
        {(field) => <NewPasswordInput {...field("new_password")} value={password} onChange={setInput} />}
      </Form>
    </>
  );
}
