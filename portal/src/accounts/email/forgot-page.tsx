// Page to ask for a link that sets a new password.
import { TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { Form } from "../../platform/design/form.tsx";
import { Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { LanguageButtons } from "../session/language-buttons.tsx";
import classes from "../session/session.module.css";
import { isAddress } from "./addresses.ts";
import { requestResetLink } from "./api.ts";

export function ForgotPage() {
  const t = useTranslation();
  const [isSent, setIsSent] = useState(false);
  return (
    <main className={classes.door}>
      <LanguageButtons />
      <Page title={t("email.forgot_title")}>
        {!isSent && <ForgotForm onSent={() => setIsSent(true)} />}
        <p role="status">{isSent && t("email.forgot_sent")}</p>
        {isSent && <p>{t("email.forgot_other")}</p>}
        <p className={classes.other}>
          <Link to="/login">{t("session.sign_in")}</Link>
        </p>
      </Page>
    </main>
  );
}

function ForgotForm({ onSent }: { onSent: () => void }) {
  const t = useTranslation();
  const [email, setEmail] = useState("");
  return (
    <>
      <p>{t("email.forgot_text")}</p>
      <Form
        submitLabel={t("email.send_link")}
        validate={() => ({ ...(!isAddress(email) && { email: t("patients.email_wrong") }) })}
        onSubmit={async () => {
          await withErrorMessages(requestResetLink(email.trim()), { rate_limited: t("session.slow_down") });
          onSent();
        }}
        labels={{ email: t("session.email") }}
      >
        {(field) => (
          <TextInput
            {...field("email")}
            label={t("session.email")}
            type="email"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
            autoComplete="username"
          />
        )}
      </Form>
    </>
  );
}
